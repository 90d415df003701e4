"""What tests of comparisons begin with: batches of items beside their rows."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from llm_assets.config.grouping import Mode
from llm_assets.core.ids import BatchKey, RowId, WorkId
from llm_assets.core.input_snapshot import InputRow
from llm_assets.core.item_pairs import ComparedBatch, ComparedItem
from llm_assets_tests.core.test_report import build_item

MAY = BatchKey("may")


def build_compared(
    text: str,
    *,
    place: int,
    name: str | None = None,
    group: str | None = None,
    output: Mapping[str, JsonValue] | None = None,
    **changes,
) -> ComparedItem:
    """An item of a row with this text at this place of the table; `output` None ends it as failed."""
    outcome = changes.pop("outcome", "accepted" if output is not None else "failed")
    return ComparedItem(
        batch=MAY,
        number=place + 1,
        row=InputRow(
            row_id=RowId(name or f"{text}#{place}"), line=place + 2, values={"text": text}
        ),
        about=text,
        item=build_item(
            place,
            outcome=outcome,
            output=None if output is None else dict(output),
            group=group,
            **changes,
        ),
    )


def build_batch(
    items: Sequence[ComparedItem],
    *,
    table_id: str = "t",
    id_column: str | None = None,
    mode: Mode = "row",
    columns: tuple[str, ...] = ("text",),
    scores: Mapping[WorkId, float] | None = None,
) -> ComparedBatch:
    return ComparedBatch(
        name="notes",
        batch=MAY,
        table_id=table_id,
        mode=mode,
        id_column=id_column,
        columns=columns,
        items=tuple(items),
        scores=scores or {},
    )
