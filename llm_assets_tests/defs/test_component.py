import tomllib
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.core.package_entry import discover_package_objects

from llm_assets import LLMTask, build_definitions
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

PYPROJECT = """\
[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "{package}"
"""
DEFS = """\
type: llm_assets.LLMTask

attributes:
  {attributes}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A folder with one task inside of somebody's repository."""
    return build_project(tmp_path / "llm")


def write_project(root: Path, package: str, attributes: str) -> None:
    """A project whose one component is described by a `defs.yaml`."""
    (root / "pyproject.toml").write_text(PYPROJECT.format(package=package), encoding="utf-8")
    folder = root / package / "defs" / "sorting"
    folder.mkdir(parents=True)
    for init in (root / package / "__init__.py", root / package / "defs" / "__init__.py"):
        init.touch()
    (folder / "defs.yaml").write_text(DEFS.format(attributes=attributes), encoding="utf-8")


def list_keys(definitions: dg.Definitions) -> set[str]:
    graph = definitions.resolve_asset_graph()
    return {key.to_user_string() for key in graph.get_all_asset_keys()}


def load(root: Path, package: str, attributes: str, monkeypatch) -> dg.Definitions:
    write_project(root, package, attributes)
    monkeypatch.syspath_prepend(root)
    return dg.load_from_defs_folder(path_within_project=root)


@pytest.mark.parametrize(
    ("package", "attributes", "prefix"),
    [
        ("with_folder", "path: ../../../llm", ()),
        ("with_file", "path: ../../../llm/configs/notes.yaml\n  key_prefix: [support]", "support"),
        ("with_names", "path: ../../../llm\n  tasks: [notes]\n  key_prefix: support", "support"),
    ],
)
def test_a_defs_yaml_takes_tasks_in(
    tiny: TinyProject, monkeypatch, package: str, attributes: str, prefix: str
):
    """A component gives what the function gives; its paths start from the folder of its `defs.yaml`."""
    monkeypatch.chdir("/")
    definitions = load(tiny.root.parent, package, attributes, monkeypatch)
    assert list_keys(definitions) == list_keys(build_definitions(tiny.root, key_prefix=prefix))
    assert definitions.resolve_job_def("notes_batch").executor_def is dg.in_process_executor


def test_a_component_can_stand_in_python(tiny: TinyProject, monkeypatch):
    """`build_defs_for_component` takes it into a project without `defs.yaml`; paths start from where it runs."""
    monkeypatch.chdir(tiny.root.parent)
    definitions = dg.build_defs_for_component(LLMTask(path="llm"))
    assert list_keys(definitions) == list_keys(build_definitions(tiny.root))


@pytest.mark.parametrize(
    ("package", "attributes", "block", "words"),
    [
        (
            "bad_config",
            "path: ../../../llm",
            "contxt:",
            "configs/notes.yaml:4:1: contxt: unknown key",
        ),
        ("bad_path", "path: ../llm", "context:", "There are no tasks in"),
        ("bad_key", "pth: ../../../llm", "context:", "pth"),
    ],
)
def test_mistakes_come_out_in_plain_words(
    tiny: TinyProject, monkeypatch, package: str, attributes: str, block: str, words: str
):
    """What is wrong in a config or a `defs.yaml` stands in the error that Dagster shows."""
    tiny.edit("configs/notes.yaml", "context:", block)
    with pytest.raises(Exception, match="sorting") as caught:
        load(tiny.root.parent, package, attributes, monkeypatch)
    told: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        told.append(str(error))
        error = error.__cause__
    assert words in "\n".join(told)


def test_the_component_is_found_by_its_entry_point():
    """The module that the package registers holds the component, so `dg list components` shows it."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["project"]["entry-points"]["dagster_dg_cli.registry_modules"]
    (module,) = entries.values()
    found = discover_package_objects([module])
    assert [key.to_typename() for key in found] == ["llm_assets.LLMTask"]
