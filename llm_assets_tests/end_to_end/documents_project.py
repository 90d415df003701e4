"""The example `documents` in a folder of its own, its last step answered by a model that says how sure it is."""

import csv
import re
import shutil
from pathlib import Path
from typing import Any

from llm_assets_tests.end_to_end.gated_project import Edits, fill_review
from llm_assets_tests.end_to_end.scripted_model import Asked
from llm_assets_tests.end_to_end.tiny_project import REPOSITORY, TinyProject

CONFIG, CLASSIFY = "configs/documents.yaml", "prompts/documents_classify.yaml"
TABLE = "data/samples/documents/april.csv"
FILES = (
    CONFIG,
    "configs/schemas/documents.py",
    "prompts/documents_extract.yaml",
    "prompts/documents_summarize.yaml",
    CLASSIFY,
)
STEPS = ("extract", "summarize", "classify")
UNSURE_EVERY = 10
"""The registrar's model is not sure of every so many papers."""
ENDPOINTS = """\
endpoints:
  reader:
    preset: offline
    base_url: {reader_url}
    price: {{input_usd: 1, output_usd: 10}}
  registrar:
    preset: offline
    base_url: {registrar_url}
    price: {{input_usd: 2, output_usd: 20}}
"""


def file_paper(asked: Asked) -> dict[str, Any]:
    """What the registrar's model says of a paper: its kind, and how sure that is."""
    number = re.search(r"title: .*\(paper (\d+)\)", asked.texts[-1])
    assert number is not None
    is_unsure = int(number.group(1)) % UNSURE_EVERY == 0
    return {"category": "notice", "confidence": 0.4 if is_unsure else 0.8}


def copy_documents(root: Path) -> TinyProject:
    """The example's files, its sixteen papers included."""
    for name in (*FILES, TABLE):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, target)
    return TinyProject(root)


def build_documents_project(
    root: Path, *, n_papers: int, reader_url: str, registrar_url: str
) -> TinyProject:
    """Many papers made from the sixteen; two steps are served at one address and the last one at another.

    Nothing is asked twice because of what was answered, and waits are short.
    """
    project = copy_documents(root)
    with (root / TABLE).open(encoding="utf-8-sig", newline="") as file:
        papers = list(csv.DictReader(file))
    chosen = [(number, papers[number % len(papers)]) for number in range(n_papers)]
    project.write_table(
        TABLE,
        [
            (f"P-{number}", paper["received"], f"{paper['title']} (paper {number})", paper["text"])
            for number, paper in chosen
        ],
        columns=list(papers[0]),
    )
    project.write(
        "configs/endpoints.yaml",
        ENDPOINTS.format(reader_url=reader_url, registrar_url=registrar_url),
    )
    project.edit(
        CONFIG,
        "  endpoint: offline\n  model: extractive",
        "  endpoint: reader\n  model: extractive",
    )
    project.edit(
        CONFIG,
        "    output_model: Classification\n",
        "    output_model: Classification\n    llm: {endpoint: registrar, model: registrar}\n",
    )
    project.edit(CONFIG, "  attempts: 3\n", "  attempts: 1\n  retry_failed: false\n")
    project.edit(CONFIG, "  fault_retries: 3\n", "  fault_retries: 30\n")
    project.edit(CONFIG, "  backoff_seconds: 10\n", "  backoff_seconds: 0.01\n")
    project.edit(CONFIG, "  max_backoff_seconds: 120\n", "  max_backoff_seconds: 0.02\n")
    project.edit(CONFIG, "    - error\n", "    - error\n    - cost_usd\n")
    return project


def fill_paper_review(project: TinyProject, edits: Edits, *, workbook: Path | None = None) -> Path:
    """Fill in the workbook of what waits, by the ids of the papers, as `filled.xlsx`."""
    return fill_review(
        project,
        edits,
        to="filled.xlsx",
        workbook=workbook,
        task="documents",
        batch="april",
        id_column="document_id",
    )
