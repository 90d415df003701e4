"""What is kept of how all batches of a task stand."""

from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.task_status import TaskStatus
from llm_assets.core.values import FrozenModel


class OverviewLine(FrozenModel):
    """One batch: what it holds, without when and at what cost."""

    batch: BatchKey
    n_items: int
    outcomes: dict[str, int]


class Overview(FrozenModel):
    """All batches of a task, sorted by key."""

    format_version: int = 1
    task: TaskName
    batches: tuple[OverviewLine, ...]
    batches_sha256: str
    """Which versions the batches had; changes with the content of any of them."""


def build_overview(status: TaskStatus, *, batches_sha256: str) -> Overview:
    """The batches as they are now."""
    return Overview(
        task=status.task,
        batches=tuple(
            OverviewLine(batch=each.batch, n_items=each.n_items, outcomes=dict(each.outcomes))
            for each in status.batches
        ),
        batches_sha256=batches_sha256,
    )
