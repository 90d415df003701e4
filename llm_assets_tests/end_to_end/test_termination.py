"""What a run leaves behind that is ended from the UI."""

import pytest

from llm_assets_tests.end_to_end.dagster_pages import open_pages
from llm_assets_tests.end_to_end.dagster_ui import open_ui
from llm_assets_tests.end_to_end.served_model import ServedModel, open_served_model
from llm_assets_tests.end_to_end.test_interruptions import (
    MAX_IN_FLIGHT,
    N_ITEMS,
    build_long_project,
)
from llm_assets_tests.end_to_end.tiny_project import TinyProject

pytestmark = pytest.mark.slow


def build_known_project(root, served_model: ServedModel) -> TinyProject:
    """A long batch that is known, and of which one item was asked."""
    project = build_long_project(root, served_model)
    first = project.run_process("run", "notes", "--limit", "1")
    assert first.exit_code == 0, first.stderr
    return project


def assert_answers_are_kept(project: TinyProject, served_model: ServedModel) -> None:
    """The next run finishes the batch, and asks only for what was not answered."""
    n_before = served_model.count_requests()
    assert n_before < N_ITEMS
    last = project.run_process("run", "notes", "--json")
    assert last.batch["outcomes"] == {"accepted": N_ITEMS}, last.stderr
    assert last.batch["calls_reused"] >= n_before - MAX_IN_FLIGHT
    assert served_model.count_requests() <= N_ITEMS + MAX_IN_FLIGHT


def assert_told_as_stopped(project: TinyProject) -> None:
    """What was being made says so, and nothing before it does."""
    told = project.run_process("status", "notes").stdout
    assert "llm_outputs failed (The run was stopped; its answers are kept.)" in told
    assert "work_items" not in told


def test_a_run_ended_from_the_ui_keeps_every_answer(tmp_path):
    """A run that the UI ends is canceled within seconds, and the next one asks for the rest alone."""
    with open_served_model("latency_seconds=0.3") as served_model:
        project = build_known_project(tmp_path / "project", served_model)
        with open_ui(project) as ui:
            run_id = ui.launch("notes_batch", partition="may")
            ui.wait_until(lambda: served_model.count_requests() >= 40)
            ui.terminate(run_id)
            ui.wait_until(lambda: ui.read_status(run_id) == "CANCELED")
        assert_told_as_stopped(project)
        assert_answers_are_kept(project, served_model)


def test_a_run_ended_with_clicks_keeps_every_answer(tmp_path):
    """In the browser, `Terminate` ends a run that `Materialize` began, and every answer it got is kept."""
    # At this pace a run takes 25 seconds: time enough for clicks.
    with open_served_model("latency_seconds=1") as served_model:
        project = build_known_project(tmp_path / "project", served_model)
        with open_pages(project) as pages:
            pages.open_batch("notes/llm_outputs", "may")
            run_id = pages.materialize()
            pages.ui.wait_until(lambda: served_model.count_requests() > 2 * MAX_IN_FLIGHT)
            pages.click("Terminate")
            pages.click("Terminate 1 run")
            pages.wait_for("Canceled")
            assert pages.ui.read_status(run_id) == "CANCELED"
        assert_answers_are_kept(project, served_model)
