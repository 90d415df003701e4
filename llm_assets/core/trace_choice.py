"""Which item a person means who names it by the beginning of its name, by a row's number or by a source line."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeVar

from llm_assets.core.ids import BatchKey, RowId, WorkId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.table import render_line
from llm_assets.core.work_items import WorkItem
from llm_assets.errors import InputError

MAX_NAMED = 8

Id = TypeVar("Id", bound=str)


def find_named(ids: Iterable[Id], beginning: str) -> tuple[Id, ...]:
    """The id itself where it is there, else all that begin so."""
    known = list(ids)
    exact = [each for each in known if each == beginning]
    return tuple(exact or [each for each in known if each.startswith(beginning)])


def build_ambiguous_error(beginning: str, found: Sequence[tuple[BatchKey, WorkId]]) -> InputError:
    """Says that several items are called so."""
    batches = {batch for batch, _ in found}
    is_one_item = len({work_id for _, work_id in found}) == 1
    if is_one_item:
        return InputError(
            f"The work item {found[0][1]!r} is in several batches: {', '.join(sorted(batches))}.",
            remedy="Name one of them with --batch.",
        )
    named = ", ".join(f"{work_id} ({batch})" for batch, work_id in found[:MAX_NAMED])
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return InputError(
        f"{len(found)} work items begin with {beginning!r}.",
        remedy=f"Give more of one: {named}{more}.",
    )


def find_row_item(
    works: Sequence[WorkItem], snapshot: InputSnapshot, *, number: int, batch: BatchKey
) -> WorkItem:
    """The item that answers for a row, the first below the header being 1; `InputError` where there is none."""
    n_rows = len(snapshot.records)
    if not 1 <= number <= n_rows:
        raise InputError(
            f"Batch {batch} has no row {number}.",
            remedy=f"Rows are counted below the header, from 1 to {n_rows}.",
        )
    return _find_item(works, snapshot.records[number - 1].row_id)


def find_line_item(
    works: Sequence[WorkItem], snapshot: InputSnapshot, *, line: int, batch: BatchKey
) -> WorkItem:
    """The item that answers for the row in which a line of the source lies; `InputError` where there is none.

    A row with line breaks in its cells has several lines; of the last one only its first is known.
    """
    starts = [row.line for row in snapshot.records]
    at = bisect_right(starts, line) - 1
    if at >= 0 and (starts[at] == line or at < len(starts) - 1):
        return _find_item(works, snapshot.records[at].row_id)
    meta = snapshot.meta
    ends = [render_line(start, table_format=meta.format) for start in (*starts[:1], *starts[-1:])]
    raise InputError(
        f"No row of batch {batch} starts at {render_line(line, table_format=meta.format)} of {meta.input_path}.",
        remedy=f"The first one starts at {ends[0]}, the last one at {ends[-1]}."
        if ends
        else "The batch has no rows.",
    )


def _find_item(works: Sequence[WorkItem], row_id: RowId) -> WorkItem:
    return next(work for work in works if row_id in work.row_ids)
