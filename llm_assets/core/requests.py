"""Which call an item makes next, word for word."""

from dataclasses import replace

from llm_assets.config.images import ImageSettings
from llm_assets.core.answer_reading import Problem
from llm_assets.core.answers import ValidAnswer
from llm_assets.core.calls import CallRequest, Message
from llm_assets.core.fingerprint import render_json
from llm_assets.core.images import build_parts
from llm_assets.core.items import Item, build_names
from llm_assets.core.step import Judge, Step


def build_generate_request(
    step: Step, item: Item, *, number: int, problem: Problem | None, n_truncated: int
) -> CallRequest:
    """The call for attempt `number`; after a problem, the model sees what was wrong with the one before.

    `n_truncated` is how many answers were cut off so far: each of them doubles the cap, where there is one.
    """
    names = build_names(item, columns=step.columns, used=step.prompt.names)
    return CallRequest(
        settings=step.settings,
        messages=_add_feedback(_show(item, step.prompt.render(names), step.images), problem),
        max_output_tokens=_decide_cap(
            step.max_output_tokens, n_truncated, on_retry=step.attempts.max_output_tokens_on_retry
        ),
        attempt=number,
        epoch=item.epoch,
        occurrence=_decide_occurrence(step, item),
    )


def build_judge_request(
    step: Step,
    judge: Judge,
    item: Item,
    *,
    valid: ValidAnswer,
    number: int,
    problem: Problem | None,
    n_truncated: int,
) -> CallRequest:
    """The call that asks the judge about a valid answer; `number` counts its tries for one verdict.

    After a try that brought none, the judge sees what was wrong with it, as a model that answers does.
    """
    names = build_names(item, columns=step.columns, used=judge.prompt.names)
    names |= {"output": valid.output, "output_json": render_json(valid.output)}
    return CallRequest(
        settings=judge.settings,
        messages=_add_feedback(_show(item, judge.prompt.render(names), judge.images), problem),
        max_output_tokens=_decide_cap(judge.max_output_tokens, n_truncated, on_retry=None),
        attempt=number,
        epoch=item.epoch,
        occurrence=_decide_occurrence(step, item),
    )


def _show(
    item: Item, messages: tuple[Message, ...], settings: ImageSettings | None
) -> tuple[Message, ...]:
    """The prompt, with the item's pictures in its last turn."""
    if settings is None or not item.work.images:
        return messages
    *before, last = messages
    return (*before, replace(last, images=build_parts(item.work.images, settings.detail)))


def _add_feedback(messages: tuple[Message, ...], problem: Problem | None) -> tuple[Message, ...]:
    """The prompt, and after it what was wrong with the answer before."""
    if problem is not None and problem.echo:
        messages = (*messages, Message(role="assistant", content=problem.echo))
    if problem is not None and problem.feedback:
        messages = (*messages, Message(role="user", content=problem.feedback))
    return messages


def _decide_cap(first: int | None, n_truncated: int, *, on_retry: int | None) -> int | None:
    if n_truncated == 0:
        return first
    return on_retry or (None if first is None else first * 2**n_truncated)


def _decide_occurrence(step: Step, item: Item) -> int:
    return 0 if step.attempts.share_identical else item.work.occurrence
