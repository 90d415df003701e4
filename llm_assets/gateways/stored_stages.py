"""Where the stored stages of a batch lie, and of which batches there are any."""

from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel
from upath import UPath

from llm_assets.core.corrections import Corrections
from llm_assets.core.ids import BatchKey
from llm_assets.errors import InputError, suggest
from llm_assets.gateways.artifacts import Collection, load_meta, load_records
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task

Records = TypeVar("Records", bound=Collection)
Meta = TypeVar("Meta", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStages:
    """What runs left of one batch."""

    task: Task
    project: Project
    batch: BatchKey
    kept: UPath | None = None
    """A folder with stages of an earlier state, such as a copy; a stage that it does not have is that of now."""

    def find(self, stage: str) -> UPath:
        """Where the records of a stage lie, or would."""
        folder = self.project.artifacts / self.task.name
        if self.kept is not None and self.is_kept(stage):
            folder = self.kept
        return folder / stage / f"{self.batch}.jsonl"

    def is_kept(self, stage: str) -> bool:
        """Whether the stage is one of the earlier state."""
        return self.kept is not None and (self.kept / stage / f"{self.batch}.jsonl").exists()

    def has(self, stage: str) -> bool:
        """Whether a run got as far as this stage."""
        return self.find(stage).with_suffix(".meta.json").exists()

    def load(self, stage: str, collection: type[Records]) -> Records:
        """The records of a stage; `StorageError` where they are missing, damaged or foreign."""
        return load_records(self.find(stage), collection, shown=self.show(stage))

    def load_meta(self, stage: str, meta: type[Meta]) -> Meta:
        """What a stage says about its records, and none of them."""
        return load_meta(self.find(stage), meta, shown=self.show(stage))

    def show(self, stage: str) -> str:
        """The stage's name in messages."""
        return f"{self.task.name}/{stage}/{self.batch}"


def list_stored_batches(task: Task, project: Project) -> tuple[BatchKey, ...]:
    """The batches of which rows are stored, sorted."""
    folder = project.artifacts / task.name / "work_items"
    found = (path.name for path in folder.glob("*.jsonl")) if folder.exists() else ()
    return tuple(BatchKey(name.removesuffix(".jsonl")) for name in sorted(found))


def find_stored_batch(task: Task, project: Project, batch: str) -> StoredStages:
    """What is stored of a batch; `InputError` where nothing is, naming the batches that have run."""
    known = list_stored_batches(task, project)
    if batch in known:
        return StoredStages(task=task, project=project, batch=BatchKey(batch))
    remedy = f"{suggest(batch, known)} Batches that have run: {', '.join(known)}.".strip()
    raise InputError(
        f"Of batch {batch!r} of task {task.name!r} nothing is stored.",
        remedy=remedy if known else _build_run_hint(task),
    )


def load_corrections(stages: StoredStages) -> Corrections | None:
    """What people decided on the batch; None where the task has no gate, or the batch did not get so far."""
    has_gate = stages.task.settings.gate is not None and stages.has("corrections")
    return stages.load("corrections", Corrections) if has_gate else None


def build_nothing_stored_error(task: Task) -> InputError:
    """Says that no batch of a task has run."""
    return InputError(f"Task {task.name!r} has not run yet.", remedy=_build_run_hint(task))


def _build_run_hint(task: Task) -> str:
    return f"Run it first: `llm-assets run {task.name}`."
