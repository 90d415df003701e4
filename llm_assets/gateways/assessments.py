"""How a batch's outputs are assessed, and where the expected values are read from."""

from llm_assets.config.expected import ExpectedSettings
from llm_assets.config.task import InputSettings
from llm_assets.core.assessment import Assessment, build_assessment
from llm_assets.core.corrections import Corrections
from llm_assets.core.expectations import (
    Labels,
    build_review_labels,
    check_columns,
    decide_label_key,
    index_rows,
)
from llm_assets.core.input_snapshot import InputRow, InputSnapshot, build_input_snapshot
from llm_assets.core.item_scores import score_items
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.table import RawTable, render_place
from llm_assets.errors import InputError, suggest
from llm_assets.gateways.hook_files import load_scorers
from llm_assets.gateways.project import Project
from llm_assets.gateways.tables.reading import open_table
from llm_assets.gateways.tasks import Task
from llm_assets.gateways.text_files import fingerprint_file


def assess_outputs(
    task: Task,
    project: Project,
    settings: ExpectedSettings,
    *,
    snapshot: InputSnapshot,
    outputs: LLMOutputs,
    corrections: Corrections | None = None,
) -> Assessment:
    """Score every item of a batch and add the scores up; nothing is sent.

    `corrections` are what people decided on the batch; they count where the settings say `from_review`.
    `InputError` where the input or the table of labels lacks a column, `StorageError` where the outputs are not those
    of these rows.
    """
    check_columns(snapshot.meta, settings)
    labels = index_rows(snapshot.records)
    if settings.from_review:
        labels = build_review_labels(corrections, settings)
    elif settings.file is not None:
        labels = load_labels(task, project, settings)
    scores = score_items(
        snapshot,
        outputs,
        labels=labels,
        label_key=decide_label_key(settings, task.settings.grouping.mode),
        settings=settings,
        hooks=load_scorers(task, project),
    )
    return build_assessment(
        scores,
        settings,
        labels_file=None if settings.file is None else project.show(task.resolve(settings.file)),
        is_rehearsal=outputs.meta.is_rehearsal,
    )


def fingerprint_labels(task: Task) -> str:
    """The hash of the table of labels for a code version; nothing where the input holds them.

    A file that cannot be read is told when it is used.
    """
    expected = task.settings.expected
    if expected is None or expected.file is None:
        return ""
    return fingerprint_file(task.resolve(expected.file))


def load_labels(task: Task, project: Project, settings: ExpectedSettings) -> Labels:
    """The rows of the table of labels by what its id column says, cleaned as the input is."""
    path = task.resolve(settings.file or "")
    with open_table(path, InputSettings(), shown_path=project.show(path)) as table:
        _check_labels(table, settings)
        cleaning = task.settings.cleaning
        own = {
            name: tokens
            for name, tokens in cleaning.null_tokens_by_column.items()
            if name in table.columns
        }
        snapshot = build_input_snapshot(
            table,
            cleaning=cleaning.model_copy(update={"null_tokens_by_column": own}),
            id_column=None,
        )
    return _index_labels(snapshot, settings.id_column or "")


def _check_labels(table: RawTable, settings: ExpectedSettings) -> None:
    wanted = {"id_column": settings.id_column}
    wanted |= {f"fields.{name}": field.column for name, field in settings.fields.items()}
    for place, column in wanted.items():
        if column is not None and column not in table.columns:
            raise InputError(
                f"{table.path} has no column {column!r}, which `expected.{place}` names; "
                f"its columns are {', '.join(map(repr, table.columns))}.",
                remedy=f"{suggest(column, table.columns)} Name one of them in the task's config.".strip(),
            )


def _index_labels(snapshot: InputSnapshot, id_column: str) -> Labels:
    """Two lines for one id would leave it open which of them counts."""
    rows: dict[str, InputRow] = {}
    for row in snapshot.records:
        label_id = render_cell(row.values[id_column])
        if not label_id or label_id in rows:
            meta = snapshot.meta
            place = render_place(path=meta.input_path, table_format=meta.format, line=row.line)
            what = "is empty" if not label_id else f"holds {label_id!r}, as a line before does"
            raise InputError(
                f"{place}: the id column {id_column!r} {what}.",
                remedy="Give every line an id of its own: the row's, or the group's where one output answers for one.",
            )
        rows[label_id] = row
    return {label_id: row.values for label_id, row in rows.items()}
