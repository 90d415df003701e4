"""Which stages' values are there, whatever a history says of them?"""

from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import Cell
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task

ENDINGS = (".json", ".jsonl")


def list_kept(
    task: Task, project: Project, graph: StageGraph, batches: tuple[BatchKey, ...]
) -> frozenset[Cell]:
    """The stages with a file of their value, of these batches where they have batches.

    Looks once into each folder: asking for every file by itself takes long where they lie in object storage.
    """
    shared = _list_names(task, project, folder="")
    kept: set[Cell] = {(node.name, None) for node in graph.shared if _has_value(node.name, shared)}
    for node in graph.batched:
        names = _list_names(task, project, folder=node.name)
        kept |= {(node.name, batch) for batch in batches if _has_value(batch, names)}
    return frozenset(kept)


def _list_names(task: Task, project: Project, *, folder: str) -> frozenset[str]:
    path = project.artifacts / task.name / folder
    try:
        return frozenset(entry.name for entry in path.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def _has_value(stem: str, names: frozenset[str]) -> bool:
    return any(f"{stem}{ending}" in names for ending in ENDINGS)
