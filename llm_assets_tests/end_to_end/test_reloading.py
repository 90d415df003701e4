"""What a person who has the UI open sees after an edit and a run."""

import pytest

from llm_assets_tests.end_to_end.dagster_ui import Ui, open_ui
from llm_assets_tests.end_to_end.tiny_project import TinyProject

SHOWN = """query($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { staleStatus(partition: "may") } } }"""


def read_shown(ui: Ui) -> str:
    """How the UI shows the batch's outputs."""
    found = ui.ask(SHOWN, key={"path": ["notes", "llm_outputs"]})
    return found["assetNodeOrError"]["staleStatus"]


@pytest.mark.slow
def test_what_was_just_made_is_shown_as_fresh(finished: TinyProject):
    """A run after an edit lets the open UI load the edit, says so in one line, and a second run leaves it alone."""
    with open_ui(finished) as ui:
        assert read_shown(ui) == "FRESH"
        finished.edit("prompts/notes.yaml", "You sort", "You file")
        # At an address where nobody answers, the run goes well and what it made looks stale.
        first = finished.run_process("run", "notes", LLM_ASSETS_UI_URL="http://127.0.0.1:1")
        assert first.exit_code == 0, first.stderr
        assert "The UI" not in first.stderr
        assert read_shown(ui) == "STALE"
        second = finished.run_process("run", "notes", LLM_ASSETS_UI_URL=ui.url)
        assert second.exit_code == 0, second.stderr
        assert (
            second.stderr.splitlines()[-1] == f"The UI at {ui.url} has loaded the current settings."
        )
        ui.wait_until(lambda: read_shown(ui) == "FRESH")
        third = finished.run_process("run", "notes", LLM_ASSETS_UI_URL=ui.url)
        assert "The UI" not in third.stderr
