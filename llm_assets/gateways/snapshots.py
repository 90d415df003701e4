"""How a batch's input file becomes its snapshot."""

from pathlib import Path

from llm_assets.core.expectations import check_columns
from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputSnapshot, build_input_snapshot
from llm_assets.gateways.batches import find_batch
from llm_assets.gateways.project import Project
from llm_assets.gateways.tables.reading import open_table
from llm_assets.gateways.tasks import Task


def take_snapshot(task: Task, project: Project, batch: BatchKey) -> InputSnapshot:
    """Read and clean the batch's table; `InputError` names the file and the line of what is wrong."""
    return read_snapshot(task, project, find_batch(task, project, batch).path)


def read_snapshot(task: Task, project: Project, path: Path) -> InputSnapshot:
    """Read and clean a table as the task says, whether it is a batch of its own already or not.

    It has the columns in which the task expects answers, so that these can be hidden from the model.
    """
    settings = task.settings
    with open_table(path, settings.input, shown_path=project.show(path)) as table:
        snapshot = build_input_snapshot(
            table, cleaning=settings.cleaning, id_column=settings.input.id_column
        )
    if settings.expected is not None:
        check_columns(snapshot.meta, settings.expected)
    return snapshot
