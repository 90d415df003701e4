from collections.abc import Generator
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.browser import browser, session_browser
from llm_assets_tests.end_to_end.served_model import ServedModel, open_served_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

__all__ = ["browser", "session_browser"]


@pytest.fixture(scope="session")
def served_model() -> Generator[ServedModel]:
    """The well-behaved offline model over HTTP."""
    with open_served_model() as server:
        yield server


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    """A project that has not run yet; its model answers in the process."""
    return build_project(tmp_path / "project")


@pytest.fixture(scope="session")
def paid_project(
    tmp_path_factory: pytest.TempPathFactory, served_model: ServedModel
) -> TinyProject:
    """A project whose batch was run once, at the served model."""
    project = build_project(
        tmp_path_factory.mktemp("paid") / "project", base_url=served_model.base_url
    )
    project.run_json("notes")
    return project


@pytest.fixture
def paid(paid_project: TinyProject, tmp_path: Path) -> TinyProject:
    """A copy of the project whose batch was run once."""
    return paid_project.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """A project whose batch was run once; its model answers in the process."""
    project = build_project(tmp_path_factory.mktemp("finished") / "project")
    project.run_json("notes")
    return project


@pytest.fixture
def finished(finished_project: TinyProject, tmp_path: Path) -> TinyProject:
    """A copy of the project whose batch was run once."""
    return finished_project.copy(tmp_path / "project")
