"""Whether budgets hold over real processes, and what a run says of them."""

import json
from decimal import Decimal

import pytest

from llm_assets_tests.end_to_end.call_record import read_call_sums
from llm_assets_tests.end_to_end.served_model import ServedModel, open_served_model
from llm_assets_tests.end_to_end.tiny_project import (
    CliRun,
    TinyProject,
    assert_told_plainly,
    build_project,
)

CONFIG = "configs/notes.yaml"
ENDPOINTS = "configs/endpoints.yaml"
PRICE = "\n    price: {input_usd: 10, output_usd: 40}"
WORST_CALL_USD = Decimal("0.025")
"""More than one call can cost at that price: its prompt's bytes and 100 tokens of an answer."""
N_RUNS = 4
N_ROWS = 60
BATCHES = ("july", "august", "september", "october")


def build_priced_project(
    root, served_model: ServedModel, *, budget: str, batches: tuple[str, ...] = BATCHES
) -> TinyProject:
    """Each batch in `data/notes` has rows of its own; every token has its price."""
    project = build_project(root, base_url=served_model.base_url)
    (project.root / "data/notes/may.csv").unlink()
    for batch in batches:
        rows = [
            (str(n), "lathe", f"Note {n} of {batch} about a lathe.", "x") for n in range(N_ROWS)
        ]
        project.write_table(f"data/notes/{batch}.csv", rows)
    project.write(ENDPOINTS, project.read(ENDPOINTS).rstrip("\n") + PRICE + "\n")
    project.edit(CONFIG, "temperature: 0\n", "temperature: 0\n  max_output_tokens: 100\n")
    project.write(CONFIG, f"{project.read(CONFIG)}budget:\n  {budget}\n")
    return project


def run_all_at_once(project: TinyProject) -> list[CliRun]:
    processes = [project.start("run", "notes", "--batch", batch, "--json") for batch in BATCHES]
    runs = []
    for process in processes:
        stdout, stderr = process.communicate(timeout=120)
        runs.append(CliRun(exit_code=process.returncode, stdout=stdout, stderr=stderr))
    return runs


def count(runs: list[CliRun], outcome: str) -> int:
    return sum(run.batch["outcomes"].get(outcome, 0) for run in runs)


@pytest.mark.slow
def test_four_runs_keep_within_one_day(tmp_path):
    """Four processes at once never pass the day's cap by a cent; once it is raised, the rest runs and nothing twice."""
    cap_usd = Decimal("0.40")
    with open_served_model() as served_model:
        project = build_priced_project(
            tmp_path / "project", served_model, budget=f"per_day_usd: {cap_usd}"
        )
        runs = run_all_at_once(project)
        sums = read_call_sums(project)
        assert cap_usd - WORST_CALL_USD < sums.cost_usd <= cap_usd
        assert sums.n_calls == served_model.count_requests() == count(runs, "accepted")
        assert count(runs, "accepted") + count(runs, "over_budget") == N_RUNS * N_ROWS
        assert count(runs, "over_budget") > 0
        for run in runs:
            assert run.exit_code == (3 if "over_budget" in run.batch["outcomes"] else 0), run.stderr

        left_out = next(run for run in runs if "over_budget" in run.batch["outcomes"])
        again = project.run("run", "notes", "--batch", left_out.batch["batch"], "--json")
        assert (again.exit_code, again.calls_sent) == (3, 0), again.stderr

        project.edit(CONFIG, f"per_day_usd: {cap_usd}", "per_day_usd: 100")
        last = run_all_at_once(project)
        assert [run.exit_code for run in last] == [0] * N_RUNS, [run.stderr for run in last]
        assert count(last, "accepted") == N_RUNS * N_ROWS
        assert served_model.count_requests() == N_RUNS * N_ROWS
        assert read_call_sums(project).n_calls == N_RUNS * N_ROWS


def test_what_a_run_leaves_out_runs_next_time(tmp_path, served_model: ServedModel):
    """A run stops sending at its cap with exit code 3 and a warning before, and the next ones go on from there."""
    cap_usd = Decimal("0.10")
    project = build_priced_project(
        tmp_path / "project", served_model, budget=f"per_run_usd: {cap_usd}", batches=("july",)
    )
    first = project.run("run", "notes")
    assert first.exit_code == 3, first.stderr
    warnings = [line for line in first.stderr.splitlines() if "warning" in line]
    (warning,) = [line for line in warnings if "check" not in line]
    assert "of the budget of 0.10 USD for a run is spent." in warning
    assert [line for line in warnings if "check within_budget" in line]
    spent = read_call_sums(project)
    assert cap_usd - WORST_CALL_USD < spent.cost_usd <= cap_usd
    export = project.read_export("july")
    left_out = [row for row in export if row["status"] == "over_budget"]
    assert len(export) == N_ROWS
    assert len(left_out) == N_ROWS - spent.n_calls
    assert all("0.10 USD for a run" in row["error"] for row in left_out)
    n_runs = 1
    while project.run("run", "notes").exit_code == 3:
        n_runs += 1
        assert read_call_sums(project).cost_usd <= cap_usd * n_runs
    assert read_call_sums(project).n_calls == N_ROWS
    assert {row["status"] for row in project.read_export("july")} == {"accepted"}


def test_failed_items_without_a_budget_are_exit_code_1(project: TinyProject):
    """Items that failed for other reasons than a budget keep their own exit code."""
    project.edit(CONFIG, "temperature: 0\n", "temperature: 0\n  max_output_tokens: 2\n")
    run = project.run("run", "notes", "--json")
    assert (run.exit_code, run.batch["outcomes"]) == (1, {"truncated": 6})


BROKEN_BUDGETS = {
    "a cap in dollars without a price": (
        "per_day_usd: 1",
        True,
        False,
        ["price", "per_run_tokens"],
    ),
    "a cap in dollars without an output cap": (
        "per_run_usd: 1",
        False,
        True,
        ["max_output_tokens"],
    ),
    "a cap in tokens without an output cap": (
        "per_run_tokens: 9",
        False,
        False,
        ["max_output_tokens"],
    ),
}


@pytest.mark.parametrize("case", BROKEN_BUDGETS)
def test_a_budget_that_cannot_be_kept(tmp_path, served_model: ServedModel, case: str):
    """It is told before the first call, with what to set."""
    budget, has_output_cap, has_price, names = BROKEN_BUDGETS[case]
    project = build_priced_project(
        tmp_path / "project", served_model, budget=budget, batches=("july",)
    )
    if not has_output_cap:
        project.edit(CONFIG, "  max_output_tokens: 100\n", "")
    if not has_price:
        served = {"served": {"base_url": served_model.base_url}}
        project.write(ENDPOINTS, json.dumps({"endpoints": served}))
    before = served_model.count_requests()
    assert_told_plainly(project.run("run", "notes"), exit_code=2, names=["budget", *names])
    assert served_model.count_requests() == before
