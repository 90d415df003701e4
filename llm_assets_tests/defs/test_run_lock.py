from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.abandoned_runs import end_abandoned_runs
from llm_assets.defs.process_locks import PROCESS_TAG, is_held, is_released, open_process_lock
from llm_assets.defs.run_lock import RUN_LOCK, hold_run_lock, run_lock_resource

POOL = "llm_api"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def read_lock(history: dg.DagsterInstance, run_id: str) -> str | None:
    run = history.get_run_by_id(run_id)
    assert run is not None
    return run.tags.get(PROCESS_TAG)


def start_run(history: dg.DagsterInstance, tags: dict[str, str]) -> dg.DagsterRun:
    run = dg.DagsterRun(job_name="notes_batch", status=dg.DagsterRunStatus.STARTED, tags=tags)
    return history.add_run(run)


def test_a_run_of_dagster_holds_a_lock_of_its_own(history: dg.DagsterInstance):
    """While an asset is made the tag names a lock that is held; afterwards it names none and none is left."""
    seen: list[tuple[str, bool]] = []

    @dg.asset(resource_defs={RUN_LOCK: run_lock_resource})
    def outputs(context: dg.AssetExecutionContext) -> None:
        lock = read_lock(history, context.run.run_id) or ""
        seen.append((lock, is_held(lock)))

    done = dg.materialize([outputs], instance=history)
    ((lock, was_held),) = seen
    assert was_held
    assert is_released(lock)
    assert read_lock(history, done.run_id) == ""
    assert list(Path(history.root_directory).rglob("llm_assets_processes/*")) == []


def test_a_run_that_fails_gives_its_lock_back(history: dg.DagsterInstance):
    """However a run ends, its lock goes with it."""

    @dg.asset(resource_defs={RUN_LOCK: run_lock_resource})
    def outputs() -> None:
        raise dg.Failure("no")

    done = dg.materialize([outputs], instance=history, raise_on_error=False)
    assert read_lock(history, done.run_id) == ""
    assert list(Path(history.root_directory).rglob("llm_assets_processes/*")) == []


def test_the_lock_of_whoever_started_the_run_is_enough(history: dg.DagsterInstance):
    """A run of the command line keeps the tag that it was started with."""
    with open_process_lock(history) as lock:
        run = start_run(history, {PROCESS_TAG: lock})
        with hold_run_lock(history, run):
            assert read_lock(history, run.run_id) == lock
        assert read_lock(history, run.run_id) == lock


def test_a_tag_that_was_copied_is_replaced(history: dg.DagsterInstance):
    """A run started again as a copy of a killed one holds a lock of its own."""
    with open_process_lock(history) as gone:
        pass
    run = start_run(history, {PROCESS_TAG: gone})
    with hold_run_lock(history, run):
        lock = read_lock(history, run.run_id)
        assert lock != gone
        assert is_held(lock or "")


def test_the_next_run_frees_what_a_killed_one_holds(history: dg.DagsterInstance):
    """Before a run waits for its own place, those of killed runs are given back."""
    history.event_log_storage.set_concurrency_slots(POOL, 1)
    with open_process_lock(history) as lock:
        killed = start_run(history, {PROCESS_TAG: lock})
        assert history.event_log_storage.claim_concurrency_slot(POOL, killed.run_id, "s").is_claimed

    @dg.asset(resource_defs={RUN_LOCK: run_lock_resource}, pool=POOL)
    def outputs() -> None:
        pass

    assert dg.materialize([outputs], instance=history).success
    ended = history.get_run_by_id(killed.run_id)
    assert ended is not None
    assert ended.is_failure


def test_a_run_goes_on_where_no_lock_can_be_had(history: dg.DagsterInstance):
    """A home that takes no files is no reason to make nothing."""
    Path(history.root_directory, "llm_assets_processes").write_text("a file in the folder's place")
    run = start_run(history, {})
    with hold_run_lock(history, run):
        assert read_lock(history, run.run_id) is None
    end_abandoned_runs(history)
    latest = history.get_run_by_id(run.run_id)
    assert latest is not None
    assert not latest.is_finished


def test_a_history_in_memory_needs_no_lock():
    """No other process can see it."""
    with dg.DagsterInstance.ephemeral() as memory:
        run = start_run(memory, {})
        with hold_run_lock(memory, run):
            assert read_lock(memory, run.run_id) is None
