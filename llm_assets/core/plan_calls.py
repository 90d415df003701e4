"""How many calls the due items of a run need, equal ones counted once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import CallKey, Sha256
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.items import Item, build_names
from llm_assets.core.plan_reasons import Reason
from llm_assets.core.step import Judge, Step

FRESH_REASONS: frozenset[Reason] = frozenset({"new", "row_changed", "group_changed", "forced"})
"""Of items whose next answer no judge can have seen before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """How many calls a run sends where every answer is accepted at once."""

    n_generate: int
    n_waiting: int
    """Verdicts on answers on record that the judge, as it is now, was not asked about."""
    n_following: int
    """Verdicts on the answers that come."""
    n_following_sure: int
    """Those that no verdict on record can spare: a model may give another prompt the answer it gave before."""
    n_failed: int
    """Calls of items that failed before; such an item may well fail again, with all of its attempts."""
    n_expected: int = 0
    """Of `n_generate`, those of steps that wait for an earlier one: one for each item that gets so far.

    Their words are not known yet. An item that gets no accepted output before takes none.
    """
    n_expected_sure: int = 0
    """Of these, those whose answers cannot be on record: an earlier step may answer what it answered before."""

    @property
    def n_judge(self) -> int:
        """All verdicts."""
        return self.n_waiting + self.n_following


def add_calls(parts: Sequence[CallCounts]) -> CallCounts:
    """The sums over several steps."""
    return CallCounts(
        **{name: sum(getattr(part, name) for part in parts) for name in CallCounts.__slots__}
    )


def expect_calls(step: Step, known: CallCounts, *, n_items: int, n_sure: int) -> CallCounts:
    """The counts of a step with those of items that wait for an earlier one, a verdict for each answer included."""
    return replace(
        known,
        n_generate=known.n_generate + n_items,
        n_following=known.n_following + (n_items if step.judge else 0),
        n_following_sure=known.n_following_sure + (n_sure if step.judge else 0),
        n_expected=n_items,
        n_expected_sure=n_sure,
    )


def count_calls(step: Step, due: Sequence[ReplayedItem], reasons: Sequence[Reason]) -> CallCounts:
    """Count the next calls of the due items, and a verdict for every answer that comes.

    `reasons` tells of each item why it needs its next call.
    """
    by_key = {state.next_key: why for state, why in zip(due, reasons, strict=True)}
    n_waiting = len({state.next_key for state in due if state.next_purpose == "judge"})
    followed = [] if step.judge is None else _list_verdicts(step, step.judge, due)
    return CallCounts(
        n_generate=len(by_key) - n_waiting,
        n_waiting=n_waiting,
        n_following=len(followed),
        n_following_sure=sum(by_key[key] in FRESH_REASONS for key in followed),
        n_failed=sum(why == "failed_before" for why in by_key.values()),
    )


def _list_verdicts(step: Step, judge: Judge, due: Sequence[ReplayedItem]) -> list[CallKey | None]:
    """For each verdict on an answer to come, the call that it comes from.

    Items that share a call may differ in what only the judge is shown of them; then each needs its own verdict.
    """
    asking = [state for state in due if state.next_purpose == "generate"]
    n_sharing = Counter(state.next_key for state in asking)
    verdicts = {
        (
            state.next_key,
            _build_likeness(step, judge, state.item) if n_sharing[state.next_key] > 1 else None,
        )
        for state in asking
    }
    return [key for key, _ in verdicts]


def _build_likeness(step: Step, judge: Judge, item: Item) -> Sha256:
    used = judge.prompt.names
    names = build_names(item, columns=step.columns, used=used)
    return fingerprint({name: value for name, value in names.items() if name in used})
