"""How the fields of accepted outputs and of their verdicts spread: which numbers and labels occur how often."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.core.histogram import Histogram, build_histogram
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.output_fields import list_output_fields, list_verdict_fields

MAX_LABELS = 12
"""A text field with more different values than these is taken for free text."""
MAX_LABEL_CHARS = 60
MAX_FIELDS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSpread:
    """A field whose values are numbers."""

    field: str
    n_values: int
    lowest: float
    mean: float
    highest: float
    histogram: Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSpread:
    """A field with few different values."""

    field: str
    n_values: int
    counts: tuple[tuple[str, int], ...]
    """The most frequent first."""


FieldSpread = NumberSpread | LabelSpread


def build_spreads(records: Sequence[ItemOutput]) -> tuple[FieldSpread, ...]:
    """The spreads of the fields that have one, in the order in which the first output names them.

    A field of mixed types, of texts that differ from item to item, or of nested values has none.
    """
    return _build_spreads([list_output_fields(each) for each in records if each.output is not None])


def build_verdict_spreads(records: Sequence[ItemOutput]) -> tuple[FieldSpread, ...]:
    """The same of what the judge said of accepted outputs, with `judge.` before the names.

    A field that is the same everywhere has none: an accepted output's verdict is always that it is accepted.
    """
    spreads = _build_spreads(
        [list_verdict_fields(each) for each in records if each.verdict is not None], prefix="judge."
    )
    return tuple(
        each
        for each in spreads
        if (len(each.counts) > 1 if isinstance(each, LabelSpread) else each.lowest < each.highest)
    )


def _build_spreads(
    values: Sequence[Mapping[str, JsonValue]], *, prefix: str = ""
) -> tuple[FieldSpread, ...]:
    fields = dict.fromkeys(name for each in values for name in each)
    spreads = (
        _build_spread(f"{prefix}{name}", [each.get(name) for each in values]) for name in fields
    )
    return tuple(spread for spread in spreads if spread is not None)[:MAX_FIELDS]


def _build_spread(field: str, values: Sequence[JsonValue]) -> FieldSpread | None:
    present = [value for value in values if value is not None]
    # Truth values are numbers to Python.
    numbers = [
        float(value)
        for value in present
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if numbers and len(numbers) == len(present):
        return _build_number_spread(field, numbers)
    labels = [render_label(value) for value in present if isinstance(value, bool | str)]
    if not labels or len(labels) < len(present):
        return None
    return _build_label_spread(field, labels)


def _build_number_spread(field: str, numbers: list[float]) -> NumberSpread | None:
    histogram = build_histogram(numbers)
    if histogram is None:
        return None
    return NumberSpread(
        field=field,
        n_values=len(numbers),
        lowest=min(numbers),
        mean=sum(numbers) / len(numbers),
        highest=max(numbers),
        histogram=histogram,
    )


def _build_label_spread(field: str, labels: list[str]) -> LabelSpread | None:
    counts = Counter(labels)
    is_free_text = (
        len(counts) > MAX_LABELS
        or max(map(len, counts)) > MAX_LABEL_CHARS
        or (len(counts) == len(labels) > 1)
    )
    if is_free_text:
        return None
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return LabelSpread(field=field, n_values=len(labels), counts=tuple(ranked))


def render_label(value: bool | str) -> str:  # noqa: FBT001 -- the value of a field
    """The value as people read it; JSON's own words for the two truth values."""
    return value if isinstance(value, str) else str(value).lower()
