"""Everything Dagster knows about one task."""

from collections.abc import Sequence

import dagster as dg

from llm_assets.defs.assets.assessment import build_assessment_asset
from llm_assets.defs.assets.export import build_export_asset
from llm_assets.defs.assets.group_contexts import build_group_contexts_asset
from llm_assets.defs.assets.input_snapshot import build_input_snapshot_asset
from llm_assets.defs.assets.llm_outputs import build_llm_outputs_asset
from llm_assets.defs.assets.report import build_report_asset
from llm_assets.defs.assets.schema import build_schema_asset
from llm_assets.defs.assets.schema_text import build_schema_text_asset
from llm_assets.defs.assets.work_items import build_work_items_asset
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.sources import build_source_assets

TASK_STAGES = ("schema", "schema_text")
"""Stages that are the same for all batches."""
BATCH_STAGES = (
    "input_snapshot",
    "group_contexts",
    "work_items",
    "llm_outputs",
    "export",
    "report",
)
"""Stages that every batch has, in the order in which they run."""
OPTIONAL_STAGES = ("assessment",)
"""Stages of a batch that a task has where its config asks for them; they come before `export`."""


def list_batch_stages(scope: TaskScope) -> tuple[str, ...]:
    """The stages that the batches of a task have, in the order in which they run."""
    at = BATCH_STAGES.index("export")
    optional = () if scope.task.settings.expected is None else OPTIONAL_STAGES
    return (*BATCH_STAGES[:at], *optional, *BATCH_STAGES[at:])


def build_task_assets(scope: TaskScope) -> list[dg.AssetsDefinition]:
    """The stages of a task, in the order in which they run."""
    expected = scope.task.settings.expected
    return [
        build_schema_asset(scope),
        build_schema_text_asset(scope),
        build_input_snapshot_asset(scope),
        build_group_contexts_asset(scope),
        build_work_items_asset(scope),
        build_llm_outputs_asset(scope),
        *([] if expected is None else [build_assessment_asset(scope, expected)]),
        build_export_asset(scope),
        build_report_asset(scope),
    ]


def build_task_definitions(scope: TaskScope) -> dg.Definitions:
    """The stages, the files they come from, and a job for each half of them."""
    return dg.Definitions(
        assets=[*build_source_assets(scope), *build_task_assets(scope)],
        jobs=[
            dg.define_asset_job(
                name=name_schema_job(scope),
                selection=_select(scope, TASK_STAGES),
                description="Brings the schema and its text up to date.",
                executor_def=dg.in_process_executor,
                tags=scope.tags,
            ),
            dg.define_asset_job(
                name=name_batch_job(scope),
                selection=_select(scope, list_batch_stages(scope)),
                description="Runs one batch from its input file to its report.",
                executor_def=dg.in_process_executor,
                tags=scope.tags,
            ),
        ],
    )


def name_schema_job(scope: TaskScope) -> str:
    """The job that is about no batch."""
    return f"{scope.task.name}_schema"


def name_batch_job(scope: TaskScope) -> str:
    """The job that runs a batch."""
    return f"{scope.task.name}_batch"


def _select(scope: TaskScope, stages: Sequence[str]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(scope.build_key(stage) for stage in stages))
