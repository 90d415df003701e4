"""Which call an item makes next, word for word."""

from llm_assets.core.answer_reading import Problem
from llm_assets.core.answers import ValidAnswer
from llm_assets.core.calls import CallRequest, Message
from llm_assets.core.fingerprint import render_json
from llm_assets.core.items import Item, build_names
from llm_assets.core.step import Judge, Step


def build_generate_request(
    step: Step, item: Item, *, number: int, problem: Problem | None, n_truncated: int
) -> CallRequest:
    """The call for attempt `number`; after a problem, the model sees what was wrong with the one before.

    `n_truncated` is how many answers were cut off so far: each of them doubles the cap, where there is one.
    """
    names = build_names(item, columns=step.columns, used=step.prompt.names)
    messages = step.prompt.render(names)
    if problem is not None and problem.echo:
        messages = (*messages, Message(role="assistant", content=problem.echo))
    if problem is not None and problem.feedback:
        messages = (*messages, Message(role="user", content=problem.feedback))
    return CallRequest(
        settings=step.settings,
        messages=messages,
        max_output_tokens=_decide_cap(step, n_truncated),
        attempt=number,
        epoch=item.epoch,
        occurrence=_decide_occurrence(step, item),
    )


def build_judge_request(
    step: Step, judge: Judge, item: Item, *, valid: ValidAnswer, number: int
) -> CallRequest:
    """The call that asks the judge about a valid answer; `number` counts its tries for one verdict."""
    names = build_names(item, columns=step.columns, used=judge.prompt.names)
    names |= {"output": valid.output, "output_json": render_json(valid.output)}
    return CallRequest(
        settings=judge.settings,
        messages=judge.prompt.render(names),
        max_output_tokens=judge.max_output_tokens,
        attempt=number,
        epoch=item.epoch,
        occurrence=_decide_occurrence(step, item),
    )


def _decide_cap(step: Step, n_truncated: int) -> int | None:
    first = step.max_output_tokens
    if first is None or n_truncated == 0:
        return first
    return step.attempts.max_output_tokens_on_retry or first * 2**n_truncated


def _decide_occurrence(step: Step, item: Item) -> int:
    return 0 if step.attempts.share_identical else item.work.occurrence
