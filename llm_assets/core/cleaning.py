"""What is put away together when a stage is to be made from scratch, and which files belong to it?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from pydantic import JsonValue

from llm_assets.config.export import ExportFormat
from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import Cell
from llm_assets.errors import InputError, suggest

ARTIFACTS = "artifacts"
FILES_FOR_PEOPLE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "export": ("exports", get_args(ExportFormat)),
    "review_queue": ("review_queue", ("xlsx",)),
    "report": ("reports", ("md", "html", "json")),
    "comparison": ("comparisons", ("md", "html")),
}
"""Where a stage writes files for people, and their endings; other files in those folders are not its own."""
VALUE_ENDINGS = (".jsonl", ".json")
BESIDE_ENDINGS = (".meta.json", ".run.json")
"""What stands beside a collection of records."""
MAX_NAMED = 10

Listing = Mapping[str, frozenset[str]]
"""The names of the files in each folder; folders as in `artifacts/<task>/<stage>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """What is put away, in the order in which that happens: what is made from a value goes before the value."""

    task: TaskName
    files: Mapping[Cell, tuple[str, ...]]
    """The files of each stage and batch, as paths below the data; none where only the history knows of it."""

    @property
    def n_files(self) -> int:
        """How many files are moved."""
        return sum(map(len, self.files.values()))

    def build_record(self) -> dict[str, JsonValue]:
        """What is put away, for scripts."""
        cells: list[JsonValue] = [
            {"stage": stage, "batch": batch, "files": [*paths]}
            for (stage, batch), paths in self.files.items()
        ]
        return {"task": self.task, "cleaned": cells}


def choose_cells(
    graph: StageGraph,
    task: TaskName,
    *,
    first: str,
    named: Sequence[str],
    known: Sequence[BatchKey],
) -> tuple[Cell, ...]:
    """The stage `first` and all that is made from it: of the batches named, or of all and what they share.

    `InputError` for a stage or a batch that the task does not have, with the one that may have been meant.
    """
    if first not in graph.names:
        raise _build_unknown_error(task, "stage", first, graph.names)
    for batch in named:
        if batch not in known:
            raise _build_unknown_error(task, "batch", batch, known)
    nodes = [graph.find(name) for name in reversed(graph.find_downstream(first))]
    batched = [node.name for node in nodes if node.is_batched]
    if named and not batched:
        what = f"The stage {first} is the same for all batches; nothing was put away."
        raise InputError(what, remedy="Leave --batch out.")
    chosen = [batch for batch in known if not named or batch in named]
    of_batches: list[Cell] = [(name, batch) for batch in chosen for name in batched]
    if named:
        return tuple(of_batches)
    after: list[Cell] = [(node.name, None) for node in nodes if graph.is_about_batches(node)]
    shared = [node for node in nodes if not node.is_batched and not graph.is_about_batches(node)]
    return (*after, *of_batches, *((node.name, None) for node in shared))


def list_folders(task: TaskName, cells: Iterable[Cell]) -> tuple[str, ...]:
    """The folders that hold files of these stages, each once."""
    found: dict[str, None] = {}
    for stage, batch in cells:
        found[_find_folder(task, stage, batch)] = None
        if stage in FILES_FOR_PEOPLE:
            found[f"{FILES_FOR_PEOPLE[stage][0]}/{task}"] = None
    return tuple(found)


def choose_files(task: TaskName, cells: Iterable[Cell], listing: Listing) -> dict[Cell, list[str]]:
    """The files of each stage and batch, out of those in its folders; cells without any are there, too."""
    owners = {folder: _group_by_owner(names) for folder, names in listing.items()}
    files: dict[Cell, list[str]] = {}
    for stage, batch in cells:
        folder = _find_folder(task, stage, batch)
        names = owners.get(folder, {}).get(batch or stage, ())
        files[stage, batch] = [f"{folder}/{name}" for name in names]
        if batch is not None and stage in FILES_FOR_PEOPLE:
            base, endings = FILES_FOR_PEOPLE[stage]
            folder = f"{base}/{task}"
            wanted = [f"{batch}.{ending}" for ending in endings]
            present = listing.get(folder, frozenset())
            files[stage, batch] += [f"{folder}/{name}" for name in wanted if name in present]
    return files


def build_cleaning(
    task: TaskName, files: Mapping[Cell, Sequence[str]], *, made: Iterable[Cell]
) -> Cleaning:
    """What there is to put away: files, and what the history still calls made though its files are gone."""
    known = frozenset(made)
    kept = {cell: tuple(paths) for cell, paths in files.items() if paths or cell in known}
    return Cleaning(task=task, files=kept)


def render_cleaning(cleaning: Cleaning) -> tuple[str, ...]:
    """A line for each batch, and one for what they share."""
    stages: dict[BatchKey | None, list[str]] = defaultdict(list)
    for stage, batch in cleaning.files:
        stages[batch].insert(0, stage)
    shared = stages.pop(None, None)
    lines = [f"{batch}: {', '.join(names)}" for batch, names in stages.items()]
    return (*lines, f"all batches: {', '.join(shared)}") if shared else tuple(lines)


def _find_folder(task: TaskName, stage: str, batch: BatchKey | None) -> str:
    own = f"{ARTIFACTS}/{task}"
    return own if batch is None else f"{own}/{stage}"


def _group_by_owner(names: frozenset[str]) -> Mapping[str, Sequence[str]]:
    """The names by the value they belong to: a batch may be called like the file beside another one."""
    owners: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        owner = _find_owner(name, names)
        if owner is not None:
            owners[owner].append(name)
    return owners


def _find_owner(name: str, names: frozenset[str]) -> str | None:
    for ending in BESIDE_ENDINGS:
        stem = name.removesuffix(ending)
        if stem != name and f"{stem}.jsonl" in names:
            return stem
    ending = next((each for each in VALUE_ENDINGS if name.endswith(each)), None)
    return None if ending is None or name.startswith(".") else name.removesuffix(ending)


def _build_unknown_error(task: TaskName, kind: str, name: str, names: Sequence[str]) -> InputError:
    shown = ", ".join(names[:MAX_NAMED])
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    plural = "Batches" if kind == "batch" else "Stages"
    known = f"{plural}: {shown}{more}." if names else "It has none yet."
    what = f"Task {task} has no {kind} {name!r}; nothing was put away."
    return InputError(what, remedy=f"{suggest(name, names)} {known}".strip())
