"""What an answer is worth: valid, or why not and what the next attempt is told about it."""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from pydantic import BaseModel

from llm_assets.core.answers import InvalidAnswer, ValidAnswer, parse_answer
from llm_assets.core.calls import Answer
from llm_assets.core.step import Judge
from llm_assets.core.text_answers import parse_text_answer
from llm_assets.core.text_form import RecordField

FEEDBACK_INVALID = (
    "Your answer was not accepted: {problem}\n"
    "Answer again with one JSON object that follows the schema, and nothing else."
)
FEEDBACK_REJECTED = (
    "Your answer was checked and rejected: {problem}\n"
    "Answer again, with that mended, with one JSON object that follows the schema, and nothing else."
)
FEEDBACK_TRUNCATED = (
    "Your answer was cut off. Answer again, more briefly, with the complete JSON object."
)
TEXT_FEEDBACK_INVALID = (
    "Your answer was not accepted: {problem}\n"
    "Answer again in the form that was asked for, complete, and with nothing else."
)
TEXT_FEEDBACK_REJECTED = (
    "Your answer was checked and rejected: {problem}\n"
    "Answer again, with that mended, in the form that was asked for, and with nothing else."
)
TEXT_FEEDBACK_TRUNCATED = "Your answer was cut off. Answer again, more briefly, but completely."
MAX_ECHO_CHARS = 4000
"""A longer wrong answer is shown to the model only up to here: its end teaches nothing and costs tokens."""
MAX_REASON_CHARS = 2000
"""So much of the judge's reason reaches the next attempt; the record has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why an answer was not accepted, and what the next attempt says about it."""

    outcome: Literal["invalid", "truncated", "refused", "rejected", "failed"]
    text: str
    echo: str = ""
    """The answer as the model is shown it again; none where that would teach nothing."""
    feedback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the judge said of a valid answer."""

    is_accepted: bool
    reason: str
    output: ValidAnswer


def read_generated(
    answer: Answer,
    output_model: type[BaseModel],
    *,
    has_cap: bool,
    text_form: RecordField | None = None,
) -> ValidAnswer | Problem:
    """Judge how an answer ended first: what was cut off or refused is never parsed.

    `has_cap` tells that a larger cap is the remedy for a cut-off answer, and not a shorter answer. `text_form` is
    what is taken from a text answer; without it the answer has to be JSON.
    """
    if answer.finish_reason == "length":
        return Problem(
            outcome="truncated",
            text="The answer was cut off at the output cap.",
            feedback=""
            if has_cap
            else TEXT_FEEDBACK_TRUNCATED
            if text_form
            else FEEDBACK_TRUNCATED,
        )
    if answer.refusal or answer.finish_reason == "content_filter":
        reason = answer.refusal or "the provider's content filter stopped it"
        return Problem(outcome="refused", text=f"The model refused: {reason}")
    text = answer.text or ""
    if text_form is None:
        parsed, feedback = parse_answer(text, output_model), FEEDBACK_INVALID
    else:
        parsed = parse_text_answer(text, text_form, output_model)
        feedback = TEXT_FEEDBACK_INVALID
    match parsed:
        case ValidAnswer():
            return parsed
        case InvalidAnswer(problem=problem):
            return Problem(
                outcome="invalid",
                text=problem,
                echo=text[:MAX_ECHO_CHARS],
                feedback=feedback.format(problem=problem),
            )
        case _:
            assert_never(parsed)


def read_verdict(answer: Answer, judge: Judge) -> Verdict | Problem:
    """The judge's verdict, or why its answer is none. The latter says nothing about the item."""
    has_cap = judge.max_output_tokens is not None
    read = read_generated(answer, judge.verdict_model, has_cap=has_cap)
    if isinstance(read, Problem):
        return replace(read, outcome="failed", text=f"The judge gave no verdict: {read.text}")
    is_accepted = read.output[judge.rules.verdict_field]
    if not isinstance(is_accepted, bool):  # its model allows null
        text = f"The judge gave no verdict: `{judge.rules.verdict_field}` is empty."
        return Problem(outcome="failed", text=text)
    return Verdict(
        is_accepted=is_accepted,
        reason=str(read.output.get(judge.rules.reason_field) or "no reason given"),
        output=read,
    )


def build_objection(answer: Answer, reason: str, *, is_text: bool) -> Problem:
    """What a valid answer that a check does not accept means: it is asked for again like an invalid one."""
    feedback = TEXT_FEEDBACK_INVALID if is_text else FEEDBACK_INVALID
    return Problem(
        outcome="invalid",
        text=reason,
        echo=(answer.text or "")[:MAX_ECHO_CHARS],
        feedback=feedback.format(problem=reason[:MAX_REASON_CHARS]),
    )


def build_rejection(answer: Answer, reason: str, *, is_text: bool) -> Problem:
    """What a valid answer that the judge rejected means for the next attempt."""
    feedback = TEXT_FEEDBACK_REJECTED if is_text else FEEDBACK_REJECTED
    return Problem(
        outcome="rejected",
        text=reason,
        echo=(answer.text or "")[:MAX_ECHO_CHARS],
        feedback=feedback.format(problem=reason[:MAX_REASON_CHARS]),
    )
