"""What each of several steps did and took, drawn from the joined outputs."""

from collections.abc import Sequence
from dataclasses import replace

from llm_assets.core.chain_outputs import list_step_attempts
from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import Attempt, ItemOutput, LLMOutputs, Outcome, Totals
from llm_assets.core.report_judge import JudgeResults, build_judge_results
from llm_assets.core.values import FrozenModel


class StepReport(FrozenModel):
    """One step in a report."""

    name: StepName
    after: tuple[StepName, ...]
    model: str
    prompt_path: str
    totals: Totals
    """Of all items, those that never got so far included as `blocked`."""
    n_stopped: int
    """Items that this step stopped."""
    judge: JudgeResults | None
    """None where the step has no judge."""


def build_step_reports(outputs: LLMOutputs) -> tuple[StepReport, ...]:
    """The steps in the order in which they run; none where the outputs are those of one step."""
    return tuple(
        StepReport(
            name=account.name,
            after=account.after,
            model=account.made.model,
            prompt_path=account.made.prompt_path,
            totals=account.made.totals,
            n_stopped=sum(record.stopped_at == account.name for record in outputs.records),
            judge=build_judge_results(
                [_take_step(record, account.name) for record in outputs.records], account.made
            ),
        )
        for account in outputs.meta.steps
    )


def _take_step(record: ItemOutput, name: StepName) -> ItemOutput:
    """What became of an item in one step, as far as its judge is concerned."""
    attempts = list_step_attempts(record, name)
    outcome = record.outcome if record.stopped_at == name else _decide_outcome(attempts)
    return replace(record, outcome=outcome, attempts=attempts)


def _decide_outcome(attempts: Sequence[Attempt]) -> Outcome:
    """How an item ended in a judged step that is not the first one to have stopped it."""
    if any(attempt.verdict for attempt in attempts):
        return "accepted"
    return "rejected" if attempts and attempts[-1].verdict is False else "blocked"
