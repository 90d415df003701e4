import io
from decimal import Decimal

import pytest
from rich.console import Console

from llm_assets.cli.spend import build_spend_table
from llm_assets.core.spend import Spend, add_spends
from llm_assets_tests.end_to_end.tiny_project import TinyProject, assert_told_plainly


def test_json_has_the_promised_shape(finished: TinyProject):
    """`spend --json` prints the sums, their total, and what they are added up by."""
    run = finished.run("spend", "--by", "task", "--json")
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.record["by"] == "task"
    (line,) = run.record["lines"]
    assert line.pop("task") == "notes"
    assert line == run.record["total"]
    assert {name: line[name] for name in ("calls", "answers", "faults", "cached_tokens")} == {
        "calls": 6,
        "answers": 6,
        "faults": 0,
        "cached_tokens": 0,
    }
    assert (line["cost_usd"], line["cost_is_known"]) == ("0", True)
    assert min(line["prompt_tokens"], line["completion_tokens"]) > 0


def test_every_way_of_adding_up_has_the_same_total(finished: TinyProject):
    """Days, tasks, runs and models are views of the same calls."""
    finished.edit("prompts/notes.yaml", "workshop", "repair shop")
    finished.run_json("notes")
    totals = [
        finished.run("spend", "--by", by, "--json").record for by in ("day", "task", "run", "model")
    ]
    assert {total["total"]["calls"] for total in totals} == {12}
    assert [len(total["lines"]) for total in totals] == [1, 1, 2, 1]
    assert totals[3]["lines"][0]["model"] == "offline/extractive"
    assert all(total["total"] == totals[0]["total"] for total in totals)


def test_spend_is_a_line_for_each_sum(finished: TinyProject):
    """Where nobody watches, every sum is a line, and so is the total."""
    run = finished.run("spend", "--by", "model")
    first, total = run.stdout.splitlines()
    assert first.startswith("offline/extractive: 6 calls, 6 answers, 0 faults; ")
    assert total.startswith("total: 6 calls")
    assert first.endswith("; $0.00")


def test_spend_since_a_day(finished: TinyProject):
    """Calls before the day are left out, and a day that is none is told."""
    assert finished.run("spend", "--since", "2020-01-01", "--json").record["total"]["calls"] == 6
    assert finished.run("spend", "--since", "2999-01-01", "--json").record["lines"] == []
    assert finished.run("spend", "--since", "2999-01-01").stdout == "No calls are on record.\n"
    assert finished.run("spend", "--since", "yesterday").exit_code == 2


def test_a_project_that_never_ran_has_spent_nothing(project: TinyProject):
    """Asking makes no ledger, and names no cost that might be unknown."""
    assert project.run("spend", "--json").record["total"]["cost_usd"] == "0"
    assert not (project.root / "data" / "ledger.sqlite").exists()


def test_spend_needs_a_project(tmp_path):
    """Outside of any project there is no ledger to look at."""
    run = TinyProject(tmp_path).run("spend")
    assert_told_plainly(run, exit_code=2, names=["No project was found"])


def test_a_model_without_a_price_is_not_free(finished: TinyProject):
    """What unpriced calls cost is unknown; beside priced ones it is at least the sum of those."""
    spend = Spend(
        name="office/large",
        n_answers=2,
        n_faults=1,
        n_unpriced=2,
        n_maybe_charged=2,
        prompt_tokens=1000,
        cached_tokens=250,
        completion_tokens=70,
        cost_usd=Decimal(0),
        first_at="2026-03-01",
    )
    priced = Spend(
        name="office/small",
        n_answers=1,
        n_faults=0,
        n_unpriced=0,
        n_maybe_charged=1,
        prompt_tokens=0,
        cached_tokens=0,
        completion_tokens=0,
        cost_usd=Decimal("0.5"),
        first_at="2026-03-02",
    )
    console = Console(file=io.StringIO(), width=160)
    total = add_spends("total", (spend, priced))
    console.print(build_spend_table((spend, priced), total, by="model"))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for words in ("office/large", "1,000", "250", "unknown", "$0.50", "at least $0.50"):
        assert words in text


@pytest.mark.parametrize("by", ["hour", ""])
def test_an_unknown_sum_is_told(project: TinyProject, by: str):
    """Only what there is can be added up by."""
    assert project.run("spend", "--by", by).exit_code == 2
