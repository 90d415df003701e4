"""What is different between two sides: tasks that share their input, batches of one task, or two states of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from llm_assets.core.compared_sides import (
    ComparedSide,
    MadeWith,
    Side,
    build_side,
    list_made_with,
)
from llm_assets.core.differences import Difference, build_mean_difference, build_share_difference
from llm_assets.core.field_differences import (
    FieldDifference,
    Place,
    build_field_differences,
    build_place,
    is_accepted_by_both,
    is_same,
    list_values,
)
from llm_assets.core.ids import BatchKey
from llm_assets.core.intervals import Interval, wilson_interval
from llm_assets.core.item_pairs import ItemPair, Matching, match_items_of
from llm_assets.core.item_sums import count_item_attempts, sum_item_cost, sum_item_tokens
from llm_assets.core.llm_outputs import OUTCOMES, Outcome
from llm_assets.core.values import FrozenModel

MAX_ALONE = 10
"""Items of one side alone that are named."""
MAX_CHANGED = 200
"""Items that differ and are named."""


class StatusPair(FrozenModel):
    """How many pairs ended in these two ways."""

    outcome_a: Outcome
    outcome_b: Outcome
    n_items: int


class ChangedItem(FrozenModel):
    """A pair that ended differently, or whose outputs differ in a field that both sides have."""

    place: Place
    outcome_a: Outcome
    outcome_b: Outcome
    fields: tuple[str, ...]
    """The fields that differ; none where the outcomes do."""


class Comparison(FrozenModel):
    """Everything a rendering shows; the same two sides give the same comparison."""

    format_version: Literal[1] = 1
    a: Side
    b: Side
    batches_only_a: tuple[BatchKey, ...]
    """Batches that have run on one side alone, where the person named none; nothing else speaks of them."""
    batches_only_b: tuple[BatchKey, ...]
    made_with: tuple[MadeWith, ...]
    n_pairs: int
    n_only_a: int
    n_only_b: int
    only_a: tuple[Place, ...]
    """The first ones."""
    only_b: tuple[Place, ...]
    statuses: tuple[StatusPair, ...]
    """Of the pairs; those that did not occur are left out."""
    n_changed: int
    """Pairs that ended differently, or whose outputs differ in a field that both sides have."""
    changed_share: Interval | None
    """Where the share of such pairs lies in 95 of 100 cases."""
    changed: tuple[ChangedItem, ...]
    """The first ones, other outcomes before other values."""
    n_same_calls: int
    """Pairs whose outputs come from the very same calls: nothing was asked anew."""
    fields: tuple[FieldDifference, ...]
    fields_only_a: tuple[str, ...]
    fields_only_b: tuple[str, ...]
    differences: tuple[Difference, ...]
    """Accepted items, score, attempts, tokens and cost, as far as both sides have them."""


def build_comparison(a: ComparedSide, b: ComparedSide, *, n_examples: int) -> Comparison:
    """Set two sides beside each other, batch by batch; `InputError` where they have no items in common by their kind."""
    matchings = [
        match_items_of(batch_a, batch_b)
        for (batch_a, _), (batch_b, _) in zip(a.batches, b.batches, strict=True)
    ]
    pairs = [pair for matching in matchings for pair in matching.pairs]
    only_a = [each for matching in matchings for each in matching.only_a]
    only_b = [each for matching in matchings for each in matching.only_b]
    fields = build_field_differences(pairs, n_examples=n_examples)
    changed = list(_list_changed(pairs, frozenset(each.name for each in fields.fields)))
    changed.sort(key=lambda each: each.outcome_a == each.outcome_b)
    return Comparison(
        a=build_side(a),
        b=build_side(b),
        batches_only_a=a.batches_alone,
        batches_only_b=b.batches_alone,
        made_with=tuple(list_made_with(a, b)),
        n_pairs=len(pairs),
        n_only_a=len(only_a),
        n_only_b=len(only_b),
        only_a=tuple(map(build_place, only_a[:MAX_ALONE])),
        only_b=tuple(map(build_place, only_b[:MAX_ALONE])),
        statuses=_count_statuses(pairs),
        n_changed=len(changed),
        changed_share=wilson_interval(len(changed), len(pairs)),
        changed=tuple(changed[:MAX_CHANGED]),
        n_same_calls=sum(map(_has_same_calls, pairs)),
        fields=fields.fields,
        fields_only_a=fields.only_a,
        fields_only_b=fields.only_b,
        differences=tuple(_list_differences(pairs, _list_scores(a, b, matchings))),
    )


def _count_statuses(pairs: Sequence[ItemPair]) -> tuple[StatusPair, ...]:
    counts = Counter((pair.a.item.outcome, pair.b.item.outcome) for pair in pairs)
    return tuple(
        StatusPair(outcome_a=a, outcome_b=b, n_items=n_items)
        for a in OUTCOMES
        for b in OUTCOMES
        if (n_items := counts[a, b])
    )


def _list_changed(pairs: Sequence[ItemPair], fields: frozenset[str]) -> Iterator[ChangedItem]:
    for pair in pairs:
        a, b = pair.a.item, pair.b.item
        different = _list_different_fields(pair, fields) if is_accepted_by_both(pair) else ()
        if different or a.outcome != b.outcome:
            yield ChangedItem(
                place=build_place(pair.a),
                outcome_a=a.outcome,
                outcome_b=b.outcome,
                fields=different,
            )


def _list_different_fields(pair: ItemPair, fields: frozenset[str]) -> tuple[str, ...]:
    a, b = list_values(pair.a), list_values(pair.b)
    return tuple(
        name
        for name in dict.fromkeys([*a, *b])
        if name in fields and (name not in a or name not in b or not is_same(a[name], b[name]))
    )


def _has_same_calls(pair: ItemPair) -> bool:
    a, b = (
        frozenset(attempt.call_key for attempt in each.item.attempts) for each in (pair.a, pair.b)
    )
    return bool(a) and a == b


_Numbers = list[tuple[float, float]]


def _list_scores(a: ComparedSide, b: ComparedSide, matchings: Sequence[Matching]) -> _Numbers:
    scores: _Numbers = []
    for (batch_a, _), (batch_b, _), matching in zip(a.batches, b.batches, matchings, strict=True):
        for pair in matching.pairs:
            of_a = batch_a.scores.get(pair.a.item.work_id)
            of_b = batch_b.scores.get(pair.b.item.work_id)
            if of_a is not None and of_b is not None:
                scores.append((of_a, of_b))
    return scores


def _list_differences(pairs: Sequence[ItemPair], scores: _Numbers) -> Iterator[Difference]:
    items = [(pair.a.item, pair.b.item) for pair in pairs]
    accepted = [(a.outcome == "accepted", b.outcome == "accepted") for a, b in items]
    costs = [(sum_item_cost(a), sum_item_cost(b)) for a, b in items]
    found = (
        build_share_difference("accepted", accepted),
        _build_score_difference(scores),
        build_mean_difference(
            "attempts", [(count_item_attempts(a), count_item_attempts(b)) for a, b in items]
        ),
        build_mean_difference(
            "tokens", [(sum_item_tokens(a), sum_item_tokens(b)) for a, b in items]
        ),
        build_mean_difference(
            "cost_usd", [(float(a), float(b)) for a, b in costs if a is not None and b is not None]
        ),
    )
    return (each for each in found if each is not None)


def _build_score_difference(scores: _Numbers) -> Difference | None:
    """As a share where every item is right or wrong."""
    if all(score in (0, 1) for pair in scores for score in pair):
        return build_share_difference("score", [(a == 1, b == 1) for a, b in scores])
    return build_mean_difference("score", scores)
