"""Which runs ended with their process before they could say so, and hold places that others wait for?"""

from dataclasses import dataclass

import dagster as dg

from llm_assets.defs.process_locks import PROCESS_TAG, is_released, remove_lock

UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What killed processes had left."""

    n_runs: int
    """Runs that were under way only by name."""
    n_places: int
    """Places in pools that nobody used."""


def end_abandoned_runs(history: dg.DagsterInstance) -> Freed:
    """Mark the runs of killed processes as failed, and give back the places of all runs that are over.

    Dagster's daemon watches only the runs that it launched. A killed run of a command line would stay `started`
    and keep its place for good, and once all places are lost every later run would wait without end.
    """
    runs = history.get_runs(filters=dg.RunsFilter(statuses=list(UNFINISHED)))
    n_ended = sum(_end_if_abandoned(history, run) for run in runs)
    return Freed(n_runs=n_ended, n_places=_free_places(history))


def _end_if_abandoned(history: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    lock = run.tags.get(PROCESS_TAG)
    if not lock or not is_released(lock):
        return False
    # A lock is given back after its run has told its end, which may have been between the two looks.
    latest = history.get_run_by_id(run.run_id)
    if latest is None or latest.is_finished or latest.tags.get(PROCESS_TAG) != lock:
        return False
    history.report_run_failed(run, "The process of this run was killed; its answers are kept.")
    # A run that is started again as a copy gets the tags of this one.
    history.add_run_tags(run.run_id, {PROCESS_TAG: ""})
    remove_lock(lock)
    return True


def _free_places(history: dg.DagsterInstance) -> int:
    """Give back what runs hold that are over or were deleted, those that were waiting included."""
    storage = history.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return 0
    held: dict[str, set[str]] = {}
    for pool in storage.get_concurrency_infos(sorted(storage.get_concurrency_keys())).values():
        for slot in pool.claimed_slots:
            held.setdefault(slot.run_id, set()).add(slot.step_key)
        for step in pool.pending_steps:
            # A step that was given a place, and died before it took it, keeps it, too.
            steps = held.setdefault(step.run_id, set())
            steps |= {step.step_key} if step.assigned_timestamp else set()
    over = [run_id for run_id in held if _is_over(history, run_id)]
    for run_id in over:
        storage.free_concurrency_slots_for_run(run_id)
    return sum(len(held[run_id]) for run_id in over)


def _is_over(history: dg.DagsterInstance, run_id: str) -> bool:
    run = history.get_run_by_id(run_id)
    return run is None or run.is_finished
