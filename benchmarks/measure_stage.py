"""What stages of a trial take: a process of its own, which prints one JSON object.

The real assets run in a real Dagster run, so the stages before them are loaded, their values are made, hashed
and written. Starting Python and loading the definitions is part of the peak, but not of the seconds.
"""

import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
from trial_project import BATCH, TASK

from llm_assets.core.ids import BatchKey
from llm_assets.defs.history import open_history
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task

PREPARE = "prepare"
"""Not a stage: makes the batch known, and what is the same for all batches."""
STAND_IN = "stand_in"
"""Not a stage: made-up outputs, where asking for so many would take too long."""
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main(root: Path, stages: Sequence[str]) -> None:
    """Do one step of the trial in this folder; several stages are measured as one run."""
    project = Project(root=root)
    scope = build_scope(project, load_task(project, TASK), observers=())
    if stages == [STAND_IN]:
        _write_stand_in(project)
        return
    with open_history(project) as history:
        if stages == [PREPARE]:
            history.add_dynamic_partitions(str(scope.batches.name), [BATCH])
            _materialize(scope, history, stages=("schema", "schema_text"), batch=None)
        else:
            print(json.dumps(_measure(scope, history, stages)))


def _write_stand_in(project: Project) -> None:
    from stand_in import write_stand_in_outputs

    write_stand_in_outputs(project, TASK, BatchKey(BATCH))


def _measure(
    scope: TaskScope, history: dg.DagsterInstance, stages: Sequence[str]
) -> dict[str, float]:
    begin_mb, begin_cpu_seconds, begin_seconds = _read_peak_mb(), _read_cpu(), time.monotonic()
    _materialize(scope, history, stages=stages, batch=BATCH)
    return {
        "wall_seconds": round(time.monotonic() - begin_seconds, 2),
        "cpu_seconds": round(_read_cpu() - begin_cpu_seconds, 2),
        "peak_mb": round(_read_peak_mb()),
        "growth_mb": round(_read_peak_mb() - begin_mb),
    }


def _materialize(
    scope: TaskScope, history: dg.DagsterInstance, *, stages: Sequence[str], batch: str | None
) -> None:
    definitions = build_definitions(scope.project, [scope.task], observers=())
    definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        partition_key=batch,
        asset_selection=[scope.build_key(stage) for stage in stages],
        instance=history,
        run_config=_QUIET,
    )


def _read_cpu() -> float:
    """Seconds of CPU this process has used, in all of its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _read_peak_mb() -> float:
    """The most memory this process ever held; Linux counts it in units of 1024 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
