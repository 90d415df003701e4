from collections.abc import Generator
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.abandoned_runs import Freed, end_abandoned_runs
from llm_assets.defs.process_locks import PROCESS_TAG, open_process_lock

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
    assert end_abandoned_runs(history).n_runs == 1
    assert find_status(history, abandoned) is dg.DagsterRunStatus.FAILURE
    assert claim(history, "another")


def test_a_living_process_keeps_its_place(history: dg.DagsterInstance):
    """A run whose process holds its lock is left alone."""
    with open_process_lock(history) as process:
        running = start_run(history, {PROCESS_TAG: process})
        assert claim(history, running)
        assert end_abandoned_runs(history) == Freed(n_runs=0, n_places=0)
        assert find_status(history, running) is STARTED
        assert not claim(history, "another")


def test_runs_of_others_are_left_alone(history: dg.DagsterInstance):
    """A run that Dagster launched by itself carries no lock, and its daemon watches over it."""
    launched = start_run(history, {})
    end_abandoned_runs(history)
    assert find_status(history, launched) is STARTED


def test_a_run_of_another_machine_is_left_alone(history: dg.DagsterInstance):
    """A lock that is missing here says nothing of a process that lives elsewhere."""
    with open_process_lock(history) as process:
        path = process.partition(":")[2]
    elsewhere = start_run(history, {PROCESS_TAG: f"another-machine:{path}"})
    assert claim(history, elsewhere)
    assert end_abandoned_runs(history) == Freed(n_runs=0, n_places=0)
    assert find_status(history, elsewhere) is STARTED


def test_a_run_that_gave_its_lock_back_is_left_alone(history: dg.DagsterInstance):
    """A run may go on after the part of it that was watched."""
    going_on = start_run(history, {PROCESS_TAG: ""})
    end_abandoned_runs(history)
    assert find_status(history, going_on) is STARTED


def test_a_copy_of_a_killed_run_is_not_taken_for_it(history: dg.DagsterInstance):
    """Once a run has been ended its tag names no lock, so a run that inherits its tags is not ended with it."""
    with open_process_lock(history) as process:
        abandoned = start_run(history, {PROCESS_TAG: process})
    end_abandoned_runs(history)
    run = history.get_run_by_id(abandoned)
    assert run is not None
    again = start_run(history, dict(run.tags))
    end_abandoned_runs(history)
    assert find_status(history, again) is STARTED


def test_a_process_that_died_waiting_takes_no_place(history: dg.DagsterInstance):
    """A step in the queue is given the next place whether or not anybody still waits there; it is taken out."""
    with open_process_lock(history) as process:
        working = start_run(history, {})
        waiting = start_run(history, {PROCESS_TAG: process})
        assert claim(history, working)
        assert not claim(history, waiting)
    assert end_abandoned_runs(history) == Freed(n_runs=1, n_places=0)
    history.event_log_storage.free_concurrency_slots_for_run(working)
    assert claim(history, "another")


def test_a_run_that_is_over_keeps_no_place(history: dg.DagsterInstance):
    """A run that somebody ended by force, without its process having given the place back."""
    run_id = start_run(history, {})
    assert claim(history, run_id)
    run = history.get_run_by_id(run_id)
    assert run is not None
    history.report_run_canceled(run)
    assert end_abandoned_runs(history) == Freed(n_runs=0, n_places=1)
    assert claim(history, "another")


def test_a_process_that_ends_well_leaves_no_lock(history: dg.DagsterInstance):
    """The lock's file is gone once the block is left, also by an interrupt."""

    def stop() -> None:
        with open_process_lock(history):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert list(Path(history.root_directory).rglob("*.lock")) == []
