"""What a materialization says of itself: how much, what it looks like, where its files lie.

Dagster draws every number over the batches. Numbers of what hardly ever occurs, such as cut cells, are there where it
did; what is not known is left out, and so is no point in a plot.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import dagster as dg

from llm_assets.core.answer_columns import AnswerSchemas, build_line_columns
from llm_assets.core.assessment import AssessmentMeta
from llm_assets.core.assessment_text import render_assessment_markdown
from llm_assets.core.context import decide_visible_columns
from llm_assets.core.export import ExportTable
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.schema_record import SchemaRecord, SchemaText
from llm_assets.core.stage_columns import (
    build_context_columns,
    build_item_columns,
    build_snapshot_columns,
    name_item_columns,
)
from llm_assets.core.status_text import render_status_markdown
from llm_assets.core.task_status import TaskStatus
from llm_assets.core.work_items import WorkItem, WorkItems
from llm_assets.defs.publishing import BATCHES_KEY, IMAGES_KEY, INPUT_KEY, SOURCE_KEY
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.table_metadata import describe_table
from llm_assets.defs.telling_entries import leave_out_unknown, leave_out_zeros
from llm_assets.gateways.exports import ExportFile
from llm_assets.gateways.reports import WrittenReport
from llm_assets.gateways.schema_generation import EnsuredSchema

MAX_REPORT_CHARS = 20_000
"""Of a report in an event; the file holds the whole of it."""
MAX_BATCHES = 200
"""Of the table of all batches; every event is kept in Dagster's database."""


def describe_schema(
    record: SchemaRecord, ensured: EnsuredSchema, *, path: Path
) -> dict[str, object]:
    """Where the module lies, which models it holds, and what was just done to it."""
    archived = ensured.archived_path
    return {
        "module": dg.MetadataValue.path(str(path)),
        "models": ", ".join(record.models),
        "was_made_now": ensured.is_new,
        "archived_as": archived and dg.MetadataValue.path(str(archived)),
        SOURCE_KEY: record.source_sha256,
    }


def describe_schema_text(text: SchemaText) -> dict[str, object]:
    """What prompts show, and whether endpoints can decode by it."""
    return {
        "schema": dg.MetadataValue.md(f"```json\n{text.text}\n```"),
        "has_strict_form": text.strict_schema is not None,
        "problems": dg.MetadataValue.md("\n".join(f"- {line}" for line in text.problems)),
        "n_chars": len(text.text),
    }


def describe_overview(status: TaskStatus) -> dict[str, object]:
    """Whether there is anything to do, the table, and which versions of the batches it is about."""
    return {
        "dagster/row_count": len(status.batches),
        "is_fresh": status.is_fresh,
        "batches": build_status_table(status),
        BATCHES_KEY: status.batches_sha256,
    }


def build_status_table(status: TaskStatus) -> dg.MarkdownMetadataValue:
    """A line a batch, a column a stage, with the reasons."""
    return dg.MetadataValue.md(render_status_markdown(status, max_batches=MAX_BATCHES))


def describe_snapshot(
    scope: TaskScope, snapshot: InputSnapshot, *, path: Path
) -> dict[str, object]:
    """What was read, from where and as what."""
    meta = snapshot.meta
    columns = build_snapshot_columns(snapshot, id_column=scope.task.settings.input.id_column)
    rows = (record.values for record in snapshot.records)
    return {
        **describe_table(scope, columns, rows=rows, n_rows=meta.n_rows),
        **leave_out_zeros({"nulls": meta.n_nulls}),
        "input_file": dg.MetadataValue.path(str(path)),
        "read_as": ", ".join(filter(None, [meta.format, meta.encoding])),
        INPUT_KEY: meta.sha256,
    }


def _describe_images(items: WorkItems) -> dict[str, object]:
    """The pictures of a batch; nothing where no column names any."""
    if items.meta.images_sha256 is None:
        return {}
    images = [image for item in items.records for image in item.images]
    n_problems = sum(image.problem is not None for image in images)
    return {
        "images": len(images),
        **leave_out_zeros({"images_with_problems": n_problems}),
        IMAGES_KEY: items.meta.images_sha256,
    }


def describe_contexts(
    scope: TaskScope, contexts: GroupContexts, *, columns: tuple[str, ...]
) -> dict[str, object]:
    """How large the groups are and what was cut; `columns` are those of the input.

    Where rows are not grouped there is nothing to say.
    """
    meta, records = contexts.meta, contexts.records
    if meta.grouping_column is None:
        return {}
    settings = scope.task.settings
    shown = decide_visible_columns(columns, settings.context, settings.image_columns)
    rows = (
        {
            "group_key": group.group_key,
            "text": group.text,
            "n_rows": group.n_rows,
            "n_rows_used": group.n_rows_used,
            "n_chars": len(group.text),
            "n_cuts": len(group.cuts),
        }
        for group in records
    )
    cuts = {
        "rows_left_out": sum(group.n_rows - group.n_rows_used for group in records),
        "cut_groups": sum(bool(group.cuts) for group in records),
    }
    table = build_context_columns(meta.grouping_column, shown=shown)
    return {
        **describe_table(scope, table, rows=rows, n_rows=meta.n_groups),
        "grouping_column": meta.grouping_column,
        "grouped_rows": meta.n_rows,
        "largest_context_chars": max((len(group.text) for group in records), default=0),
        **leave_out_zeros(cuts),
    }


def describe_items(scope: TaskScope, items: WorkItems) -> dict[str, object]:
    """What the model is asked about."""
    meta = items.meta
    counts = {
        "groups": meta.n_group_contexts,
        "repeated_items": sum(item.occurrence > 0 for item in items.records),
        "cut_items": sum(bool(item.cuts) for item in items.records),
    }
    return {
        **describe_table(
            scope, build_item_columns(items), rows=_iter_item_rows(items), n_rows=meta.n_items
        ),
        "mode": meta.mode,
        **leave_out_zeros(counts),
        **_describe_images(items),
    }


def describe_export(
    scope: TaskScope,
    table: ExportTable,
    *,
    files: Sequence[ExportFile],
    outputs: LLMOutputs,
    schemas: AnswerSchemas,
) -> dict[str, object]:
    """What is in the files, and where they lie."""
    only_accepted = scope.task.settings.export.only_accepted
    columns = build_line_columns(table.meta, outputs, schemas, only_accepted=only_accepted)
    rows = (line.values for line in table.records)
    written = [file.written for file in files]
    counts = {
        "left_out": table.meta.n_left_out,
        "is_rehearsal": table.meta.is_rehearsal,
        "formulas_made_harmless": max((each.n_formulas for each in written), default=0),
        "cells_cut": max((each.n_cut for each in written), default=0),
        "cells_with_replaced_characters": max((each.n_replaced for each in written), default=0),
    }
    return {
        **describe_table(scope, columns, rows=rows, n_rows=table.meta.n_rows),
        "accepted": table.meta.n_accepted,
        **leave_out_zeros(counts),
        **_list_files(file.path for file in files),
    }


def describe_report(written: WrittenReport, *, index: Path) -> dict[str, object]:
    """The report itself, and the pages that people open."""
    return {
        "report": dg.MetadataValue.md(cut_text(written.text, rest_in="report_path")),
        "report_path": dg.MetadataValue.path(str(written.path)),
        "page": dg.MetadataValue.path(str(written.page)),
        "all_batches": dg.MetadataValue.path(str(index)),
    }


def describe_assessment(meta: AssessmentMeta) -> dict[str, object]:
    """The score and how sure it is, for plots over batches, and the tables for people; no number where there is none."""
    total = meta.total
    scores = {
        "score": total.score,
        "score_low": total.interval and total.interval.low,
        "score_high": total.interval and total.interval.high,
        "min_score": meta.min_score,
        **{f"score_{field.name}": field.total.score for field in meta.fields},
    }
    counts = {
        "scored_without_output": total.n_without_output,
        "nothing_expected": meta.n_nothing_expected,
        "not_asked": meta.n_not_asked,
        "is_rehearsal": meta.is_rehearsal,
    }
    return {
        "assessment": dg.MetadataValue.md(render_assessment_markdown(meta)),
        **leave_out_unknown(scores),
        "dagster/row_count": total.n_scored,
        **leave_out_zeros(counts),
    }


def _iter_item_rows(items: WorkItems) -> Iterable[dict[str, object]]:
    names = name_item_columns(items.meta)

    def build_row(item: WorkItem) -> dict[str, object]:
        own = {names.work_id: item.work_id, names.n_rows: len(item.row_ids)}
        group = {} if names.group_key is None else {names.group_key: item.group_key}
        return {**item.values, **own, **group}

    return map(build_row, items.records)


def _list_files(paths: Iterable[Path]) -> dict[str, dg.PathMetadataValue]:
    return {f"file_{path.suffix[1:]}": dg.MetadataValue.path(str(path)) for path in paths}


def cut_text(text: str, *, rest_in: str) -> str:
    """Whole sections of a report, so that no table or fence is cut in two; the entry `rest_in` leads to the rest."""
    if len(text) <= MAX_REPORT_CHARS:
        return text
    end = text.rfind("\n## ", 0, MAX_REPORT_CHARS)
    return f"{text[: max(end, 0)].rstrip()}\n\nThe rest stands in the file, see `{rest_in}`."
