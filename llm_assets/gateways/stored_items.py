"""What became of the rows of a batch that has run, read from what is stored."""

from dataclasses import dataclass

from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_matching import is_match
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.errors import StorageError
from llm_assets.gateways.stored_stages import StoredStages


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItems:
    """The rows of a batch and the items that answer for them."""

    batch: BatchKey
    snapshot: InputSnapshot
    items_meta: WorkItemsMeta
    outputs: LLMOutputs


def load_stored_items(stages: StoredStages) -> StoredItems:
    """Read a batch; `StorageError` where it has no outputs yet, or where they are those of earlier rows."""
    task, batch = stages.task.name, stages.batch
    if not stages.has("llm_outputs"):
        raise _build_unfinished_error(
            stages, f"Batch {batch} of task {task} has no outputs yet: no run got to its end."
        )
    snapshot = stages.load("input_snapshot", InputSnapshot)
    outputs = stages.load("llm_outputs", LLMOutputs)
    if not is_match(snapshot, outputs):
        raise _build_unfinished_error(
            stages, f"The rows of batch {batch} of task {task} are newer than its outputs."
        )
    return StoredItems(
        batch=batch,
        snapshot=snapshot,
        items_meta=stages.load_meta("work_items", WorkItemsMeta),
        outputs=outputs,
    )


def _build_unfinished_error(stages: StoredStages, what: str) -> StorageError:
    task, batch = stages.task.name, stages.batch
    return StorageError(
        what,
        remedy=f"Run `llm-assets run {task} --batch {batch}`; answered calls are not repeated. "
        f"`llm-assets report {task}` shows what is on record so far.",
    )
