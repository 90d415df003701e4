"""What one stage of a trial takes: a process of its own, which prints one JSON object.

The real asset runs in a real Dagster run, so the stages before it are loaded, its value is made, hashed and
written. Starting Python and loading the definitions is part of the peak, but not of the seconds.
"""

import json
import resource
import sys
import time
from pathlib import Path

from trial_project import BATCH, TASK

from llm_assets.core.ids import BatchKey
from llm_assets.defs.history import open_history
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.runs import TaskRunner
from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.batches import find_batch
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task

PREPARE = "prepare"
"""Not a stage: registers the batch and makes what is the same for all batches."""
STAND_IN = "stand_in"
"""Not a stage: made-up outputs, where asking for so many would take too long."""
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main(root: Path, stage: str) -> None:
    """Do one step of the trial in this folder."""
    project = Project(root=root)
    scope = build_scope(project, load_task(project, TASK), observers=())
    if stage == PREPARE:
        _prepare(scope)
    elif stage == STAND_IN:
        _write_stand_in(scope)
    else:
        print(json.dumps(_measure(scope, stage)))


def read_peak_mb() -> float:
    """The most memory this process ever held; Linux counts it in units of 1024 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _prepare(scope: TaskScope) -> None:
    with open_history(scope.project) as history:
        runner = TaskRunner(scope, history)
        runner.register([find_batch(scope.task, scope.project, BATCH)])
        problem = runner.ensure_schema().problem
    if problem is not None:
        sys.exit(problem)


def _write_stand_in(scope: TaskScope) -> None:
    from stand_in import write_stand_in_outputs

    write_stand_in_outputs(scope.project, TASK, BatchKey(BATCH))


def _measure(scope: TaskScope, stage: str) -> dict[str, float]:
    definitions = build_definitions(scope.project, [scope.task], observers=())
    with open_history(scope.project) as history:
        job = definitions.resolve_implicit_global_asset_job_def()
        begin_mb, begin_cpu_seconds, begin_seconds = read_peak_mb(), _read_cpu(), time.monotonic()
        job.execute_in_process(
            partition_key=BATCH,
            asset_selection=[scope.build_key(name) for name in stage.split("+")],
            instance=history,
            run_config=_QUIET,
        )
    return {
        "wall_seconds": round(time.monotonic() - begin_seconds, 2),
        "cpu_seconds": round(_read_cpu() - begin_cpu_seconds, 2),
        "peak_mb": round(read_peak_mb()),
        "growth_mb": round(read_peak_mb() - begin_mb),
    }


def _read_cpu() -> float:
    """Seconds of CPU this process has used, in all of its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
