"""What comes of a long run against an endpoint that does everything wrong now and then."""

import runpy

import pytest

from llm_assets_tests.end_to_end.call_record import read_call_sums
from llm_assets_tests.end_to_end.served_model import open_served_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

N_ITEMS = 2000
TROUBLES = (
    "rate_limited=0.05,server_errors=0.03,resets=0.02,cut_bodies=0.02,hanging=0.02,"
    "invalid_json=0.02,refusals=0.01,cut_off=0.01,retry_after_seconds=0.05"
)
KIND_BY_TROUBLE = {
    "rate_limited": "rate_limited",
    "server_errors": "server_error",
    "resets": "unreachable",
    "cut_bodies": "broken_body",
    "hanging": "timed_out",
}
"""What each trouble of the transport is on record as."""
LIMITS = """\
  max_in_flight: 32
  timeout_seconds: 3
  fault_retries: 8
  backoff_seconds: 0.01
  max_backoff_seconds: 0.1
"""
CONFIG = "configs/notes.yaml"


@pytest.mark.slow
def test_every_item_ends_truly_and_the_ledger_agrees_with_the_server(tmp_path):
    """2,000 items through every trouble: all accepted or truly refused, and every call and token is accounted for."""
    with open_served_model(TROUBLES) as served_model:
        project = build_chaos_project(tmp_path / "project", served_model.base_url)
        run = project.run("run", "notes", "--json")
        tally = served_model.read_tally()
        assert run.exit_code == 1, run.stderr
        assert_troubles_met(tally["troubles"])
        assert_ledger_agrees(project, run.batch, tally)
        assert_ends_are_true(project, run.batch["outcomes"])

        again = project.run("run", "notes", "--json")
        n_refused = run.batch["outcomes"]["refused"]
        assert n_refused <= again.calls_sent <= 3 * n_refused
        assert_ledger_agrees(project, None, served_model.read_tally())


def build_chaos_project(root, base_url: str) -> TinyProject:
    rows = [(str(n), "lathe", f"Note number {n} is about the lathe.", "x") for n in range(N_ITEMS)]
    project = build_project(root, base_url=base_url, rows=rows)
    limits = "  max_in_flight: 4\n  backoff_seconds: 0.01\n"
    project.edit(CONFIG, limits, LIMITS)
    return project


def assert_troubles_met(troubles: dict[str, int]) -> None:
    wanted = {*KIND_BY_TROUBLE, "invalid_json", "refusals", "cut_off"}
    assert {name for name, count in troubles.items() if count >= N_ITEMS / 200} == wanted


def assert_ledger_agrees(project: TinyProject, batch, tally) -> None:
    """Every request that the server saw is on record as what it was, with the tokens that it counted."""
    sums = read_call_sums(project)
    troubles = tally["troubles"]
    assert sums.n_calls == tally["n_requests"]
    assert sums.n_answered == tally["n_answered"]
    assert sums.prompt_tokens == tally["prompt_tokens"]
    assert sums.completion_tokens == tally["completion_tokens"]
    assert sums.n_by_fault == {kind: troubles[name] for name, kind in KIND_BY_TROUBLE.items()}
    if batch is not None:
        assert batch["calls_sent"] == sums.n_calls
        tokens = {"prompt": sums.prompt_tokens, "completion": sums.completion_tokens, "cached": 0}
        assert batch["tokens"] == tokens


def assert_ends_are_true(project: TinyProject, outcomes: dict[str, int]) -> None:
    """What is accepted is valid and whole; what is not says why; nobody is missing."""
    assert sum(outcomes.values()) == N_ITEMS
    assert set(outcomes) == {"accepted", "refused"}
    records = project.read_records("llm_outputs")
    model = runpy.run_path(str(project.root / "configs/schemas/notes.py"))["LLMOutput"]
    assert len(records) == N_ITEMS
    for record in records:
        last = record["attempts"][-1]
        if record["outcome"] == "accepted":
            model.model_validate(record["output"], strict=True)
            assert (last["finish_reason"], last["problem"]) == ("stop", None)
            assert not any(attempt["is_repaired"] for attempt in record["attempts"])
        else:
            assert record["output"] is None
            assert record["reason"].startswith("The model refused")
    assert_export_is_whole(project, outcomes)


def assert_export_is_whole(project: TinyProject, outcomes: dict[str, int]) -> None:
    export = project.read_export()
    assert [row["id"] for row in export] == [str(n) for n in range(N_ITEMS)]
    for row in export:
        assert bool(row["summary"]) is (row["status"] == "accepted")
    assert sum(row["status"] == "accepted" for row in export) == outcomes["accepted"]
