"""A tiny project with a gate, whose model is as sure as each note says, and a person who fills in its workbooks."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from llm_assets_tests.end_to_end.scripted_model import Asked
from llm_assets_tests.end_to_end.tiny_project import Row, TinyProject, build_project

CONFIG, SCHEMA = "configs/notes.yaml", "configs/schemas/notes.py"
GATE = "gate:\n  field: confidence\n  at_least: 0.8\n"
CONFIDENCE = '    confidence: float | None = Field(description="How sure that is.")\n'
ROWS: Sequence[Row] = (
    ("1", "lathe", "The belt slips. sure: 0.95", "a"),
    ("2", "paint", "New paint arrived. sure: 0.8", "b"),
    ("3", "lathe", "The belt was replaced. sure: 0.79", "c"),
    ("4", "doors", "The door does not close. sure: null", "d"),
    ("5", "paint", "Two tins leaked. sure: refused", "e"),
    ("6", "doors", "Hinges oiled. sure: 0.3", "f"),
)
N_CALLS = len(ROWS)
"""Each row is asked once; what was refused is not asked again."""
ROUTES = {"1": "published", "2": "published", "3": "review_queue", "4": "review_queue"} | {
    "5": "failed",
    "6": "review_queue",
}
"""Which way each row goes at 0.8."""

Edits = Mapping[str, Mapping[str, object]]
"""By the id of a row, what a person writes into which column."""


def answer_note(asked: Asked) -> dict[str, Any] | str:
    """What the model says: a summary of its own words, and the number that the note names."""
    sure = re.search(r"sure: (\S+)", asked.question)
    assert sure is not None
    if sure.group(1) == "refused":
        return "I would rather not."
    number = None if sure.group(1) == "null" else float(sure.group(1))
    (text,) = re.findall(r"text: (.*?)\.", asked.question)
    return {"summary": text, "mood": "bad", "score": 5, "confidence": number}


def build_gated_project(root: Path, base_url: str, rows: Sequence[Row] = ROWS) -> TinyProject:
    """Write the project; its model is served at `base_url`."""
    project = build_project(root, base_url=base_url, rows=rows)
    project.edit(CONFIG, "  folder: data/notes\n", "  folder: data/notes\n  id_column: id\n")
    project.edit(CONFIG, "  attempts: 3\n", "  attempts: 1\n  retry_failed: false\n")
    project.write(CONFIG, project.read(CONFIG) + GATE)
    project.write(SCHEMA, project.read(SCHEMA) + CONFIDENCE)
    return project


def fill_review(
    project: TinyProject,
    edits: Edits,
    *,
    to: str,
    batch: str = "may",
    workbook: Path | None = None,
    task: str = "notes",
    id_column: str = "id",
) -> Path:
    """Fill in the workbook of what waits, and save it in the project as `to`."""
    from llm_assets.gateways.review_workbook import SHEET

    source = workbook or project.root / "data" / "review_queue" / task / f"{batch}.xlsx"
    book: Any = openpyxl.load_workbook(source)
    sheet = book[SHEET]
    names = [cell.value for cell in sheet[1]]
    numbers = {
        str(sheet.cell(number, names.index(id_column) + 1).value): number
        for number in range(2, sheet.max_row + 1)
    }
    for row, cells in edits.items():
        for name, value in {"reviewer": "Ana", **cells}.items():
            sheet.cell(numbers[row], names.index(name) + 1).value = value
    target = project.root / to
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    book.close()
    return target


def read_routes(project: TinyProject, batch: str = "may", task: str = "notes") -> dict[str, str]:
    """Which way each row of a batch went, by the artifact of the gate."""
    records = project.read_records("gate", batch=batch, task=task)
    return {record["row_ids"][0]: record["route"] for record in records}


def read_published(
    project: TinyProject, batch: str = "may", task: str = "notes"
) -> dict[str, dict[str, Any]]:
    """The published records of a batch by their rows."""
    records = project.read_records("published", batch=batch, task=task)
    return {record["row_ids"][0]: record for record in records}
