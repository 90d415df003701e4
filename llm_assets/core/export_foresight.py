"""Can an export have the columns that its config chooses, by what is known before the first call?"""

from collections.abc import Mapping

from pydantic import JsonValue

from llm_assets.config.task import TaskSettings
from llm_assets.core.answer_columns import AnswerSchemas, build_answer_columns
from llm_assets.core.export_choice import PATTERNS, decide_columns
from llm_assets.core.export_columns import (
    ExportColumn,
    build_extra_columns,
    build_input_columns,
    build_status_columns,
    build_unique_names,
)
from llm_assets.core.export_scores import build_score_columns


def check_export_columns(
    settings: TaskSettings, *, input_columns: tuple[str, ...], schemas: AnswerSchemas
) -> None:
    """Make sure that every chosen column is going to be there; `ConfigError` names every one that is not.

    A name that only answers could bring is let pass: nobody knows before what they hold.
    """
    export = settings.export
    available = list_columns_to_come(settings, input_columns=input_columns, schemas=schemas)
    if _is_open(schemas.output):
        known = {column.name for column in available} | PATTERNS.keys()
        others = [each.column for each in export.columns if each.column not in known]
        available += tuple(
            ExportColumn(name=name, source="output", path=(name,), kind="json")
            for name in dict.fromkeys(others)
        )
    decide_columns(available, chosen=export.columns, is_rehearsal=False)


def list_columns_to_come(
    settings: TaskSettings, *, input_columns: tuple[str, ...], schemas: AnswerSchemas
) -> tuple[ExportColumn, ...]:
    """The columns that an export of these settings can choose from, in their order."""
    mode, hooks = settings.grouping.mode, settings.hooks.references
    own = (settings.grouping.column,) if mode == "group_output" else input_columns
    chosen = tuple(column.column for column in settings.export.columns)
    fields = None if settings.expected is None else tuple(settings.expected.fields)
    return build_unique_names(
        [
            *build_input_columns([name for name in own if name is not None], []),
            *build_answer_columns(schemas, settings.export.nested),
            *(build_extra_columns([], chosen=chosen) if "request" in hooks else ()),
            *build_score_columns(fields),
            *build_status_columns(
                mode, is_text=settings.answer.kind == "text", is_scored="scorer" in hooks
            ),
        ]
    )


def _is_open(schema: Mapping[str, JsonValue]) -> bool:
    """Whether an output may have fields that its schema does not name."""
    return "properties" in schema and schema.get("additionalProperties") is not False
