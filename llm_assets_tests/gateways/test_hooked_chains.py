"""Whether each step of a task has text answers and functions of its own."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llm_assets.core.ids import StepName
from llm_assets.errors import ConfigError
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.scripted_model import Asked, ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import ENDPOINTS, TinyProject
from llm_assets_tests.gateways.stages import prepare

TASK, HOOKS = "configs/notes.yaml", "configs/hooks/notes.py"
CONFIG = f"""\
input:
  folder: data/notes
  id_column: id
context:
  include: [topic]
steps:
  - name: review
    prompt: prompts/review.yaml
    output_model: Review
    answer: text
    llm: {{model: reviewer}}
    hooks:
      request: {HOOKS}:leave_doors_out
      result: {HOOKS}:shout
  - name: reply
    prompt: prompts/reply.yaml
    output_model: Reply
    llm: {{model: writer}}
    hooks:
      request: {HOOKS}:see_review
      names: [stars]
      check: {HOOKS}:refuse_short
      scorer: {HOOKS}:count
llm:
  endpoint: served
  model: any
attempts:
  attempts: 2
"""
SCHEMA = """\
from pydantic import BaseModel


class Review(BaseModel):
    summary: str
    rating: int
    tone: str = "plain"


class Reply(BaseModel):
    text: str
"""
SOURCE = """\
from llm_assets.hooks import Rejection, Request


def leave_doors_out(item):
    assert not item.steps
    return None if item.values["topic"] == "doors" else Request(extra={"n": 1})


def shout(item, output):
    return {**output, "summary": output["summary"].upper()}


def see_review(item):
    rating = item.steps["review"]["rating"]
    return Request(names={"stars": "*" * rating}, extra={"rating": rating})


def refuse_short(item, output):
    return Rejection("Write more.") if len(output["text"]) < 5 else None


def count(output, expected):
    return len(output["text"])
"""
ROWS = [("1", "paint"), ("2", "doors"), ("3", "lathe")]


def answer(asked: Asked) -> str | dict[str, Any]:
    """Markdown from the one, and from the other a reply that is too short until it is told."""
    if asked.model == "reviewer":
        return (
            f"## Summary\nOn {asked.texts[-1].strip()}\n\n## Rating\n{len(asked.texts[-1]) % 5}/5\n"
        )
    return {"text": "Thank you." if "Write more." in asked.texts[-1] else "Hm."}


@dataclass(slots=True)
class Desk:
    """A project of two such steps, and the server that answers."""

    files: TinyProject
    model: ScriptedModel

    def count(self) -> tuple[int, int]:
        """Run the batch; the calls that each step sent."""
        self.model.asked.clear()
        prepare(Project(root=self.files.root, environ={})).generate_steps()
        return self.model.count("reviewer"), self.model.count("writer")


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    with open_scripted_model(answer) as model:
        files = TinyProject(tmp_path)
        files.write(TASK, CONFIG)
        files.write(HOOKS, SOURCE)
        files.write("configs/schemas/notes.py", SCHEMA)
        files.write("configs/endpoints.yaml", ENDPOINTS.format(base_url=model.base_url))
        files.write("prompts/review.yaml", "user: '{{ topic }}'\n")
        reply = "{{ llm_schema }} {{ stars }} {{ steps.review.summary }}"
        files.write("prompts/reply.yaml", f"user: '{reply}'\n")
        files.write_table("data/notes/may.csv", ROWS, ("id", "topic"))
        yield Desk(files, model)


def test_each_step_has_its_own_answers_and_functions(desk: Desk):
    """One step reads markdown, the other JSON; each is looked at by its own functions, and the second sees the first."""
    desk.files.run("run", "notes")
    assert (desk.model.count("reviewer"), desk.model.count("writer")) == (2, 4)
    assert any("ON PAINT" in text for asked in desk.model.asked for text in asked.texts)
    rows = desk.files.read_export()
    assert [row["status"] for row in rows] == ["accepted", "skipped", "accepted"]
    assert [row["stopped_at"] for row in rows] == ["", "review", ""]
    assert [row["review.summary"] for row in rows] == ["ON PAINT", "", "ON LATHE"]
    assert [row["reply.text"] for row in rows] == ["Thank you.", "", "Thank you."]
    assert [row["extra.review.n"] for row in rows] == ["1", "", "1"]
    assert [row["extra.reply.rating"] for row in rows] == ["0", "", "0"]
    assert [row["score"] for row in rows] == ["10.0", "", "10.0"]
    assert rows[0]["parse_errors"].startswith("`review.tone`: ")
    assert_told_in_report(desk)


def assert_told_in_report(desk: Desk) -> None:
    """The report names the functions of all steps and what the text answers of one of them lack."""
    report = desk.files.read("data/reports/notes/may.md")
    for function in ("leave_doors_out", "shout", "see_review", "refuse_short", "count"):
        assert f"`{HOOKS}:{function}`" in report
    assert "Complete: 0 of 2 accepted answers" in report
    assert "review.tone" in report


@pytest.mark.parametrize(
    ("old", "new", "n_calls"),
    [
        ('"*" * rating', '"*" * rating + "!"', (0, 4)),
        ("return len(output", "return 2 * len(output", (0, 0)),
        ('extra={"n": 1}', 'extra={"n": 2}', (0, 0)),
        (".upper()", ".lower()", (0, 4)),
        ("None if item", "Request() if item", (1, 2)),
    ],
)
def test_a_changed_function_sends_what_follows_from_it(
    desk: Desk, old: str, new: str, n_calls: tuple[int, int]
):
    """What one step's functions give the prompts of it and of later ones is asked anew, and nothing else."""
    desk.count()
    desk.files.edit(HOOKS, old, new)
    assert desk.count() == n_calls


def test_a_changed_reading_sends_nothing(desk: Desk):
    """A default or a further name of a field reads the answers on record."""
    desk.count()
    desk.files.edit("configs/schemas/notes.py", '"plain"', '"dry"')
    desk.files.edit(TASK, "answer: text", "answer: {kind: text, aliases: {tone: [Voice]}}")
    outputs = prepare(Project(root=desk.files.root, environ={})).generate_steps().outputs
    assert len(desk.model.asked) == 2 + 4
    first = outputs[StepName("review")].records[0].output
    assert first == {"summary": "ON PAINT", "rating": 0, "tone": "dry"}


def test_a_hook_of_a_step_that_is_missing_is_told_before_the_first_call(desk: Desk):
    """Each step's functions are looked for before anything is sent."""
    desk.files.edit(HOOKS, "def count", "def sum_up")
    with pytest.raises(ConfigError, match=f"The scorer hook {HOOKS}:count does not exist"):
        desk.count()
    assert desk.model.asked == []


@pytest.mark.parametrize(
    ("block", "remedy"),
    [
        ("answer: text", "Put it under the step whose answers have this form."),
        (f"hooks: {{check: {HOOKS}:refuse_short}}", "Put it under the step whose items"),
    ],
)
def test_blocks_beside_steps_are_told_where_they_belong(desk: Desk, block: str, remedy: str):
    """A block that stands beside `steps` is no default of theirs."""
    desk.files.write(TASK, f"{CONFIG}{block}\n")
    with pytest.raises(ConfigError, match="a task with `steps` does not have this key") as caught:
        load_task(Project(root=desk.files.root, environ={}), "notes")
    assert remedy in str(caught.value)
