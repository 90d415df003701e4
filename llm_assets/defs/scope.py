"""What every asset of a task is built from, and what its neighbours in the graph are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import BatchKey
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task

CODE_VERSION_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class TaskScope:
    """One task in one project."""

    project: Project
    task: Task
    clock: Clock
    observers: Sequence[Observer]
    """Who is told about runs, beside the run's own log."""

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
        return dg.AssetKey([self.task.name, stage])

    def build_input(self, stage: str) -> dg.AssetIn:
        """The value of another stage as an argument."""
        return dg.AssetIn(key=self.build_key(stage))

    def build_code_version(self, recipe: int, *parts: object) -> str:
        """Changes with what the asset itself uses: its recipe and its own settings, nothing else.

        Staleness looks one step back only, so a setting belongs to the asset that reads it.
        """
        return fingerprint([recipe, *parts])[:CODE_VERSION_DIGITS]


def get_batch(context: dg.AssetExecutionContext) -> BatchKey:
    """The batch that is being materialized."""
    return BatchKey(context.partition_key)


def dump_settings(settings: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- any block of settings
    """A block of settings as plain data, for a code version."""
    return settings.model_dump(mode="json")


def list_image_parts(scope: TaskScope) -> list[object]:
    """What pictures add to the code version of a stage that sees them: nothing, where there are none."""
    images = scope.task.settings.images
    return [] if images is None else [dump_settings(images)]
