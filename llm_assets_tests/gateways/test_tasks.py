import hashlib

import pytest

from llm_assets.errors import ConfigError
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_survey import load_tasks
from llm_assets.gateways.tasks import list_task_names, load_task, load_task_file


@pytest.fixture
def project(tmp_path):
    """A project with two tasks and an endpoint of its own."""
    root = tmp_path / "project"
    write(root / "configs" / "triage.yaml", "prompt: prompts/triage.yaml\n")
    write(root / "configs" / "alpha.yaml", "prompt: p\nllm:\n  endpoint: office\n")
    write(root / "configs" / "endpoints.yaml", "endpoints:\n  office:\n    preset: vllm\n")
    return Project(root=root, environ={})


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_all_tasks_are_loaded_by_name(project):
    """Every file in configs/ but the endpoints file is a task, in the order of their names."""
    write(project.configs / ".draft.yaml", "nothing: yet")
    assert [task.name for task in load_tasks(project)] == ["alpha", "triage"]


def test_a_task_knows_its_files_and_its_endpoint(project, tmp_path, monkeypatch):
    """Paths start at the project, whatever the working directory; the endpoint is filled in from its preset."""
    monkeypatch.chdir(tmp_path)
    triage, alpha = load_task(project, "triage"), load_task(project, "alpha")
    root = project.root
    assert triage.steps[0].prompt_path == root / "prompts" / "triage.yaml"
    assert triage.schema_path == root / "configs" / "schemas" / "triage.py"
    assert triage.input_folder == root / "data" / "inputs" / "triage"
    assert triage.config_sha256 == hashlib.sha256(triage.config_path.read_bytes()).hexdigest()
    assert alpha.endpoint.base_url == "http://127.0.0.1:8000/v1"


def test_an_unknown_task_names_the_known_ones(project):
    """A misspelt task is answered with the tasks there are."""
    with pytest.raises(ConfigError) as caught:
        load_task(project, "traige")
    assert str(caught.value) == (
        "There is no task 'traige' in configs/. Did you mean 'triage'? Tasks: alpha, triage."
    )


def test_an_unknown_endpoint_is_told_at_its_place(project):
    """The place of `llm.endpoint` and all names are in the message."""
    write(project.configs / "beta.yaml", "prompt: p\nllm:\n  endpoint: ofice\n")
    with pytest.raises(ConfigError) as caught:
        load_task(project, "beta")
    message = str(caught.value)
    assert message.startswith("configs/beta.yaml:3:13: llm.endpoint: there is no endpoint 'ofice'.")
    assert "Did you mean 'office'?" in message
    assert "openrouter" in message


def test_mistakes_of_all_files_are_told_at_once(project):
    """Two broken tasks make one error with both places."""
    write(project.configs / "alpha.yaml", "promt: p\n")
    write(project.configs / "triage.yaml", "prompt: p\n\tllm: x\n")
    with pytest.raises(ConfigError) as caught:
        load_tasks(project)
    message = str(caught.value)
    assert "configs/alpha.yaml:1:1: promt: unknown key. Did you mean 'prompt'?" in message
    assert "configs/triage.yaml:2:1: a tab stands where spaces are needed." in message


def test_a_broken_endpoints_file_is_told_once(project):
    """Its mistakes are not repeated for every task."""
    write(project.endpoints_path, "endpoints:\n  office:\n    preset: vlm\n")
    with pytest.raises(ConfigError) as caught:
        load_tasks(project)
    assert str(caught.value).count("configs/endpoints.yaml:3:13: endpoints.office.preset") == 1


def test_a_name_that_dagster_refuses_is_told_with_a_better_one(project):
    """A task's name becomes an asset group, which takes letters, digits and underscores."""
    write(project.configs / "my task-2.yaml", "prompt: p\n")
    with pytest.raises(ConfigError, match=r"Rename the file to my_task_2\.yaml"):
        load_tasks(project)


def test_a_task_with_the_other_ending_is_not_passed_over(project):
    """A .yml file is an error rather than a task that never runs."""
    write(project.configs / "gamma.yml", "prompt: p\n")
    with pytest.raises(
        ConfigError, match=r"configs/gamma\.yml is not read.* Rename it to gamma\.yaml"
    ):
        list_task_names(project)


def test_a_config_of_another_project_belongs_to_it(project, tmp_path):
    """Its relative paths start at its own project, and it may use the endpoints of both."""
    other = tmp_path / "other"
    own = "endpoints:\n  mine:\n    base_url: http://mine/v1\n  office:\n    base_url: http://mine/v2\n"
    write(other / "configs" / "endpoints.yaml", own)
    path = write(other / "configs" / "beta.yaml", "prompt: p.yaml\nllm:\n  endpoint: office\n")
    task = load_task_file(path, project)
    assert (task.home, task.steps[0].prompt_path) == (other, other / "p.yaml")
    assert task.endpoint.base_url == "http://mine/v2"


def test_a_config_outside_of_any_project_starts_at_its_folder(project, tmp_path):
    """A lone config finds its prompt beside it."""
    path = write(tmp_path / "lone" / "beta.yaml", "prompt: p.yaml\nllm:\n  endpoint: office\n")
    task = load_task_file(path, project)
    assert task.steps[0].prompt_path == tmp_path / "lone" / "p.yaml"
    assert task.endpoint.base_url == "http://127.0.0.1:8000/v1"


def test_mistakes_in_a_config_elsewhere_show_its_path(project, tmp_path):
    """A message about a file outside of the project can be opened at its place."""
    path = write(tmp_path / "lone" / "beta.yaml", "promt: p\n")
    with pytest.raises(ConfigError) as caught:
        load_task_file(path, project)
    assert f"{path}:1:1: promt: unknown key." in str(caught.value)


def test_a_missing_config_is_told(project, tmp_path):
    """A misspelt --config is answered with the neighbour there is."""
    write(tmp_path / "beta.yaml", "prompt: p\n")
    with pytest.raises(ConfigError, match=r"task file .*betta\.yaml does not exist\. Did you mean"):
        load_task_file(tmp_path / "betta.yaml", project)
