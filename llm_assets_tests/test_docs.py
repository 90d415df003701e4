"""Whether what the documents say is there, and whether what they show works."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import click
import pytest

from llm_assets.cli.main import cli
from llm_assets.config.checks import CheckSettings
from llm_assets.config.compare import CompareSettings
from llm_assets.config.endpoint import PRESETS, EndpointsFile
from llm_assets.config.expected import ScorerName
from llm_assets.config.export import ExportFormat
from llm_assets.config.parsing import parse_endpoints
from llm_assets.gateways.batches import find_batch
from llm_assets.gateways.project import Project
from llm_assets.gateways.snapshots import take_snapshot
from llm_assets.gateways.task_schemas import load_task_schema
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.config.task_texts import parse_task

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = (README, *sorted((ROOT / "docs").rglob("*.md")))
WALKTHROUGH_FILES = (
    "data/inputs/reviews/may.csv",
    "configs/schemas/reviews.py",
    "prompts/reviews.yaml",
    "configs/reviews.yaml",
)
MADE_LATER = (
    "data/exports/",
    "data/reports/",
    "data/artifacts",
    "data/archive",
    "data/comparisons/",
    "data/review_queue/",
    "data/reviews/",
    "data/vectors/",
    "data/ledger.sqlite",
    ".dagster/",
    ".venv",
)
"""What runs and `make` make; a document may name it though a fresh clone has none."""
TOP_LEVEL = {path.name for path in ROOT.iterdir()} | {"data", ".env", ".venv"}

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
COMMANDS = {
    name: command
    for name in cli.list_commands(click.Context(cli))
    if (command := cli.get_command(click.Context(cli), name)) is not None
}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def find_shown_file(path: str, *, after: str = "") -> str:
    """The first fence of the README below the first mention of a path."""
    text = read(README).split("## Your own table")[1]
    text = text.split(after, maxsplit=1)[1] if after else text
    fence = FENCE.search(text.split(f"`{path}`", maxsplit=1)[1])
    assert fence is not None
    return fence[2]


def list_fences(language: str) -> list[str]:
    return [body for name, body in FENCE.findall(read(README)) if name == language]


def list_paths(text: str) -> list[str]:
    """What stands in backticks and begins like a path of this project."""
    words = [word.strip() for word in CODE.findall(text)]
    named = [word for word in words if word.split("/")[0] in TOP_LEVEL and " " not in word]
    return [word for word in named if not re.search(r"[<*…]", word)] + LINK.findall(text)


def write_walkthrough(root: Path) -> None:
    for path in WALKTHROUGH_FILES:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(find_shown_file(path), encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_in_a_document_exists(document: Path):
    """A path that a document names is there, unless it is made by a run or by the reader."""
    paths = [
        path for path in list_paths(read(document)) if path not in (*WALKTHROUGH_FILES, ".env")
    ]
    kept = [path for path in paths if not path.startswith(MADE_LATER)]
    missing = [
        path
        for path in kept
        if not (ROOT / path).exists() and not (document.parent / path).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str):
    """The README names each command and each of its options, and each has a help text."""
    text = read(README)
    assert f"**`llm-assets {name}" in text
    section = text.split(f"**`llm-assets {name}", maxsplit=1)[1].split("\n**`llm-assets")[0]
    options = [option for option in COMMANDS[name].params if isinstance(option, click.Option)]
    assert COMMANDS[name].help
    assert [option.name for option in options if not option.help] == []
    assert [option.opts[0] for option in options if f"`{option.opts[0]}" not in section] == []


def test_the_readme_names_no_other_commands():
    """Every `llm-assets …` and `make …` in the README is one that exists."""
    text = read(README)
    named = set(
        re.findall(
            r"llm-assets ([a-z-]+)\b(?=[ `\n])",
            "\n".join([*CODE.findall(text), *list_fences("sh")]),
        )
    )
    assert named <= COMMANDS.keys()
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    assert (
        set(re.findall(r"`?make ([a-z-]+)`?", "\n".join([*CODE.findall(text), *list_fences("sh")])))
        <= targets
    )


def test_the_readme_lists_the_built_in_endpoints():
    """The table of endpoints has each of them, with the variable that holds its key."""
    text = read(README).split("## Your own endpoint")[1]
    rows = dict(re.findall(r"^\| `([\w.]+)` \| .* \| `?(\w+)`? \|$", text, flags=re.MULTILINE))
    assert {name: preset.api_key_env or "none" for name, preset in PRESETS.items()} == {
        name: rows.get(name) for name in PRESETS
    }


def test_the_task_of_the_readme_loads(tmp_path: Path):
    """The four files are right as they stand in the text: config, table, schema and prompt."""
    write_walkthrough(tmp_path)
    project = Project(root=tmp_path, environ={})
    task = load_task(project, "reviews")
    snapshot = take_snapshot(task, project, find_batch(task, project, "may").key)
    module = load_task_schema(task, project)
    assert [row.row_id for row in snapshot.records] == ["r1", "r2", "r3", "r4"]
    assert module.output_model.model_fields.keys() == {"sentiment", "summary", "needs_reply"}
    assert task.steps[0].prompt_path.is_file()


def test_the_endpoint_of_the_readme_loads():
    """The example for `configs/endpoints.yaml` is one that the file may hold."""
    (text,) = (body for body in list_fences("yaml") if body.startswith("endpoints:"))
    settings: EndpointsFile = parse_endpoints(text, file="configs/endpoints.yaml")
    assert settings.endpoints["office_vllm"].preset == "vllm"


def test_the_export_of_the_readme_loads(tmp_path: Path):
    """The block that shows names, types and patterns fits the task it is written for."""
    write_walkthrough(tmp_path)
    (block,) = (body for body in list_fences("yaml") if body.startswith("export:"))
    config = tmp_path / "configs" / "reviews.yaml"
    own = re.sub(r"^export:\n(  .*\n)+", "", read(config), flags=re.MULTILINE)
    config.write_text(own + block, encoding="utf-8")
    export = load_task(Project(root=tmp_path, environ={}), "reviews").settings.export
    assert [column.column for column in export.columns] == [
        *("id", "sentiment", "stars", "output.*", "*")
    ]
    assert set(export.formats) <= {name for name in get_args(ExportFormat) if name in block}


def test_the_expected_answers_of_the_readme_load():
    """The block that shows scorers is one that a task may hold, and names every scorer below it."""
    block, reviewed = (body for body in list_fences("yaml") if body.startswith("expected:"))
    gated = f"prompt: p\ngate: {{field: sure, at_least: 1}}\n{reviewed}"
    assert parse_task(gated, file="configs/reviews.yaml").expected is not None
    settings = parse_task(f"prompt: p\n{block}", file="configs/reviews.yaml")
    assert settings.context.hidden == ("human_sentiment", "human_rating")
    table = read(README).partition("| `scorer` |")[2].partition("\n\n")[0]
    firsts = "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE))
    assert set(re.findall(r"`([a-z0-9]+)`", firsts)) == set(get_args(ScorerName))


def test_the_checks_of_the_readme_are_those_there_are():
    """The block that shows the defaults names every check, and says what holds without it."""
    (block,) = (body for body in list_fences("yaml") if body.startswith("checks:"))
    checks = parse_task(f"prompt: p\n{block}", file="configs/reviews.yaml").checks
    assert checks.model_fields_set == set(CheckSettings.model_fields)
    assert checks == CheckSettings()


def test_the_comparison_of_the_readme_loads():
    """The block that shows limits is one that a task may hold, and names every limit there is."""
    (block,) = (body for body in list_fences("yaml") if body.startswith("compare:"))
    own = "prompt: p\nexpected: {fields: {a: b}}\n"
    compare = parse_task(f"{own}{block}", file="configs/cheap.yaml").compare
    assert compare is not None
    assert set(CompareSettings.model_fields) - compare.model_fields_set == {"examples"}


@pytest.mark.parametrize(
    "block",
    [
        body
        for body in list_fences("yaml")
        if "\nllm:\n" in f"\n{body}" and not body.startswith("extends:")
    ],
)
def test_every_llm_block_of_the_readme_loads(block: str, tmp_path: Path):
    """What the README shows of other endpoints and budgets fits the task it is written for."""
    write_walkthrough(tmp_path)
    config = tmp_path / "configs" / "reviews.yaml"
    own = re.sub(r"^llm:\n(  .*\n)+", "", read(config), flags=re.MULTILINE)
    is_whole = block.startswith("prompt:")
    config.write_text(block if is_whole else own + block, encoding="utf-8")
    task = load_task(Project(root=tmp_path, environ={}), "reviews")
    assert task.settings.llm.endpoint in block
    assert task.settings.budget.is_capped is ("budget:" in block)


def test_the_variant_of_the_readme_loads(tmp_path: Path):
    """What the README shows of a variant is one of the task that it shows."""
    write_walkthrough(tmp_path)
    (block,) = (body for body in list_fences("yaml") if body.startswith("extends:"))
    (tmp_path / "configs" / "warm.yaml").write_text(block, encoding="utf-8")
    project = Project(root=tmp_path, environ={})
    task, variant = load_task(project, "reviews"), load_task(project, "warm")
    assert variant.settings.llm.temperature == 0.7
    assert variant.settings.prompt == task.settings.prompt
    assert variant.input_folder == task.input_folder


@pytest.mark.slow
def test_the_walkthrough_of_the_readme_gives_what_it_shows(tmp_path: Path):
    """Run as written, the task gives the export that is shown, and JSON of the shape that is shown."""
    write_walkthrough(tmp_path)
    program = Path(sys.executable).with_name("llm-assets")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    first, second = (
        subprocess.run(
            [program, "run", "reviews", *options],
            cwd=tmp_path,
            env=environ,
            check=False,
            capture_output=True,
            text=True,
        )
        for options in ([], ["--json"])
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    shown = find_shown_file("data/exports/reviews/may.csv", after="Now run it")
    assert (tmp_path / "data/exports/reviews/may.csv").read_text(encoding="utf-8").split(
        "\n"
    ) == shown.split("\n")
    (example,) = list_fences("json")
    assert describe_shape(json.loads(second.stdout)) == describe_shape(json.loads(example))
    assert json.loads(second.stdout)["batches"][0]["calls_sent"] == 0


def describe_shape(value: object) -> object:
    """The keys and types of a JSON value."""
    if isinstance(value, dict):
        return {key: describe_shape(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [describe_shape(entry) for entry in value]
    return type(value).__name__
