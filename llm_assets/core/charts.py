"""Where the columns and words of a chart stand; whoever draws it needs no arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_assets.core.histogram import Bin, Histogram
from llm_assets.core.short_text import shorten

WIDTH = 360
HEIGHT = 132
_TOP, _BOTTOM = 16, 112
"""Between these lines stand the columns; above them the highest count, below them the labels."""
_GAP_SHARE = 0.16
_MAX_LABELLED = 6
_MIN_SLOTS = 4
_LABEL_CHARS = 60
"""So many characters of a label's size stand side by side."""
_WHOLE_FROM = 1e6
MAX_COLUMNS = 120
"""More columns than these would be thinner than three pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, and what is said about it."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word below the columns."""

    x: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChart:
    """Columns side by side, on a canvas of `WIDTH` by `HEIGHT`."""

    title: str
    note: str
    """What a person should see in it, in words; also for those who cannot see it."""
    columns: tuple[Column, ...]
    labels: tuple[Label, ...]
    peak: str
    """How much the highest column stands for."""


def build_histogram_chart(
    histogram: Histogram, *, title: str, note: str, unit: str = ""
) -> ColumnChart:
    """A column for every bin, its edges in the unit."""
    bins = histogram.bins
    of_unit = f" {unit}" if unit else ""
    titles = [
        f"{_render_bin(each, is_whole=histogram.is_whole, of_unit=of_unit)}: {each.count:,}"
        for each in bins
    ]
    names = [_render_number(each.start) + ("+" if each.is_open else "") for each in bins]
    if not histogram.is_whole and not bins[-1].is_open:
        names[-1] = _render_number(bins[-1].end)
    if len(bins) > _MAX_LABELLED:
        names[-1] += of_unit
    return ColumnChart(
        title=title,
        note=note,
        columns=_build_columns([each.count for each in bins], titles),
        labels=_build_labels(names),
        peak=f"{max(each.count for each in bins):,}",
    )


def build_series_chart(
    values: Sequence[float], names: Sequence[str], *, title: str, note: str, shown: Sequence[str]
) -> ColumnChart:
    """A column for every named value, in their order; `shown` is how each value is written."""
    peak = max(range(len(values)), key=lambda place: values[place])
    return ColumnChart(
        title=title,
        note=note,
        columns=_build_columns(
            values, [f"{name}: {text}" for name, text in zip(names, shown, strict=True)]
        ),
        labels=_build_labels(names),
        peak=shown[peak],
    )


def _build_columns(values: Sequence[float], titles: Sequence[str]) -> tuple[Column, ...]:
    highest = max(values) or 1
    slot = _find_slot(len(values))
    gap = slot * _GAP_SHARE
    columns: list[Column] = []
    for place, (value, title) in enumerate(zip(values, titles, strict=True)):
        height = (_BOTTOM - _TOP) * value / highest
        height = max(height, 1.0) if value else 0.0  # one item among thousands is still to be seen
        columns.append(
            Column(
                x=round(place * slot + gap / 2, 2),
                y=round(_BOTTOM - height, 2),
                width=round(slot - gap, 2),
                height=round(height, 2),
                title=title,
            )
        )
    return tuple(columns)


def _build_labels(names: Sequence[str]) -> tuple[Label, ...]:
    """A label below each of a few columns, else below the first, the middle and the last."""
    slot = _find_slot(len(names))
    if len(names) <= _MAX_LABELLED:
        return tuple(
            Label(
                x=round((place + 0.5) * slot, 2),
                anchor="middle",
                text=_shorten_label(name, len(names)),
            )
            for place, name in enumerate(names)
        )
    middle = len(names) // 2
    return (
        Label(x=0, anchor="start", text=_shorten_label(names[0], 3)),
        Label(x=round(middle * slot, 2), anchor="middle", text=_shorten_label(names[middle], 3)),
        Label(x=WIDTH, anchor="end", text=_shorten_label(names[-1], 3)),
    )


def _find_slot(n_columns: int) -> float:
    """The room of one column; a few columns are not drawn as broad as walls."""
    return WIDTH / max(n_columns, _MIN_SLOTS)


def _shorten_label(name: str, n_labels: int) -> str:
    return shorten(name, max_chars=_LABEL_CHARS // max(n_labels, _MIN_SLOTS))


def _render_bin(each: Bin, *, is_whole: bool, of_unit: str) -> str:
    start, end = _render_number(each.start), _render_number(each.end)
    if each.is_open:
        return f"{start}{of_unit} and more"
    return f"{start}{of_unit}" if is_whole else f"{start} to {end}{of_unit}"


def _render_number(value: float) -> str:
    return f"{value:,.10g}" if abs(value) < _WHOLE_FROM else f"{value:,.0f}"
