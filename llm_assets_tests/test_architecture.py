"""Whether the code is built as its map says."""

import ast
import re
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from llm_assets_tests.stage_names import BATCH_STAGES, OPTIONAL_STAGES, TASK_STAGES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "llm_assets"
SOURCES = tuple(sorted(PACKAGE.rglob("*.py")))
STAGES = (
    *TASK_STAGES,
    *BATCH_STAGES,
    *OPTIONAL_STAGES,
    "steps",
    "overview",
)
ASSETS = PACKAGE / "defs" / "assets"
MAX_LINES = 300
VAGUE_NAMES = ("util", "utils", "helper", "helpers", "common", "manager", "misc")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def show(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def list_imports(path: Path) -> list[str]:
    tree = ast.parse(read(path))
    return [
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) if node.module
    ]


def test_imports_keep_to_the_layers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Nothing imports what stands left of it, and the core stays pure."""
    monkeypatch.chdir(ROOT)
    status = lint_imports(no_cache=True, no_logo=True)
    assert status == 0, capsys.readouterr().out


def test_the_stages_are_the_asset_files():
    """Every file of `defs/assets` is a stage that the task definitions list, and the other way round."""
    files = {path.stem for path in ASSETS.glob("*.py")} - {"__init__"}
    assert files == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_calls_a_module_of_its_name(stage: str):
    """From an asset's file it is one hop to the core module or gateway of its name."""
    modules = list_imports(ASSETS / f"{stage}.py")
    own = [
        name for name in modules if name.startswith(("llm_assets.core.", "llm_assets.gateways."))
    ]
    assert [name for name in own if name.rpartition(".")[2].startswith(stage)]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_a_heading_in_the_architecture(stage: str):
    """Who looks a stage up by its name finds what goes in, what comes out and why."""
    text = read(ROOT / "docs" / "architecture.md")
    assert re.search(rf"^### {stage}$", text, flags=re.MULTILINE)


@pytest.mark.parametrize("stage", STAGES)
def test_an_asset_tells_a_person_what_it_is(stage: str):
    """The function of an asset has a text for the UI, longer than its title."""
    tree = ast.parse(read(ASSETS / f"{stage}.py"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    texts = [ast.get_docstring(function) or "" for function in functions if function.name == stage]
    assert [text for text in texts if "\n\n" in text]


def test_a_file_holds_one_idea():
    """No file is too long to read in one go, and none has a name that could hold anything."""
    lengths = {show(path): len(read(path).splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}
    assert [show(path) for path in SOURCES if path.stem in VAGUE_NAMES] == []


def test_a_module_says_which_question_it_answers():
    """Every module begins with a docstring."""
    assert [show(path) for path in SOURCES if not ast.get_docstring(ast.parse(read(path)))] == []


def test_the_settings_that_are_shipped_are_those_of_this_project():
    """A project without a `dagster.yaml` of its own keeps its history like this one."""
    own = (ROOT / "dagster.yaml").read_bytes()
    assert own == (PACKAGE / "defs" / "dagster.yaml").read_bytes()
