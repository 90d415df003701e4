"""Why items were not accepted, with equal causes put together."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import OUTCOMES, ItemOutput, Outcome

MAX_CAUSE_CHARS = 160
"""Longer reasons are compared by their beginning; what follows is mostly an excerpt of the answer."""

MAX_COMPARED_CHARS = 1_000
"""Read of a reason at all; a whole answer quoted in it would slow the search for quotes."""

_QUOTED = re.compile(r"""(?<!\w)'[^'\n]*'(?!\w)|"[^"\n]*"|`[^`\n]*`|“[^”\n]*”""")
_WORD_WITH_DIGIT = re.compile(r"(?<![\w-])[\w-]*\d(?:[\w-]|\.\w)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCause:
    """Items that failed in the same way."""

    outcome: Outcome
    step: StepName | None = None
    """The step that stopped them, where there are several."""
    text: str
    """The reason, with what differs between the items left open."""
    items: tuple[ItemOutput, ...]
    """In item order."""


def build_failure_causes(items: Iterable[ItemOutput]) -> tuple[FailureCause, ...]:
    """Every cause with its items, the most frequent cause first."""
    by_cause: dict[tuple[Outcome, StepName | None, str], list[ItemOutput]] = defaultdict(list)
    for item in items:
        if item.outcome != "accepted":
            text = build_cause_text(item.reason or "no reason given")
            by_cause[item.outcome, item.stopped_at, text].append(item)
    causes = [
        FailureCause(
            outcome=outcome, step=step, text=_restore_text(text, alike), items=tuple(alike)
        )
        for (outcome, step, text), alike in by_cause.items()
    ]
    return tuple(sorted(causes, key=_build_rank))


def build_cause_text(reason: str) -> str:
    """The reason without what belongs to one item: quoted parts, numbers and words with digits in them."""
    line = " ".join(reason[:MAX_COMPARED_CHARS].split())
    return _WORD_WITH_DIGIT.sub("#", _QUOTED.sub("…", line))[:MAX_CAUSE_CHARS]


def _restore_text(text: str, alike: list[ItemOutput]) -> str:
    """The reason itself where all items share it to the letter."""
    reasons = {item.reason for item in alike}
    return (reasons.pop() if len(reasons) == 1 else None) or text


def _build_rank(cause: FailureCause) -> tuple[int, int, str, str]:
    rank = OUTCOMES.index(cause.outcome)
    return (-len(cause.items), rank, cause.step or "", cause.text)
