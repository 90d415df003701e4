"""What comes of sixty papers, some faults, some doubts and a person's decisions."""

import json
import sqlite3
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llm_assets_tests.end_to_end.call_record import read_call_sums
from llm_assets_tests.end_to_end.documents_project import (
    CLASSIFY,
    CONFIG,
    STEPS,
    build_documents_project,
    file_paper,
    fill_paper_review,
)
from llm_assets_tests.end_to_end.gated_project import read_published, read_routes
from llm_assets_tests.end_to_end.scripted_model import ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.served_model import open_served_model
from llm_assets_tests.end_to_end.test_chain import read_costs, sum_costs
from llm_assets_tests.end_to_end.tiny_project import TinyProject

pytestmark = pytest.mark.slow

N_PAPERS = 60
TROUBLES = "refusals=0.05,rate_limited=0.05,retry_after_seconds=0.01"
ARGS: dict[str, str] = {"batch": "april", "task": "documents"}
AT_LEAST = "  at_least: 0.8\n"


@pytest.fixture(scope="module")
def registrar() -> Generator[ScriptedModel]:
    """The model of the last step, which is not sure of one paper in ten."""
    with open_scripted_model(file_paper) as model:
        yield model


@pytest.fixture(scope="module")
def finished_project(
    tmp_path_factory: pytest.TempPathFactory, registrar: ScriptedModel
) -> Generator[TinyProject]:
    """Sixty papers that were read once, while one call in twenty was refused and one in twenty sent away."""
    root = tmp_path_factory.mktemp("documents") / "project"
    with open_served_model(TROUBLES) as reader:
        project = build_documents_project(
            root,
            n_papers=N_PAPERS,
            reader_url=reader.base_url,
            registrar_url=registrar.base_url,
        )
        run = project.run_process("run", "documents", "--json")
        assert run.exit_code == 1, run.stderr
        project.write("first_run.json", run.stdout)
        yield project


@pytest.fixture
def finished(finished_project: TinyProject, tmp_path: Path) -> TinyProject:
    """A copy of them."""
    return finished_project.copy(tmp_path / "project")


def read_records(project: TinyProject, stage: str) -> dict[str, dict[str, Any]]:
    """The records of a stage by their papers."""
    return {each["row_ids"][0]: each for each in project.read_records(stage, **ARGS)}


def list_places(project: TinyProject) -> Counter[str]:
    """How often each paper is found in one of the places it can end in."""
    outputs, routes = read_records(project, "llm_outputs"), read_routes(project, **ARGS)
    lost = [row for row, each in outputs.items() if each["outcome"] != "accepted"]
    turned_down = [row for row, route in routes.items() if route == "turned_down"]
    published, waiting = read_published(project, **ARGS), read_records(project, "review_queue")
    return Counter([*published, *waiting, *turned_down, *lost])


def test_each_paper_is_in_one_place(finished: TinyProject):
    """Published, waiting for a person, or failed on its way; after a review also turned down; never in two of them."""
    everything = {f"P-{number}" for number in range(N_PAPERS)}
    assert list_places(finished) == Counter(everything)
    routes = Counter(read_routes(finished, **ARGS).values())
    assert routes["failed"] > 0
    assert 3 <= routes["review_queue"] <= 6
    assert routes["published"] > 40

    first, second, third, *_ = read_records(finished, "review_queue")
    path = fill_paper_review(
        finished,
        {
            first: {"decision": "approve"},
            second: {"decision": "edit", "classify.category": "invoice"},
            third: {"decision": "reject"},
        },
    )
    done = finished.run("review", "import", "documents", str(path))
    assert done.exit_code == 0, done.stderr
    assert list_places(finished) == Counter(everything)
    now = Counter(read_routes(finished, **ARGS).values())
    assert (now["turned_down"], now["published"]) == (1, routes["published"] + 2)
    published = read_published(finished, **ARGS)
    assert published[first]["output"]["classify"]["category"] == "notice"
    assert published[second]["output"]["classify"]["category"] == "invoice"


def test_a_published_record_has_all_that_was_found_out(finished: TinyProject):
    """The paper as it came, what it names, what it says, its kind, and when that was known; the same on a re-run."""
    published = read_published(finished, **ARGS)
    record = next(iter(published.values()))
    assert record["input"].keys() == {"document_id", "received", "title", "text"}
    assert {step: set(output) for step, output in record["output"].items()} == {
        "extract": {"people", "organizations", "dates", "topics"},
        "summarize": {"summary", "main_actor"},
        "classify": {"category", "confidence"},
    }
    assert record["enriched_at"]
    before = finished.read_outputs()
    again = finished.run("run", "documents", "--json")
    assert again.calls_sent == 0
    assert read_published(finished, **ARGS) == published
    assert finished.read_outputs() == before


def test_a_failure_stops_nobody_else(finished: TinyProject):
    """What comes after a failed step is blocked for that paper alone; every other paper has all of its answers."""
    ends = {step: read_records(finished, step) for step in STEPS}
    failed_at = {
        row: each.get("stopped_at") for row, each in read_records(finished, "llm_outputs").items()
    }
    assert {"extract"} <= {step for step in failed_at.values() if step}
    for row, stopped_at in failed_at.items():
        outcomes = [ends[step][row]["outcome"] for step in STEPS]
        n_done = STEPS.index(stopped_at) if stopped_at else len(STEPS)
        lost = [*(["refused"] if stopped_at else []), *["blocked"] * (len(STEPS) - n_done - 1)]
        assert outcomes == [*["accepted"] * n_done, *lost]


def test_costs_lead_back_to_the_ledger(finished: TinyProject):
    """Per paper and step, per step, per paper and in all: artifacts, export, `spend` and ledger say the same."""
    costs, records = read_costs(finished), finished.read_records("llm_outputs", **ARGS)
    for record in records:
        for step in STEPS:
            assert sum_costs(record, step) == costs.get((record["work_id"], step), Decimal(0))
    exported = [Decimal(row["cost_usd"]) for row in finished.read_export(**ARGS)]
    assert exported == [sum_costs(record) for record in records]
    by_step = {
        step: sum((cost for (_, name), cost in costs.items() if name == step), Decimal(0))
        for step in STEPS
    }
    assert all(cost > 0 for cost in by_step.values())
    spent = finished.run("spend", "--by", "step", "--json").record
    told = {line["step"]: Decimal(line["cost_usd"]) for line in spent["lines"]}
    assert told == {f"documents/{step}": cost for step, cost in by_step.items()}
    sums = read_call_sums(finished)
    assert sum(exported, Decimal(0)) == sum(by_step.values(), Decimal(0)) == sums.cost_usd
    assert Decimal(spent["total"]["cost_usd"]) == sums.cost_usd
    assert sums.n_by_fault["rate_limited"] > 0


def test_another_last_prompt_asks_only_the_last_step(
    finished: TinyProject, registrar: ScriptedModel
):
    """Only papers that get so far are filed anew, and the reading of none is paid again."""
    registrar.asked.clear()
    finished.edit(CLASSIFY, "Choose by what a paper is for:", "Choose by its purpose:")
    done = finished.run("run", "documents", "--json")
    records = read_records(finished, "classify").values()
    reached = sum(record["outcome"] != "blocked" for record in records)
    assert [step["calls_sent"] for step in done.batch["steps"]] == [0, 0, reached]
    assert len(registrar.asked) == reached > 40


def test_another_threshold_asks_nothing(finished: TinyProject, registrar: ScriptedModel):
    """What waited is published at a lower one, and nothing waits."""
    registrar.asked.clear()
    finished.edit(CONFIG, AT_LEAST, "  at_least: 0.4\n")
    n_calls = read_call_sums(finished).n_calls
    assert finished.run("run", "documents", "--stale").exit_code == 0
    assert read_call_sums(finished).n_calls == n_calls
    routes = Counter(read_routes(finished, **ARGS).values())
    assert (routes["review_queue"], registrar.asked) == (0, [])


def test_decisions_are_told_from_calls(finished: TinyProject):
    """A person's decision is on record with who and when, beside calls that stay as they were."""
    n_calls = read_call_sums(finished).n_calls
    (row, *_) = read_records(finished, "review_queue")
    edits = {row: {"decision": "approve", "note": "Seen."}}
    path = fill_paper_review(finished, edits)
    assert finished.run("review", "import", "documents", str(path)).exit_code == 0
    (kept,) = read_decisions(finished)
    assert (kept["reviewer"], kept["decision"], kept["key"]) == ("Ana", "approve", row)
    assert kept["decided_at"]
    assert read_call_sums(finished).n_calls == n_calls


def read_decisions(project: TinyProject) -> list[dict[str, Any]]:
    """What people decided by the ledger, read as any other program would read it."""
    with closing(sqlite3.connect(project.root / "data" / "ledger.sqlite")) as ledger:
        return [json.loads(body) for (body,) in ledger.execute("SELECT body FROM corrections")]
