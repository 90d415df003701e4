"""How an assessment reads: sentences for people, tables as Markdown."""

from collections.abc import Iterable

from llm_assets.core.assessment import (
    AssessmentMeta,
    FieldTotal,
    GroupScore,
    ScoreTotal,
    find_shortfalls,
)
from llm_assets.core.confusion import ConfusionTable
from llm_assets.core.item_scores import Gap
from llm_assets.core.markdown import escape_markdown, render_table
from llm_assets.core.number_words import render_count

MAX_LABEL_CHARS = 60
MANY_GROUPS = 10
"""So many groups are shown; the artifact has more."""

_GAPS: dict[Gap, str] = {
    "missing": "without an expected value",
    "unreadable": "with an expected value that the scorer cannot read",
    "conflicting": "whose rows expect different values",
    "unjudged": "without a verdict",
    "hook_failed": "at which the scoring function failed",
}


def render_score(total: ScoreTotal) -> str:
    """A score in a few characters: a share as percent, a mean as a number."""
    if total.score is None:
        return "none"
    return f"{total.score:.1%}" if total.is_share else f"{total.score:.3f}"


def render_interval(total: ScoreTotal) -> str:
    """The interval, in the form of its score."""
    if total.interval is None:
        return "unknown"
    low, high = total.interval.low, total.interval.high
    return f"{low:.1%} to {high:.1%}" if total.is_share else f"{low:.3f} to {high:.3f}"


def render_total(total: ScoreTotal) -> str:
    """A score in a line, with how many items it rests on and how sure it is."""
    if total.score is None:
        return "no item has a score"
    items = render_count(total.n_scored, "item")
    what = f"right answers of {items}" if total.is_share else f"in the mean of {items}"
    sure = f"95% interval {render_interval(total)}" if total.interval else "too few for an interval"
    return f"{render_score(total)} {what}; {sure}"


def list_notes(meta: AssessmentMeta) -> tuple[str, ...]:
    """What a person has to know beside the score: what falls short, counts as wrong or was left out."""
    notes = list(find_shortfalls(meta))
    if meta.is_rehearsal:
        notes.append(
            "The offline model answered, which is no LLM: the score says that the scoring works and nothing else."
        )
    if meta.total.n_without_output:
        notes.append(
            f"{render_count(meta.total.n_without_output, 'item')} without an accepted output: wrong."
        )
    if meta.from_review:
        notes.append(
            "Expected is what people approved or wrote at the gate: the score is about items that they looked at, "
            "not about all."
        )
    if meta.n_nothing_expected:
        notes.append(
            f"{render_count(meta.n_nothing_expected, 'item')} of which nothing is expected: left out."
        )
    if meta.n_not_asked:
        notes.append(f"{render_count(meta.n_not_asked, 'item')} that nobody asked about: left out.")
    return tuple(notes)


def list_gaps(field: FieldTotal) -> tuple[str, ...]:
    """Why items have no score for a field."""
    return tuple(f"{render_count(n, 'item')} {_GAPS[gap]}" for gap, n in field.gaps.items())


def render_assessment_markdown(meta: AssessmentMeta) -> str:
    """The score, its notes, and tables by field, label and group."""
    sections = [
        f"**{render_total(meta.total)}**",
        "\n".join(f"- {note}" for note in list_notes(meta)),
        render_fields_markdown(meta.fields),
        *_render_confusions(meta.fields),
        render_groups_markdown(meta) if meta.groups else "",
    ]
    return "\n\n".join(section for section in sections if section)


def render_fields_markdown(fields: Iterable[FieldTotal]) -> str:
    """A line for each field."""
    header = ["Field", "Scorer", "Score", "95% interval", "Items", "Left out"]
    return render_table(
        header,
        [
            [
                _escape(field.name),
                field.scorer,
                render_score(field.total),
                render_interval(field.total),
                f"{field.total.n_scored:,}",
                "; ".join(list_gaps(field)),
            ]
            for field in fields
        ],
    )


def render_confusion_markdown(table: ConfusionTable) -> str:
    """A line for each expected label, a column for each answered one."""
    header = ["expected", *map(_escape, table.labels), "no output"]
    return render_table(
        header,
        [
            [
                _escape(row.expected),
                *(f"{n:,}" if n else "" for n in (*row.counts, row.n_without_output)),
            ]
            for row in table.rows
        ],
    )


def render_groups_markdown(meta: AssessmentMeta) -> str:
    """A line for each of the largest groups."""
    table = render_table(
        [_escape(meta.group_by or ""), "Score", "95% interval", "Items"],
        [
            [
                _escape(group.group) or "(empty)",
                render_score(group.total),
                render_interval(group.total),
                f"{group.total.n_scored:,}",
            ]
            for group in list_shown_groups(meta)
        ],
    )
    n_more = len(meta.groups) + meta.n_groups_left_out - len(list_shown_groups(meta))
    return table + (f"\n\nand {n_more:,} groups that are no larger" if n_more else "")


def list_shown_groups(meta: AssessmentMeta) -> tuple[GroupScore, ...]:
    """The largest groups."""
    return meta.groups[:MANY_GROUPS]


def _render_confusions(fields: Iterable[FieldTotal]) -> Iterable[str]:
    for field in fields:
        if field.confusion is not None:
            yield (
                f"{_escape(field.name)}, expected (rows) against answered (columns):"
                f"\n\n{render_confusion_markdown(field.confusion)}"
            )


def _escape(text: str) -> str:
    return escape_markdown(text, max_chars=MAX_LABEL_CHARS)
