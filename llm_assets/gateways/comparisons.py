"""What is compared with what, and how it is read from what is stored; nothing is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from llm_assets.core.assessment import Assessment
from llm_assets.core.compared_sides import ComparedSide
from llm_assets.core.comparison import Comparison, build_comparison
from llm_assets.core.ids import BatchKey, WorkId
from llm_assets.core.item_pairs import ComparedBatch, build_compared_items
from llm_assets.core.llm_outputs import LLMOutputsMeta
from llm_assets.errors import InputError
from llm_assets.gateways.project import Project
from llm_assets.gateways.reports import list_telling_columns
from llm_assets.gateways.stored_items import StoredItems, load_stored_items
from llm_assets.gateways.stored_stages import (
    StoredStages,
    build_nothing_stored_error,
    find_stored_batch,
    list_stored_batches,
)
from llm_assets.gateways.tasks import Task, load_task


@dataclass(frozen=True, slots=True, kw_only=True)
class SideChoice:
    """One side, as a person named it."""

    name: str
    task: Task
    batch: BatchKey | None = None
    """None for all batches."""
    kept: Path | None = None
    """A folder with stages of an earlier state; None for what is stored now."""


def choose_sides(a: str, b: str, project: Project) -> tuple[SideChoice, SideChoice]:
    """Read what a person compares: a task, one batch of a task as `task@batch`, or a folder, written with a slash.

    The folder holds stages of the task that is the other side, as they were before: it is a copy of
    `data/artifacts/<task>` or a part of one. `InputError` for two folders, `ConfigError` for a task that is not there.
    """
    folders = [_find_folder(text) for text in (a, b)]
    if all(folders):
        raise InputError(
            f"{a} and {b} are both folders, and nothing says of which task.",
            remedy="Compare a folder with the task that it is an earlier state of.",
        )
    tasks = {
        text: load_task(project, text.partition("@")[0])
        for text, folder in zip((a, b), folders, strict=True)
        if folder is None
    }
    other = next(iter(tasks.values()))
    of_a, of_b = (
        SideChoice(name=text, task=other, kept=folder)
        if folder is not None
        else _build_choice(text, tasks[text])
        for text, folder in zip((a, b), folders, strict=True)
    )
    return of_a, of_b


def compare_sides(
    a: SideChoice,
    b: SideChoice,
    project: Project,
    *,
    batches: Sequence[str] = (),
    n_examples: int,
) -> Comparison:
    """Compare what is stored of two sides: the batches named, else those that both have.

    `InputError` where they have none in common, `StorageError` where a batch has no outputs yet.
    """
    known_a, known_b = _list_batches(a, project), _list_batches(b, project)
    wanted = [(BatchKey(key), BatchKey(key)) for key in dict.fromkeys(batches)]
    if a.batch is not None or b.batch is not None:
        only = a.batch or b.batch or BatchKey("")
        wanted = [(a.batch or only, b.batch or only)]
    is_open = not wanted
    if is_open:
        wanted = [(key, key) for key in known_a if key in known_b]
    if not wanted:
        raise InputError(
            f"{a.name} and {b.name} have no batch in common.",
            remedy=f"{a.name} has {', '.join(known_a)}; {b.name} has {', '.join(known_b)}. "
            "Run the missing one, or name two batches: `task@batch`.",
        )
    alone_a = [key for key in known_a if is_open and key not in known_b]
    alone_b = [key for key in known_b if is_open and key not in known_a]
    return build_comparison(
        load_side(a, project, [key for key, _ in wanted], alone_a),
        load_side(b, project, [key for _, key in wanted], alone_b),
        n_examples=n_examples,
    )


def compare_batch(task: Task, other: Task, project: Project, batch: BatchKey) -> Comparison:
    """Compare a batch of a task with the same batch of the task that `compare` names, which is side A.

    `InputError` where the other one has no outputs of it, or the two have no items in common by their kind.
    """
    compare = task.settings.compare
    if batch not in list_stored_batches(other, project) or not (
        StoredStages(task=other, project=project, batch=batch).has("llm_outputs")
    ):
        raise InputError(
            f"Task {task.name} is compared with {other.name} (`compare` in its config), "
            f"which has no outputs of the batch {batch}; what this run was answered is kept.",
            remedy=f"Run `llm-assets run {other.name} --batch {batch}`, and then "
            f"`llm-assets run {task.name} --stale`.",
        )
    a, b = (
        load_side(SideChoice(name=each.name, task=each), project, [batch]) for each in (other, task)
    )
    return build_comparison(a, b, n_examples=compare.examples if compare else 0)


def load_side(
    side: SideChoice,
    project: Project,
    keys: Sequence[BatchKey],
    alone: Sequence[BatchKey] = (),
) -> ComparedSide:
    """These batches of a side as they are stored, and the names of those that the other side does not have.

    `InputError` where nothing is stored of a batch, `StorageError` where it has no outputs yet.
    """
    return ComparedSide(
        name=side.name,
        batches=tuple(_load_batch(side, _find_stages(side, project, key)) for key in keys),
        batches_alone=tuple(alone),
    )


def _find_folder(text: str) -> Path | None:
    """The folder that a name with a slash in it means; other names are those of tasks."""
    if not {"/", "\\"} & set(text):
        return None
    path = Path(text).expanduser().absolute()
    if not (path / "llm_outputs").is_dir():
        raise InputError(
            f"{text} is no folder with the stages of a task: it has no folder llm_outputs in it.",
            remedy="Name a copy of data/artifacts/<task>, or a task, or task@batch.",
        )
    return path


def _build_choice(text: str, task: Task) -> SideChoice:
    batch = text.partition("@")[2]
    return SideChoice(name=text, task=task, batch=BatchKey(batch) if batch else None)


def _list_batches(side: SideChoice, project: Project) -> tuple[BatchKey, ...]:
    if side.kept is not None:
        found = sorted(path.stem for path in (side.kept / "llm_outputs").glob("*.jsonl"))
        return tuple(map(BatchKey, found))
    known = list_stored_batches(side.task, project)
    if not known:
        raise build_nothing_stored_error(side.task)
    return known


def _find_stages(side: SideChoice, project: Project, key: BatchKey) -> StoredStages:
    if side.kept is None:
        return find_stored_batch(side.task, project, key)
    return StoredStages(task=side.task, project=project, batch=key, kept=UPath(side.kept))


def _load_batch(side: SideChoice, stages: StoredStages) -> tuple[ComparedBatch, LLMOutputsMeta]:
    stored, settings = load_stored_items(stages), side.task.settings.input
    source = stored.snapshot.meta
    batch = ComparedBatch(
        name=side.name,
        batch=stages.batch,
        table_id=f"{source.sha256} {settings.sheet} {settings.header_row}",
        mode=stored.items_meta.mode,
        id_column=settings.id_column,
        columns=source.columns,
        items=build_compared_items(
            stages.batch,
            stored.snapshot.records,
            stored.outputs.records,
            telling_columns=list_telling_columns(stored.items_meta),
        ),
        # Scores of a task that expects nothing any more are left from an earlier run.
        scores=_load_scores(stages, stored) if side.task.settings.expected else {},
    )
    return batch, stored.outputs.meta


def _load_scores(stages: StoredStages, stored: StoredItems) -> dict[WorkId, float]:
    """The scores of these outputs; none where nothing is expected, or where they are those of other outputs."""
    if not stages.has("assessment") or stages.is_kept("llm_outputs") > stages.is_kept("assessment"):
        return {}
    records = stages.load("assessment", Assessment).records
    if {each.work_id for each in records} != {each.work_id for each in stored.outputs.records}:
        return {}
    return {each.work_id: each.score for each in records if each.score is not None}
