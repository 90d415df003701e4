"""A tiny project whose task goes through three steps."""

from collections.abc import Sequence
from pathlib import Path

from llm_assets_tests.end_to_end.tiny_project import NOTES, Row, TinyProject, build_project

CONFIG = """\
input:
  folder: data/notes
  id_column: id
context:
  exclude: [id, internal]
steps:
  - name: extract
    prompt: prompts/extract.yaml
    output_model: Entities
  - name: summarize
    prompt: prompts/summarize.yaml
    output_model: Summary
  - name: classify
    prompt: prompts/classify.yaml
    output_model: Kind
llm:
  endpoint: offline
  model: extractive
  temperature: 0
  max_output_tokens: 400
  price:
    input_usd: 1
    output_usd: 10
attempts:
  attempts: 2
limits:
  max_in_flight: 4
  backoff_seconds: 0.01
  max_backoff_seconds: 0.02
export:
  formats: [csv, jsonl]
"""
SCHEMA = '''\
from typing import Literal

from pydantic import BaseModel, Field


class Mention(BaseModel):
    """Something that a note names."""

    name: str = Field(description="As it is written.")


class Entities(BaseModel):
    """What a note names."""

    things: list[Mention] = Field(max_length=5, description="Things.")
    topics: list[str] = Field(min_length=1, max_length=3, description="What it is about.")


class Summary(BaseModel):
    """What a note says."""

    summary: str = Field(min_length=1, max_length=300, description="The note in a sentence.")
    main_thing: Mention = Field(description="What it is about most.")


class Kind(BaseModel):
    """Which kind of note it is."""

    category: Literal["repair", "delivery", "other"] = Field(description="Its kind.")
    confidence: float = Field(ge=0, le=1, description="How sure that is.")
'''
SYSTEM = "system: |\n  {}\n  {{{{ llm_schema }}}}\n"
PROMPTS = {
    "extract": ("Take out what the note names.", "<note>\n  {{ row_block }}\n  </note>"),
    "summarize": (
        "Sum the note up.",
        "Topics: {{ steps.extract.topics }}\n  <note>\n  {{ row_block }}\n  </note>",
    ),
    "classify": (
        "Which kind is it?",
        "{{ steps.extract.things }}\n  {{ steps.summarize.summary }}\n  {{ topic }}",
    ),
}


def build_chain_project(root: Path, rows: Sequence[Row] = NOTES) -> TinyProject:
    """Write the project; its model answers in the process."""
    project = build_project(root, rows=rows)
    (root / "prompts" / "notes.yaml").unlink()
    project.write("configs/notes.yaml", CONFIG)
    project.write("configs/schemas/notes.py", SCHEMA)
    for name, (system, user) in PROMPTS.items():
        project.write(f"prompts/{name}.yaml", SYSTEM.format(system) + f"user: |\n  {user}\n")
    return project
