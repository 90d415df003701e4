"""In which fields the outputs of two sides differ, and how."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.core.differences import Difference, build_mean_difference, build_share_difference
from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import BatchKey, WorkId
from llm_assets.core.intervals import Interval, wilson_interval
from llm_assets.core.item_pairs import ComparedItem, ItemPair
from llm_assets.core.output_spread import MAX_LABEL_CHARS
from llm_assets.core.values import FrozenModel

MAX_CHANGES = 10
"""Pairs of labels that are counted by name."""

Path = tuple[str, ...]


class Place(FrozenModel):
    """Which item is spoken of: where it stands on the side named first."""

    batch: BatchKey
    number: int
    """Of its first row, counted from 1 below the header."""
    line: int
    """Of the source."""
    work_id: WorkId
    about: str
    """What the model was asked about, in a line."""


class FieldExample(FrozenModel):
    """An item whose two values differ."""

    place: Place
    value_a: JsonValue
    value_b: JsonValue


class LabelChange(FrozenModel):
    """How often one label stands in place of another."""

    label_a: str
    label_b: str
    n_items: int


class FieldDifference(FrozenModel):
    """One field over all pairs in which both sides have an accepted output."""

    name: str
    """Its dotted path; `judge.` stands before those of verdicts."""
    n_pairs: int
    n_different: int
    agreement: Interval | None
    """Where the share of equal values over all such items lies in 95 of 100 cases."""
    number: Difference | None
    """None where the values are no numbers and no truth values."""
    changes: tuple[LabelChange, ...]
    """The most frequent ones, where the values are short words."""
    examples: tuple[FieldExample, ...]
    """The first ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifferences:
    """What the outputs of two sides have in common, and what they have not."""

    fields: tuple[FieldDifference, ...]
    only_a: tuple[str, ...]
    """Fields that no output of the other side has."""
    only_b: tuple[str, ...]


def build_place(each: ComparedItem) -> Place:
    """Where an item stands."""
    return Place(
        batch=each.batch,
        number=each.number,
        line=each.row.line,
        work_id=each.item.work_id,
        about=each.about,
    )


def is_accepted_by_both(pair: ItemPair) -> bool:
    """Whether there are two outputs to compare."""
    return pair.a.item.output is not None and pair.b.item.output is not None


def list_values(each: ComparedItem) -> dict[str, JsonValue]:
    """The values of an accepted output and of its verdict by their dotted paths; lists are values as they are."""
    verdict = _walk(each.item.verdict or {}, ())
    return dict(_walk(each.item.output or {}, ())) | {
        f"judge.{name}": value for name, value in verdict
    }


def is_same(a: JsonValue, b: JsonValue) -> bool:
    """Whether two values say the same; 1 and 1.0 do, 1 and true do not."""
    if _is_number(a) and _is_number(b):
        return a == b
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return render_json(a) == render_json(b)


def build_field_differences(pairs: Sequence[ItemPair], *, n_examples: int) -> FieldDifferences:
    """Compare every field that both sides have, over the pairs that are accepted on both."""
    values = [
        (pair, list_values(pair.a), list_values(pair.b))
        for pair in pairs
        if is_accepted_by_both(pair)
    ]
    names_a = dict.fromkeys(name for _, a, _ in values for name in a)
    names_b = dict.fromkeys(name for _, _, b in values for name in b)
    return FieldDifferences(
        fields=tuple(
            _build_field(name, values, n_examples=n_examples) for name in names_a if name in names_b
        ),
        only_a=tuple(name for name in names_a if name not in names_b),
        only_b=tuple(name for name in names_b if name not in names_a),
    )


_Values = Mapping[str, JsonValue]


def _build_field(
    name: str, values: Sequence[tuple[ItemPair, _Values, _Values]], *, n_examples: int
) -> FieldDifference:
    found = [(pair, a.get(name), b.get(name)) for pair, a, b in values if name in a or name in b]
    different = [(pair, a, b) for pair, a, b in found if not is_same(a, b)]
    return FieldDifference(
        name=name,
        n_pairs=len(found),
        n_different=len(different),
        agreement=wilson_interval(len(found) - len(different), len(found)),
        number=_build_number(name, [(a, b) for _, a, b in found]),
        changes=_count_changes([(a, b) for _, a, b in different]),
        examples=tuple(
            FieldExample(place=build_place(pair.a), value_a=a, value_b=b)
            for pair, a, b in different[:n_examples]
        ),
    )


def _build_number(name: str, values: Sequence[tuple[JsonValue, JsonValue]]) -> Difference | None:
    """Over the pairs with a value on both sides, all of which have to be numbers, or all truth values."""
    both = [(a, b) for a, b in values if a is not None and b is not None]
    truths = [(a, b) for a, b in both if isinstance(a, bool) and isinstance(b, bool)]
    if len(truths) == len(both):
        return build_share_difference(name, truths)
    numbers = [
        (float(a), float(b))
        for a, b in both
        if isinstance(a, int | float)
        and isinstance(b, int | float)
        and _is_number(a)
        and _is_number(b)
    ]
    return build_mean_difference(name, numbers) if len(numbers) == len(both) else None


def _count_changes(values: Sequence[tuple[JsonValue, JsonValue]]) -> tuple[LabelChange, ...]:
    """None where a value is no label."""
    counts: Counter[tuple[str, str]] = Counter()
    for a, b in values:
        label_a, label_b = _read_label(a), _read_label(b)
        if label_a is None or label_b is None:
            return ()
        counts[label_a, label_b] += 1
    if len(counts) == len(values) > 1:
        return ()  # every change occurs once: the examples say as much
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(
        LabelChange(label_a=a, label_b=b, n_items=n_items)
        for (a, b), n_items in ranked[:MAX_CHANGES]
    )


def _read_label(value: JsonValue) -> str | None:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) and len(value) <= MAX_LABEL_CHARS else None


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _walk(value: Mapping[str, JsonValue], path: Path) -> Iterator[tuple[str, JsonValue]]:
    for name, entry in value.items():
        if isinstance(entry, dict) and entry:
            yield from _walk(entry, (*path, name))
        else:
            yield ".".join((*path, name)), entry
