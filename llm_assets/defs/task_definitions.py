"""Everything Dagster knows about one task."""

import warnings
from collections.abc import Sequence

import dagster as dg

from llm_assets.core.stage_graph import StageGraph
from llm_assets.defs.assets.assessment import build_assessment_asset
from llm_assets.defs.assets.comparison import build_comparison_asset
from llm_assets.defs.assets.corrections import build_corrections_asset
from llm_assets.defs.assets.embeddings import build_embeddings_asset
from llm_assets.defs.assets.export import build_export_asset
from llm_assets.defs.assets.gate import build_gate_asset
from llm_assets.defs.assets.group_contexts import build_group_contexts_asset
from llm_assets.defs.assets.input_snapshot import build_input_snapshot_asset
from llm_assets.defs.assets.llm_outputs import build_llm_outputs_asset
from llm_assets.defs.assets.overview import build_overview_asset
from llm_assets.defs.assets.published import build_published_asset
from llm_assets.defs.assets.report import build_report_asset
from llm_assets.defs.assets.review_queue import build_review_queue_asset
from llm_assets.defs.assets.schema import build_schema_asset
from llm_assets.defs.assets.schema_text import build_schema_text_asset
from llm_assets.defs.assets.steps import build_step_assets
from llm_assets.defs.assets.work_items import build_work_items_asset
from llm_assets.defs.automation import (
    build_automation_sensor,
    build_schedules,
    build_version_condition,
)
from llm_assets.defs.compared_task import find_compared_scope
from llm_assets.defs.file_sensors import build_file_sensors
from llm_assets.defs.jobs import build_jobs
from llm_assets.defs.joined_outputs import build_joined_outputs_asset
from llm_assets.defs.refreshing import build_refresh_job
from llm_assets.defs.review_sensor import build_review_sensor
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.sources import build_source_assets, list_unversioned_files
from llm_assets.defs.stage_graph import read_stage_graph
from llm_assets.defs.staleness_check import build_staleness_check


def _build_output_assets(scope: TaskScope) -> list[dg.AssetsDefinition]:
    """What asks models, and in a chain what joins their answers."""
    if not scope.task.has_chain:
        return [build_llm_outputs_asset(scope)]
    return [build_step_assets(scope), build_joined_outputs_asset(scope)]


def _build_gate_assets(scope: TaskScope) -> list[dg.AssetsDefinition]:
    """What sorts the outputs and lets people decide on them, where the task has a gate."""
    settings, embed = scope.task.settings.gate, scope.task.settings.embed
    if settings is None:
        return []
    return [
        build_corrections_asset(scope),
        build_gate_asset(scope, settings),
        build_review_queue_asset(scope),
        build_published_asset(scope),
        *([] if embed is None else [build_embeddings_asset(scope, embed)]),
    ]


def build_stage_assets(scope: TaskScope) -> Sequence[dg.AssetsDefinition]:
    """The stages of a task, in the order in which they run."""
    expected, compare = scope.task.settings.expected, scope.task.settings.compare
    other = find_compared_scope(scope)
    with warnings.catch_warnings():
        # What keeps a stage's values is bound to it by an argument that is marked as beta.
        warnings.simplefilter("ignore", dg.BetaWarning)
        stages: list[dg.AssetsDefinition] = [
            build_schema_asset(scope),
            build_schema_text_asset(scope),
            build_input_snapshot_asset(scope),
            build_group_contexts_asset(scope),
            build_work_items_asset(scope),
            *_build_output_assets(scope),
            *([] if expected is None else [build_assessment_asset(scope, expected)]),
            *([build_comparison_asset(scope, compare, other)] if compare and other else []),
            *_build_gate_assets(scope),
            build_export_asset(scope),
            build_report_asset(scope),
        ]
        stages.append(build_overview_asset(scope, read_stage_graph(scope, stages)))
    condition = build_version_condition(list_unversioned_files(scope))
    return [
        stage.map_asset_specs(lambda spec: spec.replace_attributes(automation_condition=condition))
        for stage in stages
    ]


def build_task_graph(scope: TaskScope) -> StageGraph:
    """How the stages of a task hang together, with the versions of their settings as they are now."""
    return read_stage_graph(scope, build_stage_assets(scope))


def build_task_definitions(scope: TaskScope) -> dg.Definitions:
    """The stages, the files they come from, and what brings them up to date."""
    stages = build_stage_assets(scope)
    graph = read_stage_graph(scope, stages)
    jobs = build_jobs(scope, graph)
    refresh_job = build_refresh_job(scope)
    return dg.Definitions(
        assets=[*build_source_assets(scope), *stages],
        asset_checks=[build_staleness_check(scope, graph)],
        jobs=[*jobs, refresh_job],
        sensors=[
            *build_file_sensors(scope, graph, jobs),
            *([build_review_sensor(scope, graph, jobs)] if scope.task.settings.gate else []),
            build_automation_sensor(scope),
        ],
        schedules=build_schedules(scope, refresh_job),
    )
