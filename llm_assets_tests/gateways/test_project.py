import os
from pathlib import Path

import pytest

from llm_assets.errors import ConfigError
from llm_assets.gateways.project import Project, find_project_root, load_project


@pytest.fixture
def root(tmp_path):
    """A project with one task file."""
    folder = tmp_path / "project"
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "triage.yaml").write_text("prompt: p\n")
    return folder


def test_the_root_is_found_from_any_folder_inside(root):
    """The nearest folder with a config around the starting point is the project."""
    deep = root / "data" / "inputs"
    deep.mkdir(parents=True)
    assert find_project_root(deep, environ={}) == root
    assert find_project_root(root / "configs" / "triage.yaml", environ={}) == root


def test_a_configs_folder_without_yaml_is_no_project(root):
    """A `configs/` of something else does not hide the project around it."""
    (root / "other" / "configs").mkdir(parents=True)
    assert find_project_root(root / "other", environ={}) == root


def test_the_variable_wins(root, tmp_path):
    """LLM_ASSETS_PROJECT names the project, wherever one stands."""
    environ = {"LLM_ASSETS_PROJECT": str(tmp_path)}
    assert find_project_root(root, environ=environ) == tmp_path


def test_a_variable_that_names_no_folder_is_told(root):
    """A wrong LLM_ASSETS_PROJECT is an error rather than another project."""
    with pytest.raises(ConfigError, match="LLM_ASSETS_PROJECT names '/nowhere/at/all'"):
        find_project_root(root, environ={"LLM_ASSETS_PROJECT": "/nowhere/at/all"})


def test_no_project_is_told_with_a_remedy():
    """Without a project, the message says what makes a folder one."""
    with pytest.raises(ConfigError, match=r"No project was found .* holds configs/<task>\.yaml"):
        load_project(Path("/"), environ={})


def test_paths_start_at_the_root_whatever_the_working_directory(root, tmp_path, monkeypatch):
    """A relative path means the same from every working directory."""
    project = Project(root=root, environ={})
    monkeypatch.chdir(tmp_path)
    assert project.resolve("prompts/../prompts/a.yaml") == root / "prompts" / "a.yaml"
    assert project.resolve(tmp_path / "b.csv") == tmp_path / "b.csv"
    assert project.dagster_home == root / ".dagster"
    assert project.artifacts == root / "data" / "artifacts"


def test_shown_paths_are_equal_on_every_machine(root, tmp_path, monkeypatch):
    """Inside the project a path is shown from its root, outside by its name alone."""
    project = Project(root=root, environ={})
    monkeypatch.chdir(root)
    assert project.show(root / "data" / "inputs" / "a.csv") == "data/inputs/a.csv"
    assert project.show(Path("configs/triage.yaml")) == "configs/triage.yaml"
    assert project.show(tmp_path / "elsewhere" / "a.csv") == "a.csv"


def test_a_linked_folder_keeps_its_name(root, tmp_path):
    """Inputs on another disk, linked into the project, count as inside of it."""
    (tmp_path / "disk").mkdir()
    (root / "data").symlink_to(tmp_path / "disk")
    assert Project(root=root, environ={}).show(root / "data" / "a.csv") == "data/a.csv"


def test_variables_come_from_the_environment_before_the_file(root):
    """`.env` fills in what the environment does not set; an empty variable counts as not set."""
    (root / ".env").write_text("A=file\nB='file $HOME ${A}'\nC=\n", encoding="utf-8")
    project = Project(root=root, environ={"A": "environment", "D": ""})
    found = {name: project.find_variable(name) for name in "ABCDE"}
    assert found == {"A": "environment", "B": "file $HOME ${A}", "C": None, "D": None, "E": None}


def test_the_ledger_is_a_file_unless_a_url_is_set(root):
    """The ledger lies in the project, or where LLM_ASSETS_LEDGER_URL says."""
    url = "postgresql://user:password@host/calls"
    assert Project(root=root, environ={}).ledger_url == f"sqlite:///{root}/data/ledger.sqlite"
    named = Project(root=root, environ={"LLM_ASSETS_LEDGER_URL": url})
    assert named.ledger_url == url
    assert "password" not in repr(named)


def test_the_process_environment_is_the_default(root, monkeypatch):
    """Without a given environment, that of the process counts, as it is at that moment."""
    project = Project(root=root)
    monkeypatch.setitem(os.environ, "LLM_ASSETS_TEST_VARIABLE", "set")
    assert project.find_variable("LLM_ASSETS_TEST_VARIABLE") == "set"
