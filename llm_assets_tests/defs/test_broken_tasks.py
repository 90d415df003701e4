import logging
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.project_definitions import VALIDATION_VARIABLE, build_project_definitions
from llm_assets.errors import ConfigError
from llm_assets.gateways.project import Project
from llm_assets_tests.end_to_end.tiny_project import (
    DAGSTER,
    TinyProject,
    build_environ,
    build_project,
)

MISTAKE = "configs/reviews.yaml:2:1: contxt: unknown key. Did you mean 'context'?"
OTHER_NODES = {"reviews/config_file"}
COMPARED = "extends: notes.yaml\ncompare:\n  with: {}\n"


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project with the task `notes`, and `reviews`, whose config has a typo."""
    project = build_project(tmp_path)
    project.write("configs/reviews.yaml", "prompt: prompts/notes.yaml\ncontxt: {}\n")
    return project


def build(tiny: TinyProject, **environ: str) -> dg.Definitions:
    return build_project_definitions(Project(root=tiny.root, environ=environ))


def list_nodes(definitions: dg.Definitions, task: str) -> set[str]:
    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    return {key.to_user_string() for key in keys if key.path[0] == task}


def list_automation(definitions: dg.Definitions) -> set[str]:
    found = (
        *(definitions.jobs or ()),
        *(definitions.sensors or ()),
        *(definitions.schedules or ()),
    )
    return {each.name for each in found}


def read_message(definitions: dg.Definitions, task: str) -> str:
    return str(
        definitions.resolve_asset_graph().get(dg.AssetKey([task, "config_file"])).description
    )


def test_a_broken_task_is_a_node_that_says_what_is_wrong(tiny: TinyProject):
    """Of its group only the config is there, of a kind of its own, with file, line, column and remedy."""
    definitions = build(tiny)
    dg.Definitions.validate_loadable(definitions)
    assert list_nodes(definitions, "reviews") == OTHER_NODES
    node = definitions.resolve_asset_graph().get(dg.AssetKey(["reviews", "config_file"]))
    assert (node.group_name, node.is_external, node.kinds) == ("reviews", True, {"yaml", "broken"})
    assert MISTAKE in str(node.description)
    assert str(tiny.root) not in str(node.description)


def test_a_broken_task_takes_only_its_own_jobs_away(tiny: TinyProject):
    """Its jobs and sensors are not there; those of the other task are all there."""
    names = list_automation(build(tiny))
    assert {name.split("_")[0] for name in names} == {"notes"}
    (tiny.root / "configs/reviews.yaml").unlink()
    assert list_automation(build(tiny)) == names


def test_the_log_has_the_mistake(tiny: TinyProject, caplog: pytest.LogCaptureFixture):
    """Each broken task is an error in the log, without a stack trace."""
    build(tiny)
    (record,) = [each for each in caplog.records if each.name.startswith("llm_assets")]
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(f"The task reviews is left out: {MISTAKE}")
    assert not record.exc_info


def test_without_a_task_that_loads_the_error_is_loud(tiny: TinyProject):
    """An empty graph would say less than an error that names every mistake."""
    tiny.write("configs/notes.yaml", "prompt: [\n")
    with pytest.raises(
        ConfigError, match=r"(?s)configs/notes\.yaml:2:1: .*configs/reviews\.yaml:2:1: "
    ):
        build(tiny)
    (tiny.root / "configs/notes.yaml").unlink()
    with pytest.raises(ConfigError, match=r"^configs/reviews\.yaml:2:1: contxt: unknown key"):
        build(tiny)


def test_validating_fails(tiny: TinyProject):
    """Whoever asks Dagster whether the definitions are right, wants to hear of each mistake."""
    with pytest.raises(ConfigError, match=r"^configs/reviews\.yaml:2:1: contxt: unknown key"):
        build(tiny, **{VALIDATION_VARIABLE: "1"})
    (tiny.root / "configs/reviews.yaml").unlink()
    assert build(tiny, **{VALIDATION_VARIABLE: "1"})


def test_who_is_compared_with_a_broken_task_is_left_out_too(tiny: TinyProject):
    """A comparison without the other task would be of nothing; the message names the other, over any number of steps."""
    tiny.write("configs/brief.yaml", COMPARED.format("reviews"))
    tiny.write("configs/short.yaml", COMPARED.format("brief"))
    tiny.write("configs/long.yaml", COMPARED.format("notes"))
    definitions = build(tiny)
    dg.Definitions.validate_loadable(definitions)
    assert list_nodes(definitions, "brief") == {"brief/config_file"}
    assert (
        "configs/brief.yaml: compare.with: the task 'reviews' cannot be loaded, so neither can 'brief'. "
        "Mend configs/reviews.yaml."
    ) in read_message(definitions, "brief")
    assert "Mend configs/brief.yaml." in read_message(definitions, "short")
    assert "long/comparison" in list_nodes(definitions, "long")


@pytest.mark.parametrize(
    ("line", "reason"),
    [("owners: [shop]", "Invalid owner 'shop'"), ("tags: {a b: c}", "invalid tag keys: ['a b']")],
)
def test_what_dagster_does_not_take_is_left_out(tiny: TinyProject, line: str, reason: str):
    """So is a task whose settings are right to us and wrong to Dagster, and who is compared with it."""
    tiny.write("configs/reviews.yaml", f"extends: notes.yaml\n{line}\n")
    tiny.write("configs/brief.yaml", COMPARED.format("reviews"))
    definitions = build(tiny)
    message = read_message(definitions, "reviews")
    assert "configs/reviews.yaml: Dagster does not take it: " in message
    assert reason in message
    assert list_nodes(definitions, "reviews") == OTHER_NODES
    assert "Mend configs/reviews.yaml." in read_message(definitions, "brief")


@pytest.mark.parametrize("stem", ["notes copy", "notes.old", "nötes", "-"])
def test_a_file_whose_name_is_no_tasks_keeps_no_other_out(tiny: TinyProject, stem: str):
    """A copy that lies beside the config is told of in a node of the file's own name."""
    tiny.write(f"configs/{stem}.yaml", tiny.read("configs/notes.yaml"))
    definitions = build(tiny)
    dg.Definitions.validate_loadable(definitions)
    assert "Rename the file to " in read_message(definitions, stem)
    assert "notes/export" in list_nodes(definitions, "notes")


def test_mistakes_in_what_all_tasks_share_are_an_error(tiny: TinyProject):
    """The endpoints file concerns every task."""
    tiny.write("configs/endpoints.yaml", "endpoints:\n  own:\n    preset: vlm\n")
    with pytest.raises(ConfigError, match=r"^configs/endpoints\.yaml:3:13"):
        build(tiny)


def test_the_command_line_tells_a_broken_task(tiny: TinyProject):
    """`doctor` looks at every config and ends with an error."""
    found = tiny.run("doctor", "--json")
    (finding,) = (each for each in found.record["findings"] if each["subject"] == "task reviews")
    assert found.exit_code == 2
    assert MISTAKE.startswith(finding["text"])


@pytest.mark.slow
def test_the_other_tasks_job_runs_in_what_dagster_loads(tiny: TinyProject):
    """With a broken task beside it, a job runs from the module that the UI loads, and the mistake is on standard error."""
    code = (
        "import dagster as dg, llm_assets.definitions as d;"
        "job = d.defs.resolve_job_def('notes_schema');"
        "assert job.execute_in_process(instance=dg.DagsterInstance.ephemeral()).success"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tiny.root,
        env=build_environ({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"The task reviews is left out: {MISTAKE}" in done.stderr


@pytest.mark.slow
def test_dagsters_own_validation_fails(tiny: TinyProject):
    """`dagster definitions validate` names the mistake, so a check before a deployment finds it."""
    done = subprocess.run(
        [DAGSTER, "definitions", "validate", "-m", "llm_assets.definitions"],
        cwd=tiny.root,
        env=build_environ({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert MISTAKE in done.stdout + done.stderr
