"""How does a run that calls models show that its process lives, whoever launched it?"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress

import dagster as dg

from llm_assets.defs.abandoned_runs import end_abandoned_runs
from llm_assets.defs.process_locks import PROCESS_TAG, is_held, open_process_lock

RUN_LOCK = "llm_assets_run_lock"
"""The resource's name; it is bound to the assets that need it, so no project has to know it."""


@dg.resource(
    description="Shows that the process of a run lives, so that a killed one frees its place."
)
def run_lock_resource(context: dg.InitResourceContext) -> Generator[None]:
    """Held while the run goes on.

    Resources are there before a step waits for its place in a pool: a process that is killed while it waits
    would otherwise be given a place later on, and keep it.
    """
    if context.instance is None or context.run is None:
        yield  # a value is loaded outside of any run
        return
    with hold_run_lock(context.instance, context.run):
        yield


@contextmanager
def hold_run_lock(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Generator[None]:
    """Hold a lock that the run's tag names, and free first what killed runs have left.

    Where the process that started the run holds one, or no other process can see the history, nothing is done.
    Where no lock can be had, the run goes on without.
    """
    if instance.is_ephemeral or _has_lock(instance, run):
        yield
        return
    end_abandoned_runs(instance)
    with ExitStack() as stack:
        with suppress(OSError):
            lock = stack.enter_context(open_process_lock(instance))
            instance.add_run_tags(run.run_id, {PROCESS_TAG: lock})
            # The lock goes before the run may have told its end, so it must not be looked for any more.
            stack.callback(instance.add_run_tags, run.run_id, {PROCESS_TAG: ""})
        yield


def _has_lock(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    latest = instance.get_run_by_id(run.run_id)
    lock = latest.tags.get(PROCESS_TAG) if latest else None
    return bool(lock) and is_held(str(lock))
