from collections.abc import Generator
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.abandoned_runs import PROCESS_TAG, end_abandoned_runs, open_process_lock

POOL = "llm_api"
STARTED = dg.DagsterRunStatus.STARTED


@pytest.fixture
def history(tmp_path: Path) -> Generator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        yield instance


def start_run(history: dg.DagsterInstance, tags: dict[str, str]) -> str:
    run = dg.DagsterRun(job_name="notes_batch", status=STARTED, tags=tags)
    history.add_run(run)
    return run.run_id


def find_status(history: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = history.get_run_by_id(run_id)
    assert run is not None
    return run.status


def claim(history: dg.DagsterInstance, run_id: str) -> bool:
    return history.event_log_storage.claim_concurrency_slot(POOL, run_id, "step").is_claimed


def test_a_killed_process_gives_its_place_back(history: dg.DagsterInstance):
    """A started run whose process no longer holds its lock is marked as failed and its place in the pool is free."""
    with open_process_lock(history) as process:
        abandoned = start_run(history, {PROCESS_TAG: process})
        assert claim(history, abandoned)
    assert not claim(history, "another")
    end_abandoned_runs(history)
    assert find_status(history, abandoned) is dg.DagsterRunStatus.FAILURE
    assert claim(history, "another")


def test_a_living_process_keeps_its_place(history: dg.DagsterInstance):
    """A run whose process holds its lock is left alone."""
    with open_process_lock(history) as process:
        running = start_run(history, {PROCESS_TAG: process})
        assert claim(history, running)
        end_abandoned_runs(history)
        assert find_status(history, running) is STARTED
        assert not claim(history, "another")


def test_runs_of_others_are_left_alone(history: dg.DagsterInstance):
    """A run that Dagster launched by itself carries no lock, and its daemon watches over it."""
    launched = start_run(history, {})
    end_abandoned_runs(history)
    assert find_status(history, launched) is STARTED


def test_a_process_that_ends_well_leaves_no_lock(history: dg.DagsterInstance):
    """The lock's file is gone once the block is left, also by an interrupt."""

    def stop() -> None:
        with open_process_lock(history):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert list(Path(history.root_directory).rglob("*.lock")) == []
