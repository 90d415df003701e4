"""What a materialization says of itself: how much, what it looks like, where its files lie.

Dagster draws every number over the batches, so each batch has the same keys. A count that is not there would read as
one that nobody took: it is 0. What is not known is null, and so no point in a plot: an unknown cost is not free.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import dagster as dg

from llm_assets.core.answer_columns import AnswerSchemas, build_line_columns
from llm_assets.core.assessment import AssessmentMeta
from llm_assets.core.assessment_text import render_assessment_markdown
from llm_assets.core.context import decide_visible_columns
from llm_assets.core.export import ExportTable
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.stage_columns import (
    StageColumn,
    build_context_columns,
    build_item_columns,
    build_snapshot_columns,
    name_item_columns,
)
from llm_assets.core.work_items import WorkItem, WorkItems
from llm_assets.defs.publishing import IMAGES_KEY, INPUT_KEY
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.table_metadata import describe_table
from llm_assets.gateways.exports import ExportFile, find_export
from llm_assets.gateways.reports import WrittenReport

MAX_REPORT_CHARS = 20_000
"""Of a report in an event; the file holds the whole of it."""


def describe_snapshot(
    scope: TaskScope, snapshot: InputSnapshot, *, path: Path
) -> dict[str, object]:
    """What was read, from where and as what."""
    meta = snapshot.meta
    columns = build_snapshot_columns(snapshot, id_column=scope.task.settings.input.id_column)
    rows = (record.values for record in snapshot.records)
    return {
        **describe_table(scope, columns, rows=rows, n_rows=meta.n_rows),
        "columns": meta.n_cols,
        "nulls": meta.n_nulls,
        "input_path": meta.input_path,
        "input_file": dg.MetadataValue.path(str(path)),
        INPUT_KEY: meta.sha256,
        "format": meta.format,
        "encoding": meta.encoding,
    }


def describe_images(items: WorkItems) -> dict[str, object]:
    """The pictures of a batch; nothing where no column names any."""
    if items.meta.images_sha256 is None:
        return {}
    images = [image for item in items.records for image in item.images]
    return {
        "images": len(images),
        "images_with_problems": sum(image.problem is not None for image in images),
        IMAGES_KEY: items.meta.images_sha256,
    }


def describe_contexts(
    scope: TaskScope, contexts: GroupContexts, *, columns: tuple[str, ...]
) -> dict[str, object]:
    """How large the groups are and what was cut; `columns` are those of the input.

    Where rows are not grouped there is no table.
    """
    meta, records = contexts.meta, contexts.records
    table: tuple[StageColumn, ...] = ()
    if meta.grouping_column is not None:
        settings = scope.task.settings
        shown = decide_visible_columns(columns, settings.context, settings.image_columns)
        table = build_context_columns(meta.grouping_column, shown=shown)
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
    return {
        **describe_table(scope, table, rows=rows, n_rows=meta.n_groups),
        "grouping_column": meta.grouping_column,
        "grouped_rows": meta.n_rows,
        "rows_left_out": sum(group.n_rows - group.n_rows_used for group in records),
        "largest_context_chars": max((len(group.text) for group in records), default=0),
        "cut_groups": sum(bool(group.cuts) for group in records),
    }


def describe_items(scope: TaskScope, items: WorkItems) -> dict[str, object]:
    """What the model is asked about."""
    meta = items.meta
    return {
        **describe_table(
            scope, build_item_columns(items), rows=_iter_item_rows(items), n_rows=meta.n_items
        ),
        "mode": meta.mode,
        "columns_shown": len(meta.columns),
        "groups": meta.n_group_contexts,
        "repeated_items": sum(item.occurrence > 0 for item in items.records),
        "cut_items": sum(bool(item.cuts) for item in items.records),
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
    return {
        **describe_table(scope, columns, rows=rows, n_rows=table.meta.n_rows),
        "accepted": table.meta.n_accepted,
        "left_out": table.meta.n_left_out,
        "is_rehearsal": table.meta.is_rehearsal,
        "formulas_made_harmless": max((file.written.n_formulas for file in files), default=0),
        "cells_cut": max((file.written.n_cut for file in files), default=0),
        "cells_with_replaced_characters": max(
            (file.written.n_replaced for file in files), default=0
        ),
        **_list_files(file.path for file in files),
    }


def describe_report(
    scope: TaskScope,
    batch: BatchKey,
    *,
    written: WrittenReport,
    index: Path,
    outputs: LLMOutputs,
) -> dict[str, object]:
    """The report itself, and the files of the batch that people open."""
    formats = scope.task.settings.export.formats
    exports = (find_export(scope.task, scope.project, batch, name) for name in formats)
    totals = outputs.meta.totals
    return {
        "report": dg.MetadataValue.md(cut_text(written.text, rest_in="report_path")),
        "report_path": dg.MetadataValue.path(str(written.path)),
        "page": dg.MetadataValue.path(str(written.page)),
        "all_batches": dg.MetadataValue.path(str(index)),
        **_list_files(exports),
        "items": totals.n_items,
        "accepted": totals.outcomes["accepted"],
        "cost_usd": describe_amount(totals.cost_usd, is_known=totals.n_calls_unpriced == 0),
    }


def describe_assessment(meta: AssessmentMeta) -> dict[str, object]:
    """The score and how sure it is, for plots over batches, and the tables for people; null where there is none."""
    total = meta.total
    return {
        "assessment": dg.MetadataValue.md(render_assessment_markdown(meta)),
        "score": total.score,
        "score_low": total.interval and total.interval.low,
        "score_high": total.interval and total.interval.high,
        "min_score": meta.min_score,
        **{f"score_{field.name}": field.total.score for field in meta.fields},
        "dagster/row_count": total.n_scored,
        "scored_without_output": total.n_without_output,
        "nothing_expected": meta.n_nothing_expected,
        "not_asked": meta.n_not_asked,
        "is_rehearsal": meta.is_rehearsal,
    }


def describe_amount(amount: Decimal, *, is_known: bool) -> float | None:
    """US dollars as a point of a plot; none where a part of the amount is not known."""
    return float(amount) if is_known else None


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
