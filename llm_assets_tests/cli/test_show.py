import json
import sys
from dataclasses import replace
from io import StringIO

import pytest

from llm_assets.cli.item_views import print_items
from llm_assets.core.ids import BatchKey
from llm_assets.core.item_columns import choose_columns, list_default_names
from llm_assets.core.item_listing import build_listing
from llm_assets.core.llm_outputs import OUTCOMES, LLMOutputs
from llm_assets.gateways.artifacts import load_records, write_records
from llm_assets.gateways.project import Project
from llm_assets_tests.core.test_report import build_item
from llm_assets_tests.core.test_report_items import build_sources
from llm_assets_tests.end_to_end.tiny_project import TinyProject, assert_told_plainly

OUTPUTS = "data/artifacts/notes/llm_outputs/may"


def show(project: TinyProject, *args: str) -> list[list[str]]:
    """The cells of each line, the header's first."""
    done = project.run("show", "notes", *args)
    assert done.exit_code == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def show_json(project: TinyProject, *args: str):
    done = project.run("show", "notes", *args, "--json")
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def spoil(project: TinyProject, *, row: int, reason: str) -> None:
    """Let a row end as failed, by the outputs that are stored."""
    path = Project(root=project.root, environ={}).artifacts / "notes/llm_outputs/may.jsonl"
    outputs = load_records(path, LLMOutputs, shown="outputs")
    records = list(outputs.records)
    records[row] = replace(
        records[row], outcome="failed", output=None, accepted_at=None, reason=reason
    )
    write_records(path, replace(outputs, records=tuple(records)))


def test_a_line_for_each_item(finished: TinyProject):
    """With the columns' names first, and tabs between the cells."""
    header, *lines = show(finished)
    assert header == ["row", "outcome", "input", "answer", "attempts", "cost_usd", "work_id"]
    assert [line[0] for line in lines] == ["1", "2", "3", "4", "5", "6"]
    assert {line[1] for line in lines} == {"accepted"}
    assert lines[0][2] == "lathe · The lathe hums and the belt slips under load."


def test_failures_stand_first_with_their_reasons(finished: TinyProject):
    """A reason of several lines, with an escape sequence and tabs, stays one harmless cell."""
    spoil(finished, row=3, reason="HTTP 500\n\x1b[31mno\ttabs")
    shown = show(finished, "--columns", "row,outcome,reason")
    assert shown[1] == ["4", "failed", "HTTP 500 \ufffd[31mno tabs"]
    assert [line[0] for line in shown[2:]] == ["1", "2", "3", "5", "6"]
    assert [line[0] for line in show(finished, "--order", "rows")[1:]] == list("123456")
    assert [line[0] for line in show(finished, "--outcome", "failed")[1:]] == ["4"]
    assert len(show(finished, "--outcome", "not_accepted")) == 2


def test_columns_are_chosen(finished: TinyProject):
    """Of the table, of the output, and of the item itself, in the order asked for."""
    shown = show(finished, "--columns", "topic,output.mood", "--columns", "work_id", "--limit", "2")
    assert shown[0] == ["topic", "output.mood", "work_id"]
    records = finished.read_records("llm_outputs")[:2]
    assert [line[1:] for line in shown[1:]] == [
        [record["output"]["mood"], record["work_id"]] for record in records
    ]


def test_json_lines_hold_all_of_an_item(finished: TinyProject):
    """One object a line; with columns chosen, those alone."""
    items = show_json(finished)
    outputs = finished.read_records("llm_outputs")
    assert [item["output"] for item in items] == [record["output"] for record in outputs]
    assert items[0]["input"]["internal"] == "a"
    assert items[0]["line"] == 2
    assert show_json(finished, "--columns", "id,mood", "--limit", "1") == [
        {"id": "1", "mood": outputs[0]["output"]["mood"]}
    ]


def test_several_batches_have_their_names(finished: TinyProject):
    """Without `--batch` all that have run are listed, each item with its batch."""
    finished.write_table("data/notes/june.csv", [("9", "paint", "Green is out.", "z")])
    finished.run_json("notes", "--batch", "june")
    shown = show(finished)
    assert [line[0] for line in shown] == ["batch", "june", *["may"] * 6]
    assert len(show(finished, "--batch", "june")) == 2


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["--columns", "summry"], ["summry", "'summary'"]),
        (["--outcome", "acepted"], ["acepted", "'accepted'"]),
        (["--batch", "mai"], ["mai", "may"]),
    ],
)
def test_unknown_names_are_told(finished: TinyProject, args, names):
    """The message says what may have been meant."""
    assert_told_plainly(finished.run("show", "notes", *args), exit_code=2, names=names)


def test_a_task_that_never_ran_is_told(project: TinyProject):
    """The message says how to run it."""
    never = project.run("show", "notes")
    assert_told_plainly(never, exit_code=2, names=["notes", "llm-assets run notes"])


def test_outputs_that_are_not_there_are_told(finished: TinyProject):
    """Before a run gets to its end, and where a later one read other rows."""
    finished.write("data/notes/may.csv", finished.read("data/notes/may.csv") + "7,a,b,c\n")
    kept = {name: (finished.root / f"{OUTPUTS}{name}").read_bytes() for name in (".jsonl", ".meta.json")}  # fmt: skip
    finished.run_json("notes")
    for name, content in kept.items():
        (finished.root / f"{OUTPUTS}{name}").write_bytes(content)
    newer = finished.run("show", "notes")
    assert_told_plainly(newer, exit_code=2, names=["newer than its outputs", "--batch may"])
    (finished.root / f"{OUTPUTS}.meta.json").unlink()
    missing = finished.run("show", "notes")
    assert_told_plainly(missing, exit_code=2, names=["no outputs yet", "llm-assets report notes"])


@pytest.mark.parametrize("width", [70, 90, 200])
def test_a_terminal_gets_a_table(width: int, monkeypatch: pytest.MonkeyPatch):
    """Texts are cut to fit and nothing else is, square brackets are no styles, and what is left out is said."""
    items = [
        build_item(at, outcome="failed", reason="[red]bad[/red] \x1b[31m" + "long " * 50)
        for at in range(3)
    ]
    listed = build_listing(
        BatchKey("may"),
        build_sources(*items).snapshot,
        items,
        telling_columns=("b",),
        outcomes=frozenset(OUTCOMES),
        order="rows",
    )
    columns = choose_columns(list_default_names(listed), items, input_columns=("a", "b"))
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stdout", out := StringIO())
    print_items(listed, columns, n_shown=2, is_terminal=True)
    header, _, *lines, more = [line for line in out.getvalue().splitlines() if line.strip()]
    assert all(len(line) <= width for line in lines)
    assert header.split() == [
        "row",
        "outcome",
        "input",
        "answer",
        "attempts",
        "cost_usd",
        "work_id",
    ]
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert [line.split()[-3:] for line in lines] == [["1", "0.01", "w0"], ["1", "0.01", "w1"]]
    assert all("[red]bad" in line and "…" in line and "\x1b" not in line for line in lines)
    assert more == "1 more; --limit 3 shows all."
