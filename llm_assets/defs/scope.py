"""What every asset of a task is built from, and what its neighbours in the graph are called."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from typing import Any

import dagster as dg

from llm_assets.config.images import ImageSettings
from llm_assets.core.code_version import render_code_version
from llm_assets.core.ids import BatchKey
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task


@dataclass(frozen=True, kw_only=True)
class TaskScope:
    """One task in one project."""

    project: Project
    task: Task
    clock: Clock
    observers: Sequence[Observer]
    """Who is told about runs, beside the run's own log."""
    key_prefix: tuple[str, ...] = ()
    """What stands before the task's name in every key; files and the partitions' name are the same without it."""

    @property
    def batches(self) -> dg.DynamicPartitionsDefinition:
        """The task's batches: one partition for every input file."""
        return dg.DynamicPartitionsDefinition(name=f"{self.task.name}_batches")

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the config, and the task's name."""
        return {"task": self.task.name, **self.task.settings.tags}

    @property
    def owners(self) -> list[str]:
        """The owners of the config."""
        return list(self.task.settings.owners)

    def build_key(self, stage: str) -> dg.AssetKey:
        """The key of one of the task's assets."""
        return dg.AssetKey([*self.key_prefix, self.task.name, stage])

    def build_inputs(self, *stages: str) -> dict[str, dg.AssetIn]:
        """The values of other stages as arguments of their names."""
        return {stage: dg.AssetIn(key=self.build_key(stage)) for stage in stages}

    def list_guards(self) -> list[dg.AssetKey]:
        """The stages that a stage has to come after if it hands anything of a batch on to people or programs."""
        return [self.build_key(stage) for stage in self.task.settings.guards]

    def build_optional_input(self, stage: str, value_type: type[object]) -> dict[str, dg.AssetIn]:
        """The value of a stage that not every task has, for an asset that takes it as a keyword; nothing without it."""
        settings = self.task.settings
        block = {"assessment": settings.expected}.get(stage, settings.gate)
        if block is None:
            return {}
        value = get_value_type(value_type)
        return {stage: dg.AssetIn(key=self.build_key(stage), dagster_type=value)}

    def build_code_version(self, recipe: int, **parts: object) -> str:
        """Changes with what the asset itself uses: its recipe and its own settings, nothing else.

        Staleness looks one step back only, so a setting belongs to the asset that reads it. The names of the
        parts are what a person is told of a change.
        """
        return render_code_version(recipe, parts)


@cache
def get_value_type(value_type: type[object]) -> dg.DagsterType:
    """One for all tasks: Dagster refuses two of one name in one graph."""
    return dg.PythonObjectDagsterType(value_type)


def get_batch(context: dg.AssetExecutionContext) -> BatchKey:
    """The batch that is being materialized."""
    return BatchKey(context.partition_key)


def dump_settings(
    settings: Any,  # noqa: ANN401 -- any block of settings
    *,
    exclude: AbstractSet[str] = frozenset(),
) -> Mapping[str, Any]:
    """A block of settings as plain data, for a code version."""
    return settings.model_dump(mode="json", exclude=set(exclude))


def build_score_parts(scope: TaskScope) -> dict[str, object]:
    """What an assessment adds to the code version of a stage that shows its scores: nothing, where there is none.

    A stage that is gone has no new version, so without it nobody would notice that scores are shown no more.
    """
    return {} if scope.task.settings.expected is None else {"expected": True}


def build_class_parts(scope: TaskScope) -> dict[str, object]:
    """What the steps' classes and order add to the code version of a stage that shows them.

    Nothing, where a task is one step: the schema stage knows its class.
    """
    if not scope.task.has_chain:
        return {}
    steps = [step.settings for step in scope.task.steps]
    return {
        "classes": [
            [step.name, step.output_model, step.judge_model if step.judge else None]
            for step in steps
        ]
    }


def build_image_parts(images: ImageSettings | None) -> dict[str, object]:
    """What pictures add to the code version of a stage that sees them: nothing, where there are none."""
    return {} if images is None else {"images": dump_settings(images)}


def build_image_column_parts(scope: TaskScope) -> dict[str, object]:
    """What pictures add to the code version of a stage that leaves their columns out."""
    columns = scope.task.settings.image_columns
    return {"image_columns": columns} if columns else {}
