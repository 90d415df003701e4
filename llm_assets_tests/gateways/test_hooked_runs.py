"""Which calls hooks cost, and where what they say can be read."""

import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from upath import UPath

from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.report_markdown import render_report_markdown
from llm_assets.core.run_choice import RunChoice
from llm_assets.errors import InputError
from llm_assets.gateways.artifacts import load_records, write_records
from llm_assets.gateways.batches import find_batch
from llm_assets.gateways.foresight import open_foresight
from llm_assets.gateways.generation import Generation
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.judged_project import CONFIG
from llm_assets_tests.end_to_end.scripted_model import Asked, ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import COLUMNS, NOTES, TinyProject, build_project
from llm_assets_tests.gateways.stages import ALL, Stages, prepare

HOOKS, PROMPT, TABLE = "configs/hooks/notes.py", "prompts/notes.yaml", "data/notes/may.csv"
BLOCK = f"""\
hooks:
  request: {HOOKS}:build_request
  names: [shelf]
  result: {HOOKS}:complete
  check: {HOOKS}:check
  scorer: {HOOKS}:score
llm:
"""
SOURCE = """\
from llm_assets.hooks import Rejection, Request, Skip


def build_request(item):
    if item.values["topic"] == "doors":
        return Skip("Doors are somebody else's.")
    return Request(names={"shelf": "A"}, extra={"row": item.row_ids[0]})


def complete(item, output):
    return {**output, "summary": output["summary"].strip()}


def check(item, output):
    return Rejection("Too low.") if output["score"] < 1 else None


def score(output, expected):
    return output["score"] / 10
"""


def write(asked: Asked) -> dict[str, object]:
    """A model that scores paint too low until it is told."""
    was_told = "Too low." in asked.texts[-1]
    return {
        "summary": " x ",
        "mood": "good",
        "score": 5 if was_told or "lathe" in asked.question else 0,
    }


@dataclass(slots=True)
class Shop:
    """A project with all hooks, and the server that answers: two notes on lathes, two on paint, two on doors."""

    files: TinyProject
    model: ScriptedModel

    @property
    def project(self) -> Project:
        return Project(root=self.files.root, environ={})

    @property
    def stages(self) -> Stages:
        return prepare(self.project)

    def generate(self, choice: RunChoice = ALL) -> Generation:
        self.model.asked.clear()
        return self.stages.generate(choice)

    def count_calls(self, choice: RunChoice = ALL) -> int:
        """Run the batch; the calls that the server got."""
        summary = self.generate(choice).summary
        assert summary.calls_sent == len(self.model.asked)
        return summary.calls_sent


@pytest.fixture
def shop(tmp_path: Path) -> Generator[Shop]:
    with open_scripted_model(write) as model:
        files = build_project(tmp_path, base_url=model.base_url, model="writer")
        files.edit(CONFIG, "llm:\n", BLOCK)
        files.edit(PROMPT, "{{ row_block }}", "{{ row_block }}\n  shelf {{ shelf }}")
        files.write(HOOKS, SOURCE)
        yield Shop(files, model)


def test_hooks_shape_the_batch(shop: Shop):
    """Items are left out, sent back, completed and scored, and all rows are there in their order."""
    records = shop.generate().outputs.records
    assert [item.outcome for item in records] == [
        *("accepted", "accepted", "accepted"),
        *("skipped", "accepted", "skipped"),
    ]
    assert [len(item.attempts) for item in records] == [1, 2, 1, 0, 2, 0]
    summaries = [(item.output or {}).get("summary") for item in records]
    assert summaries == ["x", "x", "x", None, "x", None]
    assert [item.score for item in records] == [0.5, 0.5, 0.5, None, 0.5, None]
    assert all("shelf A" in asked.question for asked in shop.model.asked)
    assert shop.count_calls() == 0


def test_an_item_that_a_hook_skips_is_not_planned_as_answered(shop: Shop):
    """Before the first run nothing is answered yet; two items need no call, then and later."""
    first, second = shop.generate().plan, shop.generate().plan
    assert (first.n_answered, first.n_without_call, first.n_to_run) == (0, 2, 4)
    assert (second.n_answered, second.n_without_call, second.n_to_run) == (4, 2, 0)


@pytest.mark.parametrize(
    ("old", "new", "n_calls"),
    [
        ('output["summary"].strip()', '"changed"', 0),
        ('output["score"] / 10', "7", 0),
        ('extra={"row": item.row_ids[0]}', 'extra={"other": 1}', 0),
        ("def check", "# stricter?\ndef check", 0),
        ('output["score"] < 1', 'output["score"] < 0', 0),
        ('{"shelf": "A"}', '{"shelf": item.values["topic"][:1]}', 6),
        ('== "doors"', '== "nothing"', 2),
        ('"Too low."', '"Too low. Higher."', 2),
    ],
)
def test_changed_hook_sends_what_its_requests_change(shop: Shop, old: str, new: str, n_calls: int):
    """A result handler, a scorer and extra values cost nothing; new names ask anew, a new reason where it is told."""
    if "nothing" in new:
        shop.model.script = lambda _: {"summary": "x", "mood": "good", "score": 5}
    assert shop.count_calls() == (4 if "nothing" in new else 6)
    shop.files.edit(HOOKS, old, new)
    assert shop.count_calls() == n_calls
    shop.files.edit(HOOKS, new, old)
    assert shop.count_calls() == 0


def test_what_hooks_say_can_be_read(shop: Shop):
    """The record, its file, the export and the report have extra values, scores and the functions' names."""
    stages = shop.stages
    generation = stages.generate()
    path = UPath(shop.files.root / "outputs.jsonl")
    write_records(path, generation.outputs)
    assert load_records(path, LLMOutputs, shown="outputs") == generation.outputs
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert ["extra" in line for line in lines] == [True, True, True, False, True, False]
    table = stages.build_export(generation)
    rows = [row.values for row in table.records]
    row_ids = [item.row_ids[0] for item in generation.outputs.records]
    assert [row["extra.row"] for row in rows[:3]] == row_ids[:3]
    assert [row["score"] for row in rows] == [5, 5, 5, None, 5, None]
    assert [row["status.score"] for row in rows] == [0.5, 0.5, 0.5, None, 0.5, None]
    text = render_report_markdown(stages.build_report(generation))
    assert "| Score | 0.5 in the mean of 4 items (0.5 to 0.5) |" in text
    assert f"| Hook: request | `{HOOKS}:build_request` |" in text
    assert "Cause: Doors are somebody else's." in text


def test_error_of_a_hook_is_one_items_failure(shop: Shop):
    """A hook that raises for one item leaves the others alone; mended, it costs nothing."""
    assert shop.count_calls() == 6
    shop.files.edit(
        HOOKS,
        "    return {**output",
        '    1 / (item.values["topic"] != "paint")\n    return {**output',
    )
    generation = shop.generate()
    assert [item.outcome for item in generation.outputs.records] == [
        *("accepted", "failed", "accepted"),
        *("skipped", "failed", "skipped"),
    ]
    reason = generation.outputs.records[1].reason
    assert reason == f"The result hook {HOOKS}:complete raised ZeroDivisionError: division by zero"
    assert generation.summary.calls_sent == 0
    shop.files.edit(HOOKS, '    1 / (item.values["topic"] != "paint")\n', "")
    assert shop.count_calls() == 0


def test_items_that_share_a_call_may_end_differently(shop: Shop):
    """Equal rows are asked about once, and each has its own hooks look at the answer."""
    shop.files.write_table(TABLE, [NOTES[0], NOTES[0], NOTES[0]], COLUMNS)
    generation = shop.generate()
    assert generation.summary.calls_sent == 1
    extras = [(item.extra or {})["row"] for item in generation.outputs.records]
    assert extras == [item.row_ids[0] for item in generation.outputs.records]
    assert len(set(map(str, extras))) == 3


def test_forced_run_counts_only_items_that_are_asked(shop: Shop):
    """`force` with a limit asks the first so many that a hook does not leave out."""
    assert shop.count_calls() == 6
    assert shop.count_calls(RunChoice(limit=2, is_forced=True)) == 3
    assert shop.count_calls() == 0


def test_prompt_of_an_item_that_is_left_out_is_none(shop: Shop):
    """Who asks for its messages is told why there are none."""
    task = load_task(shop.project, "notes")
    batch = find_batch(task, shop.project, "may")
    with (
        open_foresight(task, shop.project) as foresight,
        pytest.raises(InputError, match="Nothing is asked about this item: Doors are"),
    ):
        foresight.find_next_calls(batch, ALL, row="4")


def test_chosen_extra_column_is_there_without_values(shop: Shop):
    """A batch of which a hook leaves everything out has the column all the same, and it is empty."""
    shop.files.edit(CONFIG, "export:\n", "export:\n  columns: [topic, extra.row, status]\n")
    shop.files.write_table(TABLE, [NOTES[3]], COLUMNS)
    stages = shop.stages
    (row,) = stages.build_export(stages.generate()).records
    assert row.values["extra.row"] is None
    assert row.values["status"] == "skipped"
