import json
import sys
from pathlib import Path

import pytest

from llm_assets.core.answer_columns import build_answer_columns
from llm_assets.core.export import build_export
from llm_assets.core.export_foresight import list_columns_to_come
from llm_assets.errors import ConfigError
from llm_assets.gateways.assessments import assess_outputs
from llm_assets.gateways.export_foresight import check_task_ends
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_texts import load_answer_schemas
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import (
    TinyProject,
    assert_told_plainly,
    build_project,
)
from llm_assets_tests.gateways.stages import prepare

CONFIG = "configs/notes.yaml"
FORMATS = "formats: [csv, jsonl]"
UNKNOWN = f"{FORMATS}\n  columns: [id, sumary, '*']"
HOOKS = """\
from llm_assets.hooks import Request


def ask(item):
    return Request(extra={"length": len(item.work_id)})


def score(output, expected):
    return 1.0
"""
EXTRAS = """
hooks: {request: configs/hooks/notes.py:ask, scorer: configs/hooks/notes.py:score}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project that has not run."""
    project = build_project(tmp_path)
    project.write("configs/hooks/notes.py", HOOKS)
    return project


def count_calls(tiny: TinyProject) -> int:
    return json.loads(tiny.run("spend", "--json").stdout)["total"]["calls"]


@pytest.mark.parametrize(
    "more",
    [
        "",
        "grouping: {mode: group_output, column: topic}\n",
        "expected: {fields: {mood: internal}}\n",
        f"{EXTRAS}",
    ],
)
def test_the_columns_that_are_foreseen_are_those_that_come(tiny: TinyProject, more: str):
    """Whatever the task has: an export of all columns has those that were known before the first call."""
    if "group_output" in more:
        tiny.edit("prompts/notes.yaml", "row_block", "group_context")
    columns = "\n  columns: [extra.length, '*']" if "hooks" in more else ""
    tiny.edit(CONFIG, FORMATS, f"{FORMATS}{columns}")
    tiny.write(CONFIG, tiny.read(CONFIG) + more)
    stages = prepare(Project(root=tiny.root, environ={}))
    task, project = stages.task, stages.project
    schemas = load_answer_schemas(task, project, source_sha256=stages.schema.source_sha256)
    outputs = stages.generate().outputs
    expected = task.settings.expected
    table = build_export(
        stages.snapshot,
        outputs,
        items_meta=stages.items.meta,
        settings=task.settings.export,
        output_columns=build_answer_columns(schemas, task.settings.export.nested),
        assessment=expected
        and assess_outputs(task, project, expected, snapshot=stages.snapshot, outputs=outputs),
    )
    foreseen = list_columns_to_come(
        task.settings, input_columns=stages.snapshot.meta.columns, schemas=schemas
    )
    assert {each.name for each in foreseen} == {each.name for each in table.meta.columns}


def test_an_unknown_column_stops_before_the_first_call(tiny: TinyProject):
    """Run, plan and doctor tell it with the columns there are; nothing is sent."""
    tiny.edit(CONFIG, FORMATS, UNKNOWN)
    said = ("there is no column 'sumary'", "Did you mean 'summary'?", "Choose from: id, topic,")
    assert_told_plainly(tiny.run("plan", "notes"), exit_code=2, names=said)
    assert_told_plainly(tiny.run("run", "notes"), exit_code=2, names=said)
    assert not (tiny.root / "data/artifacts/notes/llm_outputs").exists()
    assert count_calls(tiny) == 0
    found = tiny.run("doctor", "notes")
    assert found.exit_code == 2
    (line,) = [line for line in found.stdout.splitlines() if line.startswith("problem")]
    assert said[0] in line


def test_a_column_that_an_answer_brings_is_known(tiny: TinyProject):
    """Patterns, fields of the output and what a hook has travel along are no mistakes."""
    tiny.write(CONFIG, tiny.read(CONFIG) + EXTRAS)
    tiny.edit(CONFIG, FORMATS, f"{FORMATS}\n  columns: [id, mood, extra.length, score, 'status.*']")
    assert tiny.run("plan", "notes").exit_code == 0
    tiny.edit(CONFIG, "extra.length", "extras.length")
    assert_told_plainly(tiny.run("plan", "notes"), exit_code=2, names=("'extras.length'",))


def test_a_format_without_its_package_stops_before_the_first_call(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
):
    """With the command that installs it."""
    tiny.edit(CONFIG, FORMATS, "formats: [csv, parquet]")
    assert tiny.run("plan", "notes").exit_code == 0
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = ("pyarrow", "pip install 'llm-assets[parquet]'")
    assert_told_plainly(tiny.run("plan", "notes"), exit_code=2, names=said)
    assert_told_plainly(tiny.run("run", "notes"), exit_code=2, names=said)
    assert count_calls(tiny) == 0
    found = [line for line in tiny.run("doctor").stdout.splitlines() if "`export.formats`" in line]
    assert [line.split()[0] for line in found] == ["problem"]


def test_a_scoring_function_that_is_not_there_is_told_early(tiny: TinyProject):
    """It is looked for before anything is asked."""
    hook = "configs/hooks/notes.py:scores"
    tiny.write(
        CONFIG,
        tiny.read(CONFIG)
        + f"expected: {{fields: {{mood: {{column: internal, scorer: hook, hook: {hook}}}}}}}\n",
    )
    project = Project(root=tiny.root, environ={})
    with pytest.raises(ConfigError, match="Did you mean 'score'"):
        check_task_ends(load_task(project, "notes"), project)
    assert_told_plainly(tiny.run("plan", "notes"), exit_code=2, names=("scorer hook", hook))
