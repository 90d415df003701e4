"""How what waits in a stored batch is put into a workbook of its own, wherever a person wants it."""

from pathlib import Path

from llm_assets.core.gate import GateDecisions, Route
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.review_book import build_review_book
from llm_assets.core.review_queue import build_review_queue
from llm_assets.core.schema_record import SchemaRecord
from llm_assets.core.work_items import WorkItems
from llm_assets.errors import InputError
from llm_assets.gateways.artifacts import load_model
from llm_assets.gateways.gating import load_recorded_forms
from llm_assets.gateways.review_workbook import write_review_workbook
from llm_assets.gateways.stored_stages import StoredStages


def export_review(
    stages: StoredStages, path: Path, *, routes: tuple[Route, ...], reviewer: str
) -> int:
    """Write the items of a batch that went one of these ways into a workbook; how many there are.

    `reviewer` is filled in as who decides. `InputError` where the batch has not come to its gate.
    """
    task, project = stages.task, stages.project
    if not stages.has("gate"):
        raise InputError(
            f"The batch {stages.batch} of the task {task.name!r} has not come to a gate; nothing was written.",
            remedy=f"Run `llm-assets run {task.name} --batch {stages.batch}` first."
            if task.settings.gate
            else f"Add a `gate` block to {project.show(task.config_path)}, and run the task.",
        )
    schema = load_model(
        project.artifacts / task.name / "schema.json", SchemaRecord, shown=f"{task.name}/schema"
    )
    queue = build_review_queue(
        stages.load("input_snapshot", InputSnapshot),
        stages.load("work_items", WorkItems),
        stages.load("llm_outputs", LLMOutputs),
        gate=stages.load("gate", GateDecisions),
        task=task.name,
        batch=stages.batch,
        id_column=task.settings.input.id_column,
        image_columns=task.settings.image_columns,
        routes=routes,
    )
    forms = load_recorded_forms(task, project, source_sha256=schema.source_sha256)
    write_review_workbook(path, build_review_book(queue, forms, reviewer=reviewer))
    return queue.meta.n_items
