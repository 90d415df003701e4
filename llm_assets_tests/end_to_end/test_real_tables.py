"""Tables that others made: not UTF-8, with labels that look like nothing, and a thousand rows long."""

import csv
import json
import re
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import (
    TinyProject,
    assert_told_plainly,
    build_project,
)
from llm_assets_tests.shared_tables import LYRICS, PROBLEMS, find_shared_table

LYRICS_CONFIG = """\
prompt: prompts/lyrics.yaml
cleaning:
  null_tokens_by_column: {theme: []}
grouping:
  mode: row_output_with_group_context
  column: candidate
context:
  include: [artist, line]
schema: {module: configs/schemas/notes.py}
export:
  formats: [csv]
"""
LYRICS_PROMPT = """\
system: "{{ llm_schema }}"
user: "{{ group_key }}: {{ group_context }} {{ row_block }}"
"""
PROBLEMS_CONFIG = """\
prompt: prompts/problems.yaml
context: {include: [question]}
export: {formats: [jsonl]}
"""
PROBLEMS_PROMPT = """\
system: "Solve it. {{ llm_schema }}"
user: "{{ question }}"
"""
PROBLEMS_SCHEMA = '''\
from pydantic import BaseModel, ConfigDict, Field


class LLMOutput(BaseModel):
    """The solution of a word problem."""

    model_config = ConfigDict(extra="forbid")

    answer: int = Field(description="The number asked for.")
'''


def flatten(text: str) -> str:
    """A cell as the default cleaning leaves it."""
    return re.sub(r"[ ]*[\r\n\t]+[ ]*", " ", text).strip()


@pytest.fixture
def lyrics() -> Path:
    return find_shared_table(LYRICS)


@pytest.fixture
def lyrics_project(tmp_path: Path) -> TinyProject:
    project = build_project(tmp_path / "project")
    project.write("configs/lyrics.yaml", LYRICS_CONFIG)
    project.write("prompts/lyrics.yaml", LYRICS_PROMPT)
    return project


def test_an_unknown_encoding_is_explained_before_anything_is_guessed(
    lyrics_project: TinyProject, lyrics: Path
):
    """A table that is not UTF-8 stops with file, line, byte, likely encodings and the setting, and nothing is made."""
    run = lyrics_project.run("run", "lyrics", "--input", str(lyrics))
    names = (lyrics.name, "line 13", "0xE5", "mac_roman", "input.encoding")
    assert_told_plainly(run, exit_code=2, names=names)
    made = lyrics_project.read_outputs()
    assert [path for path in made if "input_snapshot" in path or "exports" in path] == []


@pytest.mark.slow
def test_a_real_csv_runs_row_by_row_within_groups(lyrics_project: TinyProject, lyrics: Path):
    """All 377 lines have an outcome, in order, with the label "N/A" as it was."""
    config = f"input: {{encoding: mac_roman}}\n{LYRICS_CONFIG}"
    lyrics_project.write("configs/lyrics.yaml", config)
    run = lyrics_project.run_json("lyrics", "--input", str(lyrics))
    with lyrics.open(encoding="mac_roman", newline="") as file:
        rows = list(csv.DictReader(file))
    export = lyrics_project.read_export(lyrics.stem, task="lyrics")
    assert run.batch["items"] == len(rows) == 377
    assert run.batch["outcomes"] == {"accepted": 377}
    assert [row["id"] for row in export] == [row["id"] for row in rows]
    assert [row["theme"] for row in export] == [row["theme"].strip() for row in rows]
    assert sum(row["theme"] == "N/A" for row in export) > 10
    contexts = lyrics_project.read_records("group_contexts", lyrics.stem, "lyrics")
    assert {context["group_key"] for context in contexts} == {
        row["candidate"].strip() for row in rows
    }


@pytest.mark.slow
def test_a_real_jsonl_runs_with_whole_numbers_as_answers(tmp_path: Path):
    """All 1,319 problems are answered by a whole number, in the order of the file."""
    problems = find_shared_table(PROBLEMS)
    project = build_project(tmp_path / "project")
    project.write("configs/problems.yaml", PROBLEMS_CONFIG)
    project.write("prompts/problems.yaml", PROBLEMS_PROMPT)
    project.write("configs/schemas/problems.py", PROBLEMS_SCHEMA)
    run = project.run_json("problems", "--input", str(problems))
    asked = [json.loads(line) for line in problems.read_text(encoding="utf-8").splitlines()]
    lines = project.read(f"data/exports/problems/{problems.stem}.jsonl").splitlines()
    export = [json.loads(line) for line in lines]
    assert run.batch["outcomes"] == {"accepted": 1319}
    assert [row["question"] for row in export] == [flatten(row["question"]) for row in asked]
    assert [row["answer"] for row in export] == [flatten(row["answer"]) for row in asked]
    assert {type(row["output.answer"]) for row in export} == {int}
