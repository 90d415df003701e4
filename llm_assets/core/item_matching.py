"""Which item answers for which row."""

from llm_assets.core.ids import RowId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs
from llm_assets.errors import StorageError


def match_items(snapshot: InputSnapshot, outputs: LLMOutputs) -> dict[RowId, ItemOutput]:
    """The item that answers for each row; `StorageError` where the two artifacts belong to different runs."""
    items = {row_id: item for item in outputs.records for row_id in item.row_ids}
    without = [row for row in snapshot.records if row.row_id not in items]
    n_foreign = len(items) - (len(snapshot.records) - len(without))
    if without or n_foreign:
        place = f", the first on line {without[0].line}" if without else ""
        raise StorageError(
            f"The outputs are not those of the rows of {snapshot.meta.input_path}: "
            f"{len(without)} rows have none{place}, and {n_foreign} outputs belong to other rows. "
            "Nothing was exported.",
            remedy="Run the task again for this batch; calls that were answered are not repeated.",
        )
    return items


def is_match(snapshot: InputSnapshot, outputs: LLMOutputs) -> bool:
    """Whether there is an item for every row, and none for any other."""
    answered = {row_id for item in outputs.records for row_id in item.row_ids}
    return answered == {row.row_id for row in snapshot.records}
