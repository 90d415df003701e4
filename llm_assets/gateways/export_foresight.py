"""Will a run get as far as its files? What is told here is told before anything is paid."""

from llm_assets.core.export_foresight import check_export_columns
from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputMeta
from llm_assets.gateways.hook_files import load_scorers
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_texts import describe_answers
from llm_assets.gateways.stored_stages import StoredStages
from llm_assets.gateways.tables.writing import check_export_formats
from llm_assets.gateways.task_schemas import StepSchemas
from llm_assets.gateways.tasks import Task


def check_task_ends(task: Task, project: Project) -> None:
    """Make sure that what comes after the answers can run, as far as no table and no schema is needed to tell.

    `ConfigError` for a format whose package is not installed, and for a function that scores and cannot be used.
    """
    check_export_formats(task.settings.export.formats)
    load_scorers(task, project)


def check_batch_ends(
    task: Task, project: Project, *, schemas: StepSchemas, columns: tuple[str, ...]
) -> None:
    """The same for a batch with these columns: `ConfigError` also where the export names one that there won't be."""
    check_task_ends(task, project)
    if any(gap.path[0] == "export" for gap in task.gaps):
        return
    check_export_columns(
        task.settings, input_columns=columns, schemas=describe_answers(task, schemas)
    )


def check_stored_batch_ends(
    task: Task, project: Project, batch: BatchKey, *, schemas: StepSchemas
) -> None:
    """The same for a batch whose rows are stored.

    They are read from where they lie, because what is made of answers does not depend on what is told early.
    """
    stages = StoredStages(task=task, project=project, batch=batch)
    if stages.has("input_snapshot"):
        meta = stages.load_meta("input_snapshot", InputMeta)
        check_batch_ends(task, project, schemas=schemas, columns=meta.columns)
