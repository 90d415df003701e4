"""What comes of a chain over many documents where something goes wrong now and then."""

import csv
import json
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llm_assets_tests.end_to_end.call_record import read_call_sums
from llm_assets_tests.end_to_end.chain_project import build_chain_project
from llm_assets_tests.end_to_end.tiny_project import (
    NOTES,
    TinyProject,
    assert_told_plainly,
)

N_DOCUMENTS = 60
STEPS = ("extract", "summarize", "classify")
TROUBLES = "LLM_ASSETS_OFFLINE_TROUBLES=refusals=0.05,rate_limited=0.05,retry_after_seconds=0.01\n"


def build_faulty_project(root: Path) -> TinyProject:
    rows = [
        (str(n), "lathe", f"The lathe hums, number {n}, and {n} belts slip in hall {n}.", "x")
        for n in range(N_DOCUMENTS)
    ]
    project = build_chain_project(root, rows=rows)
    project.write(".env", TROUBLES)
    project.edit("configs/notes.yaml", "  attempts: 2\n", "  attempts: 1\n  retry_failed: false\n")
    project.edit("configs/notes.yaml", "  max_in_flight: 4\n", "  fault_retries: 30\n")
    return project


def read_costs(project: TinyProject) -> dict[tuple[str, str], Decimal]:
    """What each document cost in each step, by the ledger."""
    costs: dict[tuple[str, str], Decimal] = {}
    with closing(sqlite3.connect(project.root / "data" / "ledger.sqlite")) as ledger:
        query = "SELECT work_id, step, cost_usd FROM calls WHERE fault_kind IS NULL"
        for work_id, step, cost_usd in ledger.execute(query):
            key = (work_id, step)
            costs[key] = costs.get(key, Decimal(0)) + Decimal(cost_usd)
    return costs


def sum_costs(record: dict[str, Any], step: str | None = None) -> Decimal:
    wanted = [each for each in record["attempts"] if step is None or each["step"] == step]
    return sum((Decimal(each["cost_usd"]) for each in wanted), Decimal(0))


def test_a_chain_over_sixty_documents_with_faults(tmp_path: Path):
    """Each document ends in one place, a failure stops nobody else, and all costs lead back to the ledger."""
    project = build_faulty_project(tmp_path / "project")
    run = project.run("run", "notes", "--json")
    assert run.exit_code == 1, run.stderr
    assert_each_document_has_one_place(project, run.batch)
    assert_costs_add_up(project, run.batch)

    n_calls = read_call_sums(project).n_calls
    again = project.run("run", "notes", "--json")
    assert again.calls_sent == 0
    assert again.batch["outcomes"] == run.batch["outcomes"]
    assert read_call_sums(project).n_calls == n_calls

    reached = run.batch["outcomes"]["accepted"] + count_stopped(project)["classify"]
    project.write(".env", "")
    project.edit("prompts/classify.yaml", "Which kind is it?", "Which kind may it be?")
    changed = project.run("run", "notes", "--json")
    assert [step["calls_sent"] for step in changed.batch["steps"]] == [0, 0, reached]


def assert_each_document_has_one_place(project: TinyProject, batch: dict[str, Any]) -> None:
    records = project.read_records("llm_outputs")
    by_step = {name: project.read_records(name) for name in STEPS}
    assert len(records) == N_DOCUMENTS
    assert batch["outcomes"]["accepted"] + batch["outcomes"]["refused"] == N_DOCUMENTS
    assert 40 < batch["outcomes"]["accepted"] < N_DOCUMENTS
    for place, record in enumerate(records):
        ends = [by_step[name][place]["outcome"] for name in STEPS]
        assert record["work_id"] == by_step["extract"][place]["work_id"]
        if record["outcome"] == "accepted":
            assert ends == ["accepted"] * 3
            assert list(record["output"]) == sorted(STEPS)
        else:
            number = STEPS.index(record["stopped_at"])
            expected = ["accepted"] * number + ["refused"] + ["blocked"] * (2 - number)
            assert ends == expected
            assert record["output"] is None
            assert record["reason"] == by_step[STEPS[number]][place]["reason"]
    rows = project.read_export()
    assert [row["status"] for row in rows] == [record["outcome"] for record in records]
    assert Counter(row["stopped_at"] for row in rows if row["stopped_at"]) == count_stopped(project)
    assert count_stopped(project)["extract"] > 0


def count_stopped(project: TinyProject) -> Counter[str]:
    records = project.read_records("llm_outputs")
    return Counter(record["stopped_at"] for record in records if record["outcome"] != "accepted")


def assert_costs_add_up(project: TinyProject, batch: dict[str, Any]) -> None:
    """Per document and step, per step, and in all: artifacts, account, export and ledger say the same."""
    costs, records = read_costs(project), project.read_records("llm_outputs")
    for record in records:
        for step in STEPS:
            assert sum_costs(record, step) == costs.get((record["work_id"], step), Decimal(0))
    total = sum(costs.values(), Decimal(0))
    assert sum(map(sum_costs, records), Decimal(0)) == total
    for step in batch["steps"]:
        of_step = sum(
            (cost for (_, name), cost in costs.items() if name == step["step"]), Decimal(0)
        )
        assert step["cost_usd"] == float(of_step)
    exported = [Decimal(row["cost_usd"]) for row in project.read_export()]
    assert exported == [sum_costs(record) for record in records]
    meta = json.loads(project.read("data/artifacts/notes/llm_outputs/may.meta.json"))
    assert Decimal(meta["totals"]["cost_usd"]) == total
    spent = project.run("spend", "--by", "step", "--json").record
    assert {line["step"] for line in spent["lines"]} == {f"notes/{name}" for name in STEPS}
    assert Decimal(spent["total"]["cost_usd"]) == total


@pytest.fixture(scope="module")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """A chain that has run once."""
    project = build_chain_project(tmp_path_factory.mktemp("chain") / "project")
    project.run_json("notes")
    return project


@pytest.fixture
def finished(finished_project: TinyProject, tmp_path: Path) -> TinyProject:
    """A copy of it."""
    return finished_project.copy(tmp_path / "project")


def test_the_export_has_a_column_for_every_field_of_every_step(finished: TinyProject):
    """Columns carry the names of their steps, in the order in which the steps run and the module has its fields."""
    with (finished.root / "data/exports/notes/may.csv").open(encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert [name for name in header if "." in name] == [
        "extract.things",
        "extract.topics",
        "summarize.summary",
        "summarize.main_thing.name",
        "classify.category",
        "classify.confidence",
    ]
    assert header[-1] == "stopped_at"
    row = finished.read_export()[0]
    assert json.loads(row["extract.things"])[0].keys() == {"name"}
    assert (row["attempts"], row["stopped_at"]) == ("3", "")


def test_a_run_says_what_each_step_did(finished: TinyProject):
    """A line for each step stands below that of the run."""
    finished.edit("prompts/classify.yaml", "Which kind is it?", "Which kind may it be?")
    said = finished.run("run", "notes").stderr
    assert "(extract 6, summarize 6, classify 6)" in said
    assert "    extract: 6 accepted; 0 calls sent; 0 tokens, $0.00\n" in said
    assert "    classify: 6 accepted; 6 calls sent; " in said


def test_the_report_tells_of_each_step(finished: TinyProject):
    """Counts, tokens and costs of each step, and what it was made from."""
    report = finished.read("data/reports/notes/may.md")
    for name in STEPS:
        assert f"| `{name}` |" in report
        assert f"Prompt of `{name}` | `prompts/{name}.yaml`" in report
    assert "| Items with more than one attempt | 0 |" in report


def test_a_plan_of_a_chain_is_honest(finished: TinyProject):
    """What is known and what is only expected are told apart, for people and for scripts."""
    assert "0 to run" in finished.run("plan", "notes").stdout
    finished.edit("prompts/extract.yaml", "Take out", "Pick out")
    said = finished.run("plan", "notes").stdout
    assert "(6 prompt changed) in 18 calls or more" in said
    assert "(extract 6, summarize 6 expected, classify 6 expected)" in said
    assert "follows from answers to come" in said
    (batch,) = finished.run("plan", "notes", "--json").record["batches"]
    assert [(step["step"], step["calls_expected"]) for step in batch["steps"]] == [
        ("extract", 0),
        ("summarize", 6),
        ("classify", 6),
    ]
    assert finished.run_json("notes").calls_sent <= 18


def test_the_prompts_of_a_row_are_shown_step_by_step(finished: TinyProject):
    """As far as their words are known; of the others it is said what they wait for."""
    shown = finished.run("plan", "notes", "--prompt", "1").stdout
    assert shown.index("=== extract ===") < shown.index("=== summarize ===")
    assert 'Topics: ["' in shown
    finished.edit("prompts/extract.yaml", "Take out", "Pick out")
    shown = finished.run("plan", "notes", "--prompt", "1").stdout
    assert "Not known. Its words show what an earlier step is going to answer." in shown
    record = finished.run("plan", "notes", "--prompt", "1", "--json").record
    assert [step["step"] for step in record["steps"]] == list(STEPS)
    assert "messages" in record["steps"][0]
    assert "unknown_because" in record["steps"][2]


@pytest.mark.parametrize(
    ("path", "old", "new", "names"),
    [
        (
            "prompts/classify.yaml",
            "steps.summarize.summary",
            "steps.summarize.sumary",
            ("prompts/classify.yaml", "steps.summarize.sumary", "Did you mean 'summary'?"),
        ),
        (
            "prompts/summarize.yaml",
            "steps.extract.topics",
            "steps.classify.category",
            ("prompts/summarize.yaml", "It comes after: `extract`."),
        ),
        (
            "configs/notes.yaml",
            "output_model: Kind",
            "output_model: Kin",
            ("configs/schemas/notes.py holds no model 'Kin'", "Did you mean 'Kind'?"),
        ),
        (
            "configs/notes.yaml",
            "  - name: extract\n",
            "  - name: extract\n    after: [classify]\n",
            ("configs/notes.yaml:8:", "wait for each other"),
        ),
    ],
)
def test_a_mistake_is_told_before_the_first_call(
    tmp_path: Path, path: str, old: str, new: str, names: tuple[str, ...]
):
    """One sentence with the file and the remedy, and nothing on record."""
    project = build_chain_project(tmp_path / "project", rows=NOTES[:2])
    project.edit(path, old, new)
    assert_told_plainly(project.run("run", "notes"), exit_code=2, names=names)
    ledger = project.root / "data" / "ledger.sqlite"
    assert not ledger.exists() or read_call_sums(project).n_calls == 0


def test_fields_of_all_steps_are_scored_by_what_was_expected(tmp_path: Path):
    """Each field is that of its step; a row that some step stopped is wrong, and no prompt shows the labels."""
    project = build_chain_project(tmp_path / "project")
    rows = [
        ("1", "pump", "Please repair the pump.", "repair", "pump"),
        ("2", "van", "The delivery came by van.", "delivery", "bicycle"),
    ]
    columns = ("id", "topic", "text", "kind", "thing")
    project.write_table("data/notes/may.csv", rows, columns)
    expected = """\
expected:
  fields:
    classify.category: kind
    word: {column: thing, path: summarize.summary, scorer: contains}
"""
    config = project.read("configs/notes.yaml").replace(", internal]", "]")
    project.write("configs/notes.yaml", config + expected)
    assert project.run_json("notes").batch["outcomes"] == {"accepted": 2}
    scores = [
        {each["name"]: (each["found"] is not None, each["score"]) for each in record["fields"]}
        for record in project.read_records("assessment")
    ]
    assert scores == [
        {"classify.category": (True, 1.0), "word": (True, 1.0)},
        {"classify.category": (True, 1.0), "word": (True, 0.0)},
    ]
    assert [record["score"] for record in project.read_records("assessment")] == [1.0, 0.5]
    shown = project.run("plan", "notes", "--prompt", "2").stdout
    assert "van" in shown
    assert "bicycle" not in shown
    assert "classify.category" in project.read("data/reports/notes/may.md")
