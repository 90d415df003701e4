"""How an output came about: from the line of the source to the line of the export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_assets.core.call_log import LoggedCall
from llm_assets.core.group_contexts import GroupContext
from llm_assets.core.ids import BatchKey, CallKey, RowId, TaskName
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.item_fates import ItemFate
from llm_assets.core.llm_outputs import Attempt, ItemOutput, LLMOutputsMeta
from llm_assets.core.work_items import WorkItem

MAX_ROWS = 50
"""Rows shown of one item; a group may have thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedRow:
    """A row of the source."""

    number: int
    """Counted from 1 below the header."""
    row: InputRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedCall:
    """A call behind the output."""

    key: CallKey
    attempt: Attempt | None
    """What was made of its answer; None where no output says so."""
    tries: tuple[LoggedCall, ...]
    """Every request that left for it, the one that was answered last; none where they are not on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLine:
    """Where the item stands in a file of the export."""

    path: str
    format: str
    line: int | None
    """Where its line starts, from 1, the header included; None where it is not in the file."""
    problem: str | None
    """Why it cannot be found there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All that is known of one item."""

    task: TaskName
    batch: BatchKey
    source: InputMeta
    rows: tuple[TracedRow, ...]
    """The first ones; `work` names all."""
    work: WorkItem
    context: GroupContext | None
    """None where rows are not seen among their group."""
    item: ItemOutput | None
    """None where no run got to its end."""
    made_with: LLMOutputsMeta | None
    calls: tuple[TracedCall, ...]
    """In the order in which they were made."""
    other_calls: tuple[LoggedCall, ...]
    """Made for the item as well, and not behind this output: with an earlier prompt, say, or before it was forced."""
    fate: ItemFate | None
    """What the gate and people made of it; None where the task has no gate, or no run got so far."""
    exports: tuple[ExportLine, ...]
    missing: tuple[str, ...]
    """What could not be found, each in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsOfItem:
    """What the ledger holds around an item."""

    behind: Mapping[CallKey, tuple[LoggedCall, ...]]
    """The calls that the output names, whatever item they were made for."""
    made: Mapping[CallKey, tuple[LoggedCall, ...]]
    """The calls that were made for the item."""


def trace_rows(snapshot: InputSnapshot, row_ids: Sequence[RowId]) -> tuple[TracedRow, ...]:
    """The first rows of an item, with their places in the table."""
    wanted = frozenset(row_ids[:MAX_ROWS])
    return tuple(
        TracedRow(number=number, row=row)
        for number, row in enumerate(snapshot.records, start=1)
        if row.row_id in wanted
    )


def trace_calls(
    item: ItemOutput | None, known: CallsOfItem
) -> tuple[tuple[TracedCall, ...], tuple[LoggedCall, ...]]:
    """The calls behind an output, and the others of its item; without an output, all that were made for it."""
    if item is None:
        calls = (
            TracedCall(key=key, attempt=None, tries=tries) for key, tries in known.made.items()
        )
        return tuple(calls), ()
    behind = tuple(
        TracedCall(
            key=attempt.call_key, attempt=attempt, tries=known.behind.get(attempt.call_key, ())
        )
        for attempt in item.attempts
    )
    keys = {call.key for call in behind}
    others = (call for key, tries in known.made.items() if key not in keys for call in tries)
    return behind, tuple(others)


def list_missing_calls(calls: Sequence[TracedCall]) -> tuple[str, ...]:
    """Says in a sentence how many calls are not on record; nothing where all are."""
    n_missing = sum(not call.tries for call in calls)
    if not n_missing:
        return ()
    of_all = f"{n_missing} of the {len(calls)} calls behind this output"
    return (f"The ledger does not hold {of_all}: what was sent and answered is not known.",)
