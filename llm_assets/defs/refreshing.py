"""How a whole task is brought up to date from within Dagster."""

from dataclasses import replace

import dagster as dg

from llm_assets.core.status_text import render_batch
from llm_assets.defs.observing import LogObserver
from llm_assets.defs.publishing import stop_plainly
from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.batches import list_batches


def build_refresh_job(scope: TaskScope) -> dg.JobDefinition:
    """The job that does what `llm-assets run TASK --stale` does; each batch has runs of its own besides."""

    @dg.op(
        name=f"{scope.task.name}_bring_up_to_date",
        description="Makes anew what is stale, missing or failed, batch by batch, and nothing else.",
    )
    def bring_up_to_date(context: dg.OpExecutionContext) -> None:
        with stop_plainly():
            refresh_task(replace(scope, observers=[LogObserver(context.log)]), context)

    @dg.job(
        name=f"{scope.task.name}_refresh",
        description="Brings everything up to date. **This may cost money.**",
        executor_def=dg.in_process_executor,
        tags=scope.tags,
    )
    def refresh() -> None:
        bring_up_to_date()

    return refresh


def refresh_task(scope: TaskScope, context: dg.OpExecutionContext) -> None:
    """Bring what batches share, every batch and the overview up to date; `Failure` names what stopped."""
    from llm_assets.defs.runs import (
        open_task_runner,
    )  # it builds the definitions that this is part of

    problems: list[str] = []
    with open_task_runner(scope, context.instance) as runner:
        runner.register(list_batches(scope.task, scope.project))
        if (end := runner.ensure_schema()).problem is not None:
            raise dg.Failure(description=end.problem, allow_retries=False)
        if end.stages:
            context.log.info("Made what batches share: %s.", ", ".join(end.stages))
        due = [batch for batch in runner.read_status().batches if batch.is_due]
        if not due:
            context.log.info("No batch has anything that is stale, missing or failed.")
        for batch in due:
            context.log.info(render_batch(batch))
            end = runner.refresh_batch(batch.batch)
            context.log.info("%s: made %s.", batch.batch, ", ".join(end.stages) or "nothing")
            problems += [] if end.problem is None else [f"{batch.batch}: {end.problem}"]
            if end.is_endpoint_lost:
                break
        runner.refresh_overview()
    if problems:
        raise dg.Failure(description="\n".join(problems), allow_retries=False)
