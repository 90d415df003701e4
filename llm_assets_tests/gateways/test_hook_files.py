from pathlib import Path

import pytest

from llm_assets.errors import ConfigError
from llm_assets.gateways.hook_files import find_hook_files, load_hook, load_hooks
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task, load_task
from llm_assets.hooks import HookItem, Request
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

CONFIG, HOOKS = "configs/notes.yaml", "configs/hooks/notes.py"
SOURCE = """\
from llm_assets.hooks import Request


def build_request(item):
    return Request(extra={"n": len(item.values)})


def check(item, output, strict=False):
    return None


def score(output, expected):
    return 1.0


async def wait(item, output):
    return None


SHELF = 7
"""
ITEM = HookItem(work_id="w", row_ids=("r",), values={"a": "b"}, group_key=None, group_context=None)


@pytest.fixture
def files(tmp_path: Path) -> TinyProject:
    files = build_project(tmp_path)
    files.write(HOOKS, SOURCE)
    return files


def add_hooks(files: TinyProject, block: str) -> Task:
    files.edit(CONFIG, "llm:\n", f"hooks: {block}\nllm:\n")
    return load(files)


def load(files: TinyProject) -> Task:
    return load_task(Project(root=files.root, environ={}), "notes")


def load_check(files: TinyProject, reference: str):
    project = Project(root=files.root, environ={})
    return load_hook(reference, kind="check", task=load(files), project=project)


def test_hooks_are_the_functions_of_the_files(files: TinyProject):
    """Each hook is found by file and function, and knows both for messages and for the record."""
    task = add_hooks(
        files, f"{{request: {HOOKS}:build_request, check: {HOOKS}:check, names: [shelf]}}"
    )
    hooks = load_hooks(task.settings.hooks, task, Project(root=files.root, environ={}))
    assert hooks is not None
    assert hooks.request is not None
    assert hooks.request.call(ITEM) == Request(extra={"n": 1})
    assert [(hook.kind, hook.name) for hook in hooks.all] == [
        ("request", f"{HOOKS}:build_request"),
        ("check", f"{HOOKS}:check"),
    ]
    assert hooks.names == {"shelf"}
    assert len({hook.source_sha256 for hook in hooks.all}) == 1
    assert find_hook_files(task.settings.hooks, task) == (files.root / HOOKS,)


def test_task_without_hooks_has_none(files: TinyProject):
    """Nothing is imported where nothing is named."""
    task = load(files)
    settings = task.settings.hooks
    assert load_hooks(settings, task, Project(root=files.root, environ={})) is None
    assert find_hook_files(settings, task) == ()


def test_changed_file_is_imported_anew(files: TinyProject):
    """The function is that of the file as it is now, and no bytecode is left beside it."""
    files.edit(HOOKS, "return None\n\n\ndef score", "return 'changed'\n\n\ndef score")
    assert load_check(files, f"{HOOKS}:check").call(ITEM, {}) == "changed"
    files.edit(HOOKS, "'changed'", "'again'")
    assert load_check(files, f"{HOOKS}:check").call(ITEM, {}) == "again"
    assert [path.name for path in (files.root / HOOKS).parent.iterdir()] == ["notes.py"]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("configs/hooks/nots.py:check", "hook file configs/hooks/nots.py does not exist"),
        (f"{HOOKS}:chek", "does not exist. Did you mean 'check'?"),
        (f"{HOOKS}:SHELF", "cannot be called with (item, output)"),
        (f"{HOOKS}:build_request", "cannot be called with (item, output)"),
        (f"{HOOKS}:wait", "cannot be called with (item, output)"),
    ],
)
def test_hook_that_cannot_be_used_is_told(files: TinyProject, reference: str, words: str):
    """A missing file or function, and one that takes other arguments, is named before the first call."""
    with pytest.raises(ConfigError) as error:
        load_check(files, reference)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def check(item, output:\n", "line 1: "),
        ("\nimport no_such_module\n", "line 2: ModuleNotFoundError"),
        ("raise SystemExit\n", "the hook file could not be imported"),
    ],
)
def test_file_that_cannot_be_imported_is_told(files: TinyProject, source: str, words: str):
    """File, line and error stand in one sentence."""
    files.write(HOOKS, source)
    with pytest.raises(ConfigError) as error:
        load_check(files, f"{HOOKS}:check")
    assert words in str(error.value)
    assert HOOKS in str(error.value)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("{check: configs/hooks/notes.py}", "name a file and a function in it"),
        ("{check: check}", "name a file and a function in it"),
        ("{names: [shelf]}", "`names` are given by a `request` hook"),
        ("{chek: a.py:b}", "Did you mean 'check'?"),
    ],
)
def test_mistake_in_the_block_is_told_with_its_place(files: TinyProject, block: str, words: str):
    """The config says what a hook's name looks like, and where it stands."""
    with pytest.raises(ConfigError) as error:
        add_hooks(files, block)
    assert words in str(error.value)
    assert "configs/notes.yaml:" in str(error.value)
