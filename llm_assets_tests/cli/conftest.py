from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    """A project that has not run yet; its model answers in the process."""
    return build_project(tmp_path / "project")


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """A project whose batch was run once."""
    project = build_project(tmp_path_factory.mktemp("finished") / "project")
    project.run_json("notes")
    return project


@pytest.fixture
def finished(finished_project: TinyProject, tmp_path: Path) -> TinyProject:
    """A copy of the project whose batch was run once."""
    return finished_project.copy(tmp_path / "project")
