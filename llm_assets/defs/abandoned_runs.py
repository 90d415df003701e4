"""Which runs ended with their process before they could say so, and hold places that others wait for?"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import dagster as dg
from filelock import FileLock, Timeout

PROCESS_TAG = "llm_assets/process"
"""Names the lock that a run's process holds while it lives."""
_UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@contextmanager
def open_process_lock(history: dg.DagsterInstance) -> Generator[str]:
    """Hold a lock that the operating system gives back whichever way this process ends; its name is a run's tag."""
    name = f"{os.getpid()}-{uuid4().hex}"
    path = _find_lock(history, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path):
            yield name
    finally:
        path.unlink(missing_ok=True)


def end_abandoned_runs(history: dg.DagsterInstance) -> None:
    """Mark the runs of killed processes as failed and give their places in the pool back.

    Dagster's daemon watches only the runs that it launched. A killed run of the command line would stay `started`
    and keep its place for good, and once all places are lost every later run would wait without end.
    """
    for run in history.get_runs(filters=dg.RunsFilter(statuses=list(_UNFINISHED))):
        name = run.tags.get(PROCESS_TAG)
        if name is None or _is_held(_find_lock(history, name)):
            continue
        history.report_run_failed(run, "The process of this run was killed; its answers are kept.")
        history.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        _find_lock(history, name).unlink(missing_ok=True)


def _find_lock(history: dg.DagsterInstance, name: str) -> Path:
    return Path(history.root_directory) / "llm_assets_processes" / f"{name}.lock"


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
