"""How a comparison reads as Markdown."""

from collections.abc import Iterator

from llm_assets.core.comparison import Comparison
from llm_assets.core.comparison_text import (
    has_several_batches,
    list_difference_rows,
    list_notes,
    list_side_rows,
    render_change,
    render_field_value,
    render_mean,
    render_place,
    render_share,
    render_share_interval,
    render_sureness,
)
from llm_assets.core.field_differences import FieldDifference, Place
from llm_assets.core.markdown import escape_markdown, render_code, render_table

MAX_VALUE_CHARS = 200
MAX_ABOUT_CHARS = 80


def render_comparison_markdown(comparison: Comparison) -> str:
    """The whole comparison; texts of people and models are escaped, and nothing in it depends on when or where."""
    sections = [
        f"# {_escape(comparison.a.name)} (A) and {_escape(comparison.b.name)} (B)",
        *(f"> {_escape(note)}" for note in list_notes(comparison)),
        _render_sides(comparison),
        _render_differences(comparison),
        *_render_statuses(comparison),
        *_render_fields(comparison),
        *_render_changed(comparison),
        *_render_alone(comparison),
        _render_made_with(comparison),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _render_sides(comparison: Comparison) -> str:
    changed = render_share(comparison.n_changed, comparison.n_pairs)
    sure = render_share_interval(comparison.changed_share)
    table = render_table(["", "A", "B"], list_side_rows(comparison))
    interval = f"; 95% interval {sure}" if sure else ""
    return f"{table}\n\nItems on both sides: {comparison.n_pairs:,}. Of them differ: {changed}{interval}."


def _render_differences(comparison: Comparison) -> str:
    if not comparison.differences:
        return ""
    header = ["Over both sides' items", "A", "B", "Change", "95% interval", ""]
    table = render_table(header, list_difference_rows(comparison))
    return f"## Differences\n\n{table}"


def _render_statuses(comparison: Comparison) -> Iterator[str]:
    if not comparison.statuses:
        return
    counts = {(pair.outcome_a, pair.outcome_b): pair.n_items for pair in comparison.statuses}
    of_a = dict.fromkeys(pair.outcome_a for pair in comparison.statuses)
    of_b = sorted({pair.outcome_b for pair in comparison.statuses})
    rows = [[a, *(f"{counts.get((a, b), 0):,}" for b in of_b)] for a in of_a]
    yield f"## Outcomes\n\n{render_table(['A below, B to the right', *of_b], rows)}"


def _render_fields(comparison: Comparison) -> Iterator[str]:
    if not comparison.fields:
        return
    rows = [
        [
            _escape(field.name),
            f"{field.n_pairs:,}",
            render_share(field.n_different, field.n_pairs),
            _render_number(field),
        ]
        for field in comparison.fields
    ]
    yield f"## Fields\n\n{render_table(['Field', 'Pairs', 'Different', 'Mean or share of true'], rows)}"
    for field in comparison.fields:
        if field.n_different:
            yield from _render_field(field, has_batch=has_several_batches(comparison))


def _render_number(field: FieldDifference) -> str:
    number = field.number
    if number is None:
        return ""
    means = f"{render_mean(number, number.mean_a)} → {render_mean(number, number.mean_b)}"
    return f"{means} ({render_change(number)}; {render_sureness(number)})"


def _render_field(field: FieldDifference, *, has_batch: bool) -> Iterator[str]:
    yield f"### {_escape(field.name)}"
    if field.changes:
        yield render_table(
            ["A", "B", "Items"],
            [
                [_escape(each.label_a), _escape(each.label_b), f"{each.n_items:,}"]
                for each in field.changes
            ],
        )
    if field.examples:
        yield render_table(
            ["Item", "About", "A", "B"],
            [
                [
                    _render_place(each.place, has_batch=has_batch),
                    escape_markdown(each.place.about, max_chars=MAX_ABOUT_CHARS),
                    _escape(render_field_value(each.value_a)),
                    _escape(render_field_value(each.value_b)),
                ]
                for each in field.examples
            ],
        )


def _render_changed(comparison: Comparison) -> Iterator[str]:
    if not comparison.changed:
        return
    has_batch = has_several_batches(comparison)
    table = render_table(
        ["Item", "About", "A", "B", "Fields that differ"],
        [
            [
                _render_place(each.place, has_batch=has_batch),
                escape_markdown(each.place.about, max_chars=MAX_ABOUT_CHARS),
                each.outcome_a,
                each.outcome_b,
                _escape(", ".join(each.fields)),
            ]
            for each in comparison.changed
        ],
    )
    n_more = comparison.n_changed - len(comparison.changed)
    yield f"## Items that differ\n\n{table}" + (f"\n\nand {n_more:,} more" if n_more else "")


def _render_alone(comparison: Comparison) -> Iterator[str]:
    sides = (
        (comparison.a, comparison.only_a, comparison.n_only_a),
        (comparison.b, comparison.only_b, comparison.n_only_b),
    )
    has_batch = has_several_batches(comparison)
    for side, places, n_alone in sides:
        if places:
            table = render_table(
                ["Item", "About"],
                [
                    [
                        _render_place(place, has_batch=has_batch),
                        escape_markdown(place.about, max_chars=MAX_ABOUT_CHARS),
                    ]
                    for place in places
                ],
            )
            n_more = n_alone - len(places)
            more = f"\n\nand {n_more:,} more" if n_more else ""
            yield f"## Only in {_escape(side.name)}\n\n{table}{more}"


def _render_made_with(comparison: Comparison) -> str:
    rows = [
        [each.what, render_code(each.a), "" if each.is_same else render_code(each.b)]
        for each in comparison.made_with
    ]
    table = render_table(["", "A", "B, where it differs"], rows)
    return f"## What they were made with\n\n{table}"


def _render_place(place: Place, *, has_batch: bool) -> str:
    return f"{render_place(place, has_batch=has_batch)} {render_code(place.work_id)}"


def _escape(text: str) -> str:
    return escape_markdown(text, max_chars=MAX_VALUE_CHARS)
