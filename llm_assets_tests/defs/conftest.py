from collections.abc import Generator, Iterator
from pathlib import Path

import dagster as dg
import pytest

from llm_assets_tests.defs.reviewed_shop import ReviewedShop
from llm_assets_tests.end_to_end.gated_project import ROWS, answer_note, build_gated_project
from llm_assets_tests.end_to_end.scripted_model import ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject


@pytest.fixture(scope="module")
def noted_model() -> Generator[ScriptedModel]:
    """A model that is as sure as each note says."""
    with open_scripted_model(answer_note) as model:
        yield model


@pytest.fixture(scope="module")
def sorted_project(
    tmp_path_factory: pytest.TempPathFactory, noted_model: ScriptedModel
) -> TinyProject:
    """A gated project with two batches that ran once; June has no row that May has."""
    project = build_gated_project(
        tmp_path_factory.mktemp("gated") / "project", noted_model.base_url
    )
    project.write_table("data/notes/june.csv", [("7", *ROWS[0][1:]), ("8", *ROWS[5][1:])])
    project.run("run", "notes")
    return project


@pytest.fixture
def shop(
    sorted_project: TinyProject, noted_model: ScriptedModel, tmp_path: Path
) -> Iterator[ReviewedShop]:
    """A copy of it, its model's count at nothing."""
    project = sorted_project.copy(tmp_path / "project")
    noted_model.asked.clear()
    with dg.DagsterInstance.from_config(str(project.root / ".dagster")) as history:
        yield ReviewedShop(project, history, noted_model)
