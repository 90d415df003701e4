"""What the UI's button that ends a run leaves behind."""

import pytest

from llm_assets_tests.end_to_end.dagster_ui import open_ui
from llm_assets_tests.end_to_end.served_model import open_served_model
from llm_assets_tests.end_to_end.test_interruptions import (
    MAX_IN_FLIGHT,
    N_ITEMS,
    build_long_project,
)


@pytest.mark.slow
def test_a_run_ended_from_the_ui_keeps_every_answer(tmp_path):
    """A run that the UI ends is canceled within seconds, and the next one asks for the rest alone."""
    with open_served_model("latency_seconds=0.3") as served_model:
        project = build_long_project(tmp_path / "project", served_model)
        first = project.run_process("run", "notes", "--limit", "1")  # makes the batch known
        assert first.exit_code == 0, first.stderr
        with open_ui(project) as ui:
            run_id = ui.launch("notes_batch", partition="may")
            ui.wait_until(lambda: served_model.count_requests() >= 40)
            ui.terminate(run_id)
            ui.wait_until(lambda: ui.read_status(run_id) == "CANCELED")
        n_before = served_model.count_requests()
        assert n_before < N_ITEMS
        last = project.run_process("run", "notes", "--json")
        assert last.batch["outcomes"] == {"accepted": N_ITEMS}, last.stderr
        assert last.batch["calls_reused"] >= n_before - MAX_IN_FLIGHT
        assert served_model.count_requests() <= N_ITEMS + MAX_IN_FLIGHT
