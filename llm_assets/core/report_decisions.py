"""What people decided on the items of a batch, as a report names it."""

from collections.abc import Iterator, Sequence
from itertools import islice

from llm_assets.core.corrections import Decision
from llm_assets.core.item_fates import Fates, FieldEdit, list_edits
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.markdown import escape_markdown, render_code, render_table
from llm_assets.core.report_places import ItemPlace, NumberedRows, build_place, render_rows
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.values import FrozenModel

MAX_DECIDED = 20
"""Decisions in a report; the page's table and the artifact have all."""
MAX_EDITS = 5
"""Changed fields named for one decision."""
MAX_NOTE_CHARS = 300
MAX_EDIT_CHARS = 120


class DecidedItem(FrozenModel):
    """An item that a person decided on."""

    place: ItemPlace
    decision: Decision
    reviewer: str
    note: str
    edits: tuple[FieldEdit, ...]
    """The first ones."""
    n_edits: int


def build_decided_items(
    items: Sequence[ItemOutput], fates: Fates, rows: NumberedRows
) -> tuple[DecidedItem, ...]:
    """The first items that people decided on, in item order."""
    return tuple(islice(_iter_decided(items, fates, rows), MAX_DECIDED))


def _iter_decided(
    items: Sequence[ItemOutput], fates: Fates, rows: NumberedRows
) -> Iterator[DecidedItem]:
    for item in items:
        fate = fates.get(item.work_id)
        if fate is None or fate.correction is None:
            continue
        edits = list_edits(item.output, fate.correction)
        yield DecidedItem(
            place=build_place(item, rows),
            decision=fate.correction.decision,
            reviewer=fate.correction.reviewer,
            note=fate.correction.note,
            edits=edits[:MAX_EDITS],
            n_edits=len(edits),
        )


def render_decided_markdown(items: Sequence[DecidedItem], *, n_in_all: int) -> str:
    """A line for each decision, with what the person changed."""
    table = render_table(
        ["Item", "Row", "Decision", "By", "Note", "Changed"],
        [
            [
                render_code(item.place.work_id),
                render_rows(item.place),
                item.decision,
                escape_markdown(item.reviewer, max_chars=MAX_EDIT_CHARS),
                escape_markdown(item.note, max_chars=MAX_NOTE_CHARS),
                "; ".join(_render_edits(item)),
            ]
            for item in items
        ],
    )
    n_more = n_in_all - len(items)
    return table + (f"\n\nand {n_more:,} more" if n_more > 0 else "")


def _render_edits(item: DecidedItem) -> Iterator[str]:
    for edit in item.edits:
        before, after = (
            escape_markdown(render_cell(value), max_chars=MAX_EDIT_CHARS) or "(empty)"
            for value in (edit.model, edit.person)
        )
        yield f"{render_code(edit.name)}: {before} → {after}"
    if item.n_edits > len(item.edits):
        yield f"{item.n_edits - len(item.edits):,} more fields"
