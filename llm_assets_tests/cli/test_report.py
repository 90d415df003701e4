import json
import os
import re
import zlib
from base64 import b64decode
from typing import Any

from llm_assets_tests.end_to_end.tiny_project import TinyProject, assert_told_plainly

REPORTS = "data/reports/notes"
OUTPUTS = "data/artifacts/notes/llm_outputs/may"


def read_reports(project: TinyProject) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.root / REPORTS).iterdir()}


def read_items(project: TinyProject) -> list[dict[str, Any]]:
    """What the page of the batch holds of each item."""
    found = re.findall(r'class="entries">([^<]*)<', project.read(f"{REPORTS}/may.html"))
    return [entry for page in found for entry in json.loads(zlib.decompress(b64decode(page)))]


def report_json(project: TinyProject, *args: str):
    done = project.run("report", "notes", *args, "--json")
    assert done.exit_code == 0, done.stderr
    return done.record


def test_a_report_is_made_again_from_what_is_stored(finished: TinyProject):
    """Every file of it comes back to the byte, after all were deleted and the config was changed."""
    before = read_reports(finished)
    assert sorted(before) == ["index.html", "may.html", "may.json", "may.md"]
    for name in before:
        (finished.root / REPORTS / name).unlink()
    finished.edit("configs/notes.yaml", "max_in_flight: 4", "max_in_flight: 2")
    record = report_json(finished)
    assert read_reports(finished) == before
    assert [batch["is_partial"] for batch in record["batches"]] == [False]
    assert record["index"].endswith(f"{REPORTS}/index.html")


def test_the_page_holds_the_prompts_as_sent(finished: TinyProject):
    """Each item has its call with the messages and the answer, also after the prompt file was changed."""
    finished.write("prompts/notes.yaml", "user: other words")
    report_json(finished)
    items = read_items(finished)
    assert len(items) == 6
    for item in items:
        (call,) = item["calls"]
        assert call["messages"][1][0] == "user"
        assert item["input"]["text"] in "".join(map(str, call["messages"][1][1]))
        assert json.loads(call["answer"]) == item["output"]


def test_a_report_needs_no_ledger(finished: TinyProject):
    """Without it the words sent and answered are missing, and nothing else."""
    (finished.root / "data/ledger.sqlite").unlink()
    report_json(finished)
    items = read_items(finished)
    assert [item["output"] is not None for item in items] == [True] * 6
    assert not any("messages" in call for item in items for call in item["calls"])
    assert not (finished.root / "data/ledger.sqlite").exists()


def test_what_is_on_record_is_shown_before_the_run_is_over(project: TinyProject):
    """Without outputs, the report shows the answers so far and says in page, Markdown and index that it is partial."""
    project.run_json("notes", "--limit", "2")
    for ending in (".jsonl", ".meta.json"):
        (project.root / f"{OUTPUTS}{ending}").unlink()
    (batch,) = report_json(project, "--batch", "may")["batches"]
    assert batch["is_partial"]
    reasons = [item["reason"] for item in read_items(project)]
    assert sorted(map(str, reasons)) == ["None"] * 2 + ["Not answered yet."] * 4
    assert "4 of 6 items are not answered yet" in project.read(f"{REPORTS}/may.html")
    assert "> **PARTIAL: " in project.read(f"{REPORTS}/may.md")
    assert '<span class="tag">partial</span>' in project.read(f"{REPORTS}/index.html")


def test_calls_after_the_outputs_make_a_report_partial(finished: TinyProject):
    """What was answered since is shown from the ledger; the next run makes the report whole again."""
    os.utime(finished.root / f"{OUTPUTS}.meta.json", (0, 0))
    assert [batch["is_partial"] for batch in report_json(finished)["batches"]] == [True]
    assert all(item["output"] for item in read_items(finished))
    finished.run_json("notes")
    assert [batch["is_partial"] for batch in report_json(finished)["batches"]] == [False]


def test_rows_after_the_outputs_make_a_report_partial(finished: TinyProject):
    """Where the stored rows are those of a later run, the outputs of the earlier one are not shown as theirs."""
    path = finished.root / f"{OUTPUTS}.jsonl"
    kept = path.read_bytes(), (finished.root / f"{OUTPUTS}.meta.json").read_bytes()
    table = finished.read("data/notes/may.csv")
    finished.write("data/notes/may.csv", table + "7,paint,Green is out.,g\n")
    finished.run_json("notes")
    path.write_bytes(kept[0])
    (finished.root / f"{OUTPUTS}.meta.json").write_bytes(kept[1])
    assert [batch["is_partial"] for batch in report_json(finished)["batches"]] == [True]
    assert len(read_items(finished)) == 7


def test_an_unknown_batch_is_told(finished: TinyProject):
    """The message names the batches that did run."""
    unknown = finished.run("report", "notes", "--batch", "june")
    assert_told_plainly(unknown, exit_code=2, names=["june", "may"])


def test_a_batch_that_never_ran_is_told(project: TinyProject):
    """The message says how to run it."""
    nothing = project.run("report", "notes", "--batch", "may")
    assert_told_plainly(nothing, exit_code=2, names=["may", "llm-assets run notes"])


def test_without_batches_there_is_an_empty_index(project: TinyProject):
    """A task that never ran has a page that says so, and no error."""
    done = project.run("report", "notes")
    assert done.exit_code == 0
    assert "index.html" in done.stdout
