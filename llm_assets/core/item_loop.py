"""What happens next to an item, given the answers it already has.

An item's whole life is a function of the answers to its calls: ask, validate, ask again with what was wrong.
Nothing here sends, reads or writes. Whoever drives the loop looks an asked call up in the ledger, sends it, or
merely counts it, so that an interrupted run, a re-run, a plan and a first run are all the same code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, assert_never

from pydantic import BaseModel

from llm_assets.config.task import AttemptSettings
from llm_assets.core.answers import InvalidAnswer, ValidAnswer, parse_answer
from llm_assets.core.calls import Answer, CallRequest, CallSettings, Fault, Message, Purpose
from llm_assets.core.context import render_row_block
from llm_assets.core.ids import CallKey
from llm_assets.core.llm_outputs import Attempt, ItemOutput, Outcome
from llm_assets.core.prompts import Prompt
from llm_assets.core.work_items import WorkItem

FEEDBACK_INVALID = (
    "Your answer was not accepted: {problem}\n"
    "Answer again with one JSON object that follows the schema, and nothing else."
)
FEEDBACK_TRUNCATED = (
    "Your answer was cut off. Answer again, more briefly, with the complete JSON object."
)
MAX_ECHO_CHARS = 4000
"""A longer wrong answer is shown to the model only up to here: its end teaches nothing and costs tokens."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Everything about one kind of model call that is the same for all items."""

    prompt: Prompt
    columns: tuple[str, ...]
    """The columns of a row in the order in which it is written out."""
    schema_text: str
    """What prompts know as `llm_schema`."""
    settings: CallSettings
    output_model: type[BaseModel]
    attempts: AttemptSettings
    max_output_tokens: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A work item with what its prompt can name."""

    work: WorkItem
    group_context: str | None
    epoch: int
    """How often this item was forced to ask anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The next call this item needs."""

    request: CallRequest
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The item's end."""

    output: ItemOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """Why an answer was not accepted, and what the next attempt says about it."""

    outcome: Literal["invalid", "truncated", "refused"]
    text: str
    echo: str
    feedback: str


def advance(step: Step, item: Item, answers: Sequence[Answer], *, n_known: int) -> Ask | Done:
    """Decide an item's next call or its end.

    Args:
        step: What is asked of every item.
        item: The item.
        answers: The answers to this item's calls so far, in the order in which they were asked for.
        n_known: How many of them were in the ledger before this run. A run gives an item whose attempts are
            used up a fresh set, numbered on, unless the settings leave failed items alone.
    """
    tried: list[Attempt] = []
    problem: _Problem | None = None
    for number, answer in enumerate(answers, start=1):
        judged = _judge_answer(step, answer)
        if isinstance(judged, ValidAnswer):
            tried.append(_record(answer, number, problem=None, is_repaired=judged.is_repaired))
            return Done(output=_build_accepted(item, answer, judged, tried))
        problem = judged
        tried.append(_record(answer, number, problem=judged.text, is_repaired=False))
    if problem is not None and not _may_ask_again(step.attempts, problem, len(answers), n_known):
        return Done(output=_build_end(item, problem.outcome, problem.text, tried))
    return Ask(request=_build_request(step, item, len(answers) + 1, problem), purpose="generate")


def build_fault_output(
    step: Step, item: Item, answers: Sequence[Answer], *, key: CallKey, fault: Fault
) -> ItemOutput:
    """The end of an item whose next call brought no answer, however often it was sent."""
    tried: list[Attempt] = []
    for number, answer in enumerate(answers, start=1):
        judged = _judge_answer(step, answer)
        text = None if isinstance(judged, ValidAnswer) else judged.text
        tried.append(_record(answer, number, problem=text, is_repaired=False))
    tried.append(_record_fault(key, len(tried) + 1, fault))
    return _build_end(item, "failed", fault.message, tried)


def assign_output(output: ItemOutput, work: WorkItem) -> ItemOutput:
    """The same end for another item whose calls are the same calls."""
    return replace(
        output,
        work_id=work.work_id,
        row_ids=work.row_ids,
        group_key=work.group_key,
        group_context_id=work.group_context_id,
    )


def _may_ask_again(
    attempts: AttemptSettings, problem: _Problem, n_answers: int, n_known: int
) -> bool:
    is_fresh = n_answers > n_known
    if problem.outcome == "refused" and (is_fresh or not attempts.retry_failed):
        return False  # the same words would be refused again; a later run may try a later model
    if not attempts.retry_failed:
        return n_answers < attempts.attempts
    n_used_up = n_known // attempts.attempts
    return n_answers < (n_used_up + 1) * attempts.attempts


def _judge_answer(step: Step, answer: Answer) -> ValidAnswer | _Problem:
    """How it ended comes first: what was cut off or refused is never parsed."""
    if answer.finish_reason == "length":
        return _Problem(
            outcome="truncated",
            text="The answer was cut off at the output cap.",
            echo="",
            feedback="" if step.max_output_tokens else FEEDBACK_TRUNCATED,
        )
    if answer.refusal or answer.finish_reason == "content_filter":
        reason = answer.refusal or "the provider's content filter stopped it"
        return _Problem(
            outcome="refused", text=f"The model refused: {reason}", echo="", feedback=""
        )
    parsed = parse_answer(answer.text or "", step.output_model)
    match parsed:
        case ValidAnswer():
            return parsed
        case InvalidAnswer(problem=text):
            feedback = FEEDBACK_INVALID.format(problem=text)
            echo = (answer.text or "")[:MAX_ECHO_CHARS]
            return _Problem(outcome="invalid", text=text, echo=echo, feedback=feedback)
        case _:
            assert_never(parsed)


def _build_request(step: Step, item: Item, number: int, problem: _Problem | None) -> CallRequest:
    messages = step.prompt.render(_build_names(step, item))
    if problem is not None and problem.echo:
        messages = (*messages, Message(role="assistant", content=problem.echo))
    if problem is not None and problem.feedback:
        messages = (*messages, Message(role="user", content=problem.feedback))
    request = CallRequest(
        settings=step.settings,
        messages=messages,
        max_output_tokens=step.max_output_tokens,
        attempt=number,
        epoch=item.epoch,
        occurrence=0 if step.attempts.share_identical else item.work.occurrence,
    )
    if problem is not None and problem.outcome == "truncated" and step.max_output_tokens:
        larger = step.attempts.max_output_tokens_on_retry or 2 * step.max_output_tokens
        return replace(request, max_output_tokens=larger)
    return request


def _build_names(step: Step, item: Item) -> dict[str, object]:
    """The values of the names a prompt may use."""
    work = item.work
    names: dict[str, object] = {**work.values, "row": work.values}
    if "row_block" in step.prompt.names:
        names["row_block"] = render_row_block(work.values, step.columns)
    if work.group_key is not None:
        names |= {"group_key": work.group_key, "group_context": item.group_context}
    return names


def _record(answer: Answer, number: int, *, problem: str | None, is_repaired: bool) -> Attempt:
    return Attempt(
        number=number,
        purpose="generate",
        call_key=answer.key,
        finish_reason=answer.finish_reason,
        problem=problem,
        is_repaired=is_repaired,
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
        cached_tokens=answer.usage.cached_tokens,
        is_approximate=answer.usage.is_approximate,
        cost_usd=answer.cost_usd,
        answered_at=answer.answered_at,
    )


def _record_fault(key: CallKey, number: int, fault: Fault) -> Attempt:
    return Attempt(
        number=number,
        purpose="generate",
        call_key=key,
        finish_reason=None,
        problem=fault.message,
        is_repaired=False,
        prompt_tokens=0,
        completion_tokens=0,
        cached_tokens=0,
        is_approximate=False,
        # A provider may charge for an answer that we stopped waiting for; it charges for no other fault.
        cost_usd=None if fault.kind == "timed_out" else Decimal(0),
        answered_at=None,
    )


def _build_accepted(
    item: Item, answer: Answer, valid: ValidAnswer, tried: list[Attempt]
) -> ItemOutput:
    end = _build_end(item, "accepted", None, tried)
    return replace(end, output=valid.output, accepted_at=answer.answered_at)


def _build_end(
    item: Item, outcome: Outcome, reason: str | None, tried: list[Attempt]
) -> ItemOutput:
    return ItemOutput(
        work_id=item.work.work_id,
        row_ids=item.work.row_ids,
        group_key=item.work.group_key,
        group_context_id=item.work.group_context_id,
        outcome=outcome,
        output=None,
        reason=reason,
        attempts=tuple(tried),
        accepted_at=None,
    )
