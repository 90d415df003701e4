"""A tiny project's batch, led through the stages in this process and without Dagster."""

from dataclasses import dataclass
from pathlib import Path

from llm_assets.core.answer_columns import build_answer_columns
from llm_assets.core.export import ExportTable, build_export
from llm_assets.core.group_contexts import GroupContexts, build_group_contexts
from llm_assets.core.ids import BatchKey
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.report import Report
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.schema_record import SchemaRecord, SchemaText, build_schema_record
from llm_assets.core.work_items import WorkItems
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.generation import Generation, generate_outputs
from llm_assets.gateways.item_making import make_work_items
from llm_assets.gateways.llm_run import LIVE_SECONDS, Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.reports import ReportSources, build_config_snapshot, build_task_report
from llm_assets.gateways.schema_texts import describe_task_schema, load_answer_schemas
from llm_assets.gateways.snapshots import take_snapshot
from llm_assets.gateways.steps_run import GenerationRequest, StepsGeneration, generate_steps
from llm_assets.gateways.task_schemas import load_task_schema
from llm_assets.gateways.tasks import Task, load_task
from llm_assets_tests.end_to_end.tiny_project import build_project
from llm_assets_tests.fakes import FakeClock

MAY = BatchKey("may")
ALL = RunChoice(limit=None, is_forced=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The values of the stages before the model is asked."""

    task: Task
    project: Project
    schema: SchemaRecord
    schema_text: SchemaText
    snapshot: InputSnapshot
    contexts: GroupContexts
    items: WorkItems

    def generate(
        self,
        choice: RunChoice = ALL,
        *,
        clock: Clock | None = None,
        observer: Observer | None = None,
    ) -> Generation:
        return generate_outputs(
            self.task,
            self.project,
            GenerationRequest(batch=MAY, run_id="run-1", choice=choice),
            items=self.items,
            contexts=self.contexts,
            schema_text=self.schema_text,
            observer=observer or Observer(),
            clock=clock or self._build_clock(),
        )

    def generate_steps(self) -> StepsGeneration:
        """Lead the batch of a task of several steps through all of them."""
        return generate_steps(
            self.task,
            self.project,
            GenerationRequest(batch=MAY, run_id="run-1", choice=ALL),
            selected=self.task.step_names,
            items=self.items,
            contexts=self.contexts,
            schema_text=self.schema_text,
            observer=Observer(),
            clock=self._build_clock(),
        )

    def _build_clock(self) -> FakeClock:
        return FakeClock(held_seconds=[self.task.settings.limits.progress_seconds, LIVE_SECONDS])

    def build_export(self, generation: Generation) -> ExportTable:
        return build_export(
            self.snapshot,
            generation.outputs,
            items_meta=self.items.meta,
            settings=self.task.settings.export,
            output_columns=build_answer_columns(
                load_answer_schemas(
                    self.task, self.project, source_sha256=self.schema.source_sha256
                ),
                self.task.settings.export.nested,
            ),
        )

    def build_sources(self, generation: Generation) -> ReportSources:
        return ReportSources(
            snapshot=self.snapshot,
            contexts=self.contexts,
            items_meta=self.items.meta,
            outputs=generation.outputs,
        )

    def build_report(self, generation: Generation) -> Report:
        return build_task_report(
            self.task,
            self.project,
            self.build_sources(generation),
            config=build_config_snapshot(self.task, self.project, MAY),
        )


def build_project_files(root: Path, edits: dict[str, str] | None = None) -> Project:
    """The files of the tiny project, with these texts of its config replaced."""
    tiny = build_project(root)
    for old, new in (edits or {}).items():
        tiny.edit("configs/notes.yaml", old, new)
    return Project(root=root, environ={})


def prepare(project: Project) -> Stages:
    """Take the batch as far as the questions."""
    task = load_task(project, "notes")
    settings = task.settings
    module = load_task_schema(task, project)
    schema = build_schema_record(
        module.models,
        path=project.show(task.schema_path),
        source_sha256=module.source_sha256,
        output_model=settings.schema_.output_model,
    )
    snapshot = take_snapshot(task, project, MAY)
    contexts = build_group_contexts(
        snapshot,
        grouping=settings.grouping,
        context=settings.context,
        image_columns=settings.image_columns,
    )
    items = make_work_items(task, snapshot, contexts)
    return Stages(
        task=task,
        project=project,
        schema=schema,
        schema_text=describe_task_schema(task, project, schema=schema),
        snapshot=snapshot,
        contexts=contexts,
        items=items,
    )
