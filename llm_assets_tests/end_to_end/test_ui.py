"""What a person sees and does on Dagster's pages, in a real browser."""

from collections.abc import Generator

import pytest

from llm_assets_tests.end_to_end.dagster_pages import Pages, open_pages
from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.stage_names import BATCH_STAGES, TASK_STAGES

pytestmark = pytest.mark.slow

OUTPUTS = "notes/llm_outputs"
STAGES = (*TASK_STAGES, *BATCH_STAGES, "overview")
FILES = ("input_file", "prompt_file", "config_file")


@pytest.fixture(scope="module")
def pages(
    finished_project: TinyProject, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Pages]:
    """The pages of a project whose batch was run once."""
    with open_pages(finished_project.copy(tmp_path_factory.mktemp("pages") / "project")) as found:
        yield found


def test_the_graph_shows_every_stage(pages: Pages):
    """The task's graph holds the stages and the files they come from, and offers to make all of them."""
    pages.open_graph("notes")
    pages.wait_for(*STAGES, *FILES, f"Materialize all ({len(STAGES)})…")


def test_a_batch_shows_what_was_made(pages: Pages):
    """A batch's page tells its counts, its cost and the first of its outputs."""
    pages.open_batch(OUTPUTS, "may")
    shown = {name: pages.wait_for_value(name) for name in ("dagster/row_count", "items_accepted")}
    assert shown == {"dagster/row_count": "6", "items_accepted": "6"}
    assert [pages.wait_for_value(name) for name in ("calls", "cost_usd")] == ["6", "0"]
    preview = pages.wait_for_value("preview")
    assert "outcome" in preview
    assert "The lathe hums and the belt slips under load." in preview


def test_a_batch_made_from_its_page_ends_green(pages: Pages):
    """With a few clicks a batch is made anew: its run succeeds, sends no call, and is shown as the latest."""
    pages.open_batch(OUTPUTS, "may")
    run_id = pages.materialize()
    pages.wait_for("Success")
    assert pages.ui.read_status(run_id) == "SUCCESS"
    pages.open_batch(OUTPUTS, "may")
    pages.wait_for("Materialized", run_id[:8])
    assert pages.wait_for_value("calls_sent") == "0"
    assert pages.wait_for_value("calls_reused") == "6"
