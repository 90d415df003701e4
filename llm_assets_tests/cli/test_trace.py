import json
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import (
    NOTES,
    TinyProject,
    assert_told_plainly,
    build_project,
)

OUTPUTS = "data/artifacts/notes/llm_outputs/may"


def trace(project: TinyProject, *args: str) -> str:
    done = project.run("trace", "notes", *args)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def trace_json(project: TinyProject, *args: str):
    return json.loads(trace(project, *args, "--json"))


def test_the_whole_way_of_a_row(finished: TinyProject):
    """Source line, values, prompt as sent, answer, tokens, cost, call key, run, output, and the lines of the export."""
    record = finished.read_records("llm_outputs")[2]
    text = trace(finished, "--row", "3")
    (attempt,) = record["attempts"]
    assert f"notes / may, work item {record['work_id']}" in text
    assert "Source: data/notes/may.csv" in text
    assert "line 4, row 3 below the header" in text
    assert "    id (not seen by the model): 3" in text
    assert "    topic: lathe" in text
    assert f"call key {attempt['call_key']}" in text
    assert f"{attempt['prompt_tokens']} prompt tokens" in text
    assert "finish reason stop" in text
    assert "$0.00" in text
    assert "--- sent as user ---\n<note>\ntopic: lathe\n" in text
    assert f"    summary: {record['output']['summary']}" in text
    assert "a rehearsal, no LLM" in text
    assert "data/exports/notes/may.csv, line 4\n" in text
    assert "data/exports/notes/may.jsonl, line 3\n" in text
    assert "Missing" not in text


@pytest.mark.parametrize(
    "args", [("--row", "3"), ("--line", "4"), ("--batch", "may", "--row", "3")]
)
def test_ways_to_name_an_item(finished: TinyProject, args):
    """By its row, by its line in the source, or by the beginning of its name; all give the same."""
    work_id = finished.read_records("llm_outputs")[2]["work_id"]
    by_name = trace(finished, work_id[:8])
    assert by_name == trace(finished, work_id) == trace(finished, *args)


def test_a_trace_for_scripts(finished: TinyProject):
    """The record holds what the text holds, messages and answer to the letter."""
    found = trace_json(finished, "--row", "2")
    output = finished.read_records("llm_outputs")[1]
    assert found["rows"] == [
        {
            "row": 2,
            "line": 3,
            "row_id": output["row_ids"][0],
            "values": dict(zip(("id", "topic", "text", "internal"), NOTES[1], strict=True)),
        }
    ]
    (call,) = found["calls"]
    (sent,) = call["tries"]
    assert call["call_key"] == sent["call_key"] == output["attempts"][0]["call_key"]
    assert json.loads(sent["answer"]["text"]) == found["output"] == output["output"]
    assert NOTES[1][2] in sent["messages"][1]["content"]
    assert [each["line"] for each in found["exports"]] == [3, 2]
    assert found["missing"] == []


def test_prompts_are_those_that_were_sent(finished: TinyProject):
    """Also after the prompt file changed; after a run with the new one, the earlier call is still told of."""
    before = trace(finished, "--row", "1")
    finished.edit("prompts/notes.yaml", "You sort the notes", "You judge the notes")
    assert trace(finished, "--row", "1") == before
    finished.run_json("notes")
    found = trace_json(finished, "--row", "1")
    assert "You judge the notes" in found["calls"][0]["tries"][0]["messages"][0]["content"]
    (earlier,) = found["other_calls"]
    assert "You sort the notes" in earlier["messages"][0]["content"]
    assert "Other calls for this item, not behind its output: 1" in trace(finished, "--row", "1")


def test_a_call_that_equal_rows_share(tmp_path: Path):
    """The second of two equal rows leads to the call that was made for the first."""
    project = build_project(tmp_path / "project", rows=(NOTES[0], NOTES[0]))
    project.run_json("notes")
    first, second = trace_json(project, "--row", "1"), trace_json(project, "--row", "2")
    assert first["calls"] == second["calls"]
    assert second["calls"][0]["tries"][0]["work_id"] == first["work_item"]["work_id"]
    assert "which asks the same" not in trace(project, "--row", "1")
    assert "which asks the same" in trace(project, "--row", "2")
    assert second["other_calls"] == []


def test_what_is_missing_is_said(finished: TinyProject):
    """Ledger, export files and input file gone: the rest is still told."""
    (finished.root / "data/ledger.sqlite").unlink()
    (finished.root / "data/exports/notes/may.csv").unlink()
    (finished.root / "data/exports/notes/may.jsonl").write_text("{}\n", encoding="utf-8")
    (finished.root / "data/notes/may.csv").unlink()
    found = trace_json(finished, "--row", "1")
    assert found["output"] is not None
    assert found["calls"][0]["finish_reason"] == "stop"
    assert found["calls"][0]["tries"] == []
    assert [each["problem"] for each in found["exports"]] == [
        "the file is not there",
        "the file has changed since it was written",
    ]
    ledger, source = found["missing"]
    assert "1 of the 1 calls" in ledger
    assert "data/notes/may.csv is not there" in source
    assert ledger in trace(finished, "--row", "1")
    assert not (finished.root / "data/ledger.sqlite").exists()


def test_a_changed_source_is_said(finished: TinyProject):
    """The rows are those that ran; the file may have them elsewhere by now."""
    finished.write("data/notes/may.csv", "id\n" + finished.read("data/notes/may.csv"))
    assert "has changed since" in trace(finished, "--row", "1")


def test_a_run_that_did_not_get_to_its_end(finished: TinyProject):
    """Its calls are shown from the ledger, and that there is no output yet is said."""
    for ending in (".jsonl", ".meta.json"):
        (finished.root / f"{OUTPUTS}{ending}").unlink()
    found = trace_json(finished, "--row", "1")
    assert found["output"] is None
    assert len(found["calls"]) == 1
    assert found["missing"] == ["No run of this batch got to its end, so there is no output yet."]
    assert "--- answered ---" in trace(finished, "--row", "1")


def test_an_item_that_is_not_stored_any_more(finished: TinyProject):
    """Its calls stay on record, and the message says so."""
    work_id = finished.read_records("llm_outputs")[0]["work_id"]
    finished.edit("data/notes/may.csv", "The lathe hums", "The saw hums")
    finished.run_json("notes")
    gone = finished.run("trace", "notes", work_id)
    assert_told_plainly(gone, exit_code=2, names=[work_id, "the ledger has calls"])


def test_a_row_of_several_batches_is_told(finished: TinyProject):
    """Each has a row 1, and an equal row in both is the same item."""
    finished.write_table("data/notes/june.csv", NOTES[:1])
    finished.run_json("notes", "--batch", "june")
    by_row = finished.run("trace", "notes", "--row", "1")
    assert_told_plainly(by_row, exit_code=2, names=["--batch", "june, may"])
    work_id = finished.read_records("llm_outputs", batch="june")[0]["work_id"]
    by_name = finished.run("trace", "notes", work_id)
    assert_told_plainly(by_name, exit_code=2, names=["--batch", "june, may"])
    assert trace_json(finished, work_id, "--batch", "june")["batch"] == "june"


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["zz"], ["'zz'", "may", "llm-assets show notes"]),
        (["--row", "7"], ["no row 7", "from 1 to 6"]),
        (["--line", "1"], ["line 1", "line 2"]),
        (["--row", "1", "--batch", "mai"], ["'mai'", "may"]),
    ],
)
def test_what_is_not_there_is_told(finished: TinyProject, args, names):
    """The message says what there is."""
    assert_told_plainly(finished.run("trace", "notes", *args), exit_code=2, names=names)


@pytest.mark.parametrize("args", [[], ["abc", "--row", "1"], ["--row", "1", "--line", "2"]])
def test_one_item_has_to_be_named(finished: TinyProject, args):
    """Neither none nor two at once."""
    done = finished.run("trace", "notes", *args)
    assert done.exit_code == 2
    assert "Name one item" in done.stderr


def test_a_task_that_never_ran_is_told(project: TinyProject):
    """The message says how to run it."""
    never = project.run("trace", "notes", "--row", "1")
    assert_told_plainly(never, exit_code=2, names=["notes", "llm-assets run notes"])


def test_a_task_outside_of_the_project(finished: TinyProject):
    """With `--config`, the one word is the item."""
    work_id = finished.read_records("llm_outputs")[0]["work_id"]
    done = finished.run("trace", work_id, "--config", "configs/notes.yaml")
    assert done.stdout == trace(finished, work_id)
