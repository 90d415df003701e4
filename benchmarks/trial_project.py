"""What the project looks like in which a stage is measured."""

import os
from pathlib import Path

from tables import write_table

TASK = "bench"
BATCH = "rows"

CONFIG = """\
description: Sorts messages.
prompt: prompts/bench.yaml
input: {folder: data/tables}
"""
GROUPING = "grouping: {mode: row_output_with_group_context, column: customer}\n"

SYSTEM = """\
system: |
  You sort the messages that customers send. Answer with one JSON object that is valid under this schema.

  {{ llm_schema }}
"""
ROW_USER = """\
user: |
  {{ row_block }}
"""
GROUP_USER = """\
user: |
  All messages of this customer:

  {{ group_context }}

  Sort this one:

  {{ row_block }}
"""

SCHEMA = '''\
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LLMOutput(BaseModel):
    """How a message is sorted."""

    model_config = ConfigDict(extra="forbid")

    category: Literal["billing", "delivery", "hardware", "account", "other"]
    summary: str = Field(min_length=1, max_length=200)
    urgency: int = Field(ge=1, le=5)
    confidence: float = Field(ge=0, le=1)
'''

_LEFT_OUT = ("DAGSTER_HOME", "LLM_ASSETS_", "PYTHONDONTWRITEBYTECODE")
MODES = ("row", "row_output_with_group_context")


def write_trial(root: Path, *, mode: str, n_rows: int) -> None:
    """Write a project with one task, `bench`, and one batch, `rows`."""
    has_groups = mode != "row"
    files = {
        "configs/bench.yaml": CONFIG + (GROUPING if has_groups else ""),
        "configs/schemas/bench.py": SCHEMA,
        "prompts/bench.yaml": SYSTEM + (GROUP_USER if has_groups else ROW_USER),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_table(root / "data" / "tables" / f"{BATCH}.csv", n_rows)


def build_environ() -> dict[str, str]:
    """The variables of a process that works in a trial: no other project's, and compiled modules are kept."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
