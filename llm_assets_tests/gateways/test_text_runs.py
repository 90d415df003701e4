"""Which calls text answers cost, and where what they lack can be read."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from upath import UPath

from llm_assets.core.fingerprint import fingerprint, render_json
from llm_assets.core.llm_outputs import LLMOutputs, fingerprint_outputs
from llm_assets.core.report_markdown import render_report_markdown
from llm_assets.gateways.artifacts import load_records, write_records
from llm_assets.gateways.generation import Generation
from llm_assets.gateways.project import Project
from llm_assets_tests.end_to_end.judged_project import (
    CONFIG,
    JUDGE,
    JUDGE_BLOCK,
    JUDGE_MODEL,
    JUDGE_PROMPT,
    SCHEMA,
)
from llm_assets_tests.end_to_end.scripted_model import Asked, ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project
from llm_assets_tests.gateways.stages import Stages, prepare

PROMPT = "prompts/notes.yaml"
FULL = "## Summary\nThe belt slips.\n\n## Mood\nbad\n\n## Score\n7/10\n\n## Parts\n- belt\n"


def write_well(asked: Asked) -> str:
    """A model that forgets the score until it is told, where the note is about doors, and the parts for paint."""
    if asked.model == "judge":
        return render_json({"reason": "All is said.", "verdict": "belt" in asked.texts[-1]})
    was_told = len(asked.texts) > 2
    if "doors" in asked.question and not was_told:
        return FULL.replace("7/10", "95")
    return FULL.split("## Parts", maxsplit=1)[0] if "paint" in asked.question else FULL


@dataclass(slots=True)
class Desk:
    """A project whose answers are text, and the server that gives them."""

    files: TinyProject
    model: ScriptedModel

    @property
    def stages(self) -> Stages:
        return prepare(Project(root=self.files.root, environ={}))

    def generate(self) -> Generation:
        self.model.asked.clear()
        return self.stages.generate()

    def count_calls(self) -> int:
        """Run the batch; the calls that the server got."""
        summary = self.generate().summary
        assert summary.calls_sent == len(self.model.asked)
        return summary.calls_sent


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    """A project that has not run yet; two of its six notes are about doors and two about paint."""
    with open_scripted_model(write_well) as model:
        files = build_project(tmp_path, base_url=model.base_url, model="writer")
        files.edit(CONFIG, "llm:\n", "answer: text\nllm:\n")
        files.edit(
            PROMPT, "Answer with one JSON object for this schema.\n  {{ llm_schema }}", "Say it."
        )
        files.write(SCHEMA, files.read(SCHEMA) + "    parts: list[str] = []\n" + JUDGE_MODEL)
        yield Desk(files, model)


def test_text_answers_become_outputs(desk: Desk):
    """A score out of its bounds is asked for again with the reason, a part with a default is not."""
    generation = desk.generate()
    outputs = generation.outputs
    assert {item.outcome for item in outputs.records} == {"accepted"}
    assert [item.output for item in outputs.records][:2] == [
        {"summary": "The belt slips.", "mood": "bad", "score": 7, "parts": ["belt"]},
        {"summary": "The belt slips.", "mood": "bad", "score": 7, "parts": []},
    ]
    assert [len(item.attempts) for item in outputs.records] == [1, 1, 1, 2, 1, 2]
    told = next(asked.texts[-1] for asked in desk.model.asked if len(asked.texts) > 2)
    assert "`score`: 95 is outside of 0 to 10" in told
    assert "JSON" not in told
    assert outputs.meta.structured_output == "text"


def test_what_an_answer_lacks_can_be_read(desk: Desk):
    """The record, its file, the export and the report say which part is missing; complete answers say nothing."""
    stages = desk.stages
    generation = stages.generate()
    errors = [item.parse_errors for item in generation.outputs.records]
    missing = "`parts`: there is no part `Parts`"
    assert errors == [(), (missing,), (), (), (missing,), ()]
    rows = stages.build_export(generation).records
    assert [row.values["parse_errors"] for row in rows] == [
        None,
        missing,
        None,
        None,
        missing,
        None,
    ]
    text = render_report_markdown(stages.build_report(generation))
    assert "Complete: 4 of 6 accepted answers." in text
    assert "| \\`parts\\`: there is no part … | 2 |" in text
    path = UPath(desk.files.root / "outputs.jsonl")
    write_records(path, generation.outputs)
    assert path.read_text().count('"parse_errors"') == 2
    assert load_records(path, LLMOutputs, shown="outputs") == generation.outputs


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (CONFIG, "answer: text", "answer: {kind: text, aliases: {mood: [Feeling]}}"),
        (SCHEMA, "ge=0, le=10", "ge=-5, le=10"),
        (SCHEMA, "max_length=200", "max_length=100"),
        (SCHEMA, "parts: list[str] = []", 'parts: list[str] = ["none"]'),
        (SCHEMA, "parts:", "other: str | None = None\n    parts:"),
    ],
)
def test_a_changed_reading_sends_nothing(desk: Desk, path: str, old: str, new: str):
    """Names, bounds, defaults and optional fields read the answers on record; those that still do send nothing.

    Two items were told the old bounds, and are told the new ones in another call.
    """
    desk.files.edit(CONFIG, "attempts: 3", "attempts: 3\n  retry_failed: false")
    assert desk.count_calls() == 8
    desk.files.edit(path, old, new)
    assert desk.count_calls() == (2 if "ge=-5" in new else 0)
    assert desk.count_calls() == 0


def test_a_stricter_reading_asks_for_what_it_refuses(desk: Desk):
    """A part that is required from now on is asked for where it is missing, and nowhere else."""
    assert desk.count_calls() == 8
    desk.files.edit(CONFIG, "answer: text", "answer: {kind: text, required: [parts]}")
    desk.generate()
    assert {"paint" in asked.question for asked in desk.model.asked} == {True}
    desk.files.edit(CONFIG, "answer: {kind: text, required: [parts]}", "answer: text")
    assert desk.count_calls() == 0


def test_a_text_answer_has_a_judge(desk: Desk):
    """The judge reads the output as JSON, and its reason goes back without a word of JSON."""
    desk.files.edit(CONFIG, "attempts:\n  ", f"{JUDGE_BLOCK}  ")
    desk.files.edit(CONFIG, "model: judge", "model: judge\n  retries: 1")
    desk.files.write(JUDGE, JUDGE_PROMPT)
    outputs = desk.generate().outputs
    assert [item.outcome for item in outputs.records] == ["accepted"] * 6
    assert all(item.verdict for item in outputs.records)


def test_a_json_task_keeps_its_bytes(desk: Desk):
    """Where answers are JSON, neither the record nor its hash nor the export knows of parse errors."""
    desk.files.edit(CONFIG, "answer: text\n", "")
    desk.model.script = lambda _asked: {"summary": "x", "mood": "bad", "score": 1, "parts": []}
    stages = desk.stages
    generation = stages.generate()
    path = UPath(desk.files.root / "outputs.jsonl")
    write_records(path, generation.outputs)
    assert "parse_errors" not in path.read_text()
    assert "parse_errors" not in stages.build_export(generation).records[0].values
    assert "Text answers" not in render_report_markdown(stages.build_report(generation))
    parts = [
        [item.work_id, item.row_ids, item.outcome, item.output, item.verdict, item.reason]
        for item in generation.outputs.records
    ]
    model, is_rehearsal = generation.outputs.meta.model, generation.outputs.meta.is_rehearsal
    shown = [model, is_rehearsal, False, False, False]
    assert fingerprint_outputs(generation.outputs) == fingerprint([parts, shown])
