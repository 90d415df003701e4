"""Whether a task file can say no more than how it differs from another one."""

from pathlib import Path

import pytest

from llm_assets.config.overrides import parse_assignment
from llm_assets.errors import ConfigError
from llm_assets.gateways.batches import list_batches, register_batch_file
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_survey import load_tasks
from llm_assets.gateways.tasks import (
    check_no_gaps,
    load_task,
    load_task_file,
    override_task,
)

BASE = """\
prompt: prompts/triage.yaml
llm:
  temperature: 0
  seed: 4
judge:
  prompt: prompts/judge.yaml
"""


@pytest.fixture
def project(tmp_path):
    """A task, a variant of it, and a variant of that."""
    root = tmp_path / "project"
    write(root / "configs" / "triage.yaml", BASE)
    write(root / "configs" / "brief.yaml", "extends: triage.yaml\nprompt: prompts/brief.yaml\n")
    write(root / "configs" / "hot.yaml", "extends: brief.yaml\nllm: {temperature: 1}\njudge:\n")
    return Project(root=root, environ={})


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def fail(project, name):
    with pytest.raises(ConfigError) as caught:
        load_task(project, name)
    return str(caught.value)


def test_a_variant_is_the_task_but_for_what_it_says(project):
    """Settings go down a chain of files; what a variant says replaces them, and an empty block that may be none, too."""
    brief, hot = load_task(project, "brief"), load_task(project, "hot")
    assert brief.settings.prompt == hot.settings.prompt == "prompts/brief.yaml"
    assert (brief.settings.llm.temperature, brief.settings.llm.seed) == (0, 4)
    assert (hot.settings.llm.temperature, hot.settings.llm.seed) == (1, 4)
    assert brief.settings.judge
    assert hot.settings.judge is None


def test_a_variant_shares_input_and_schema(project):
    """The batches are those of the task it extends, and so is the module; what it makes is its own."""
    root = project.root
    for name in ("triage", "brief", "hot"):
        task = load_task(project, name)
        assert task.input_folder == root / "data" / "inputs" / "triage"
        assert task.schema_path == root / "configs" / "schemas" / "triage.py"
        assert task.name == name


def test_a_table_from_elsewhere_is_a_batch_of_the_variant_too(project, tmp_path):
    """A file that was given with --input once is remembered for the task and its variants."""
    path = write(tmp_path / "june.csv", "a\n1\n")
    register_batch_file(path, task=load_task(project, "triage"), project=project)
    keys = [batch.key for batch in list_batches(load_task(project, "hot"), project)]
    assert keys == ["june"]


def test_a_variant_with_a_folder_of_its_own_has_its_own_batches(project):
    """Where a variant names a folder, that is where its tables lie."""
    write(project.configs / "own.yaml", "extends: brief.yaml\ninput: {folder: data/own}\n")
    task = load_task(project, "own")
    assert task.input_folder == project.root / "data" / "own"
    assert task.file.input_owner == "own"


def test_the_hash_of_a_variant_is_that_of_all_its_files(project):
    """A change of the file that is extended is a change of the variant; a file alone has the hash it always had."""
    before = {task.name: task.config_sha256 for task in load_tasks(project)}
    write(project.configs / "triage.yaml", BASE + "# more\n")
    after = {task.name: task.config_sha256 for task in load_tasks(project)}
    assert len({*before.values(), *after.values()}) == 6


def test_a_file_may_be_named_from_the_project(project, tmp_path):
    """A path that is not beside the file is looked for from the project, as other paths are."""
    write(project.configs / "deep" / "base.yaml", "prompt: p\n")
    write(project.configs / "one.yaml", "extends: configs/deep/base.yaml\n")
    write(project.configs / "two.yaml", "extends: deep/base.yaml\n")
    assert load_task(project, "one").settings.prompt == load_task(project, "two").settings.prompt
    away = write(tmp_path / "away" / "far.yaml", f"extends: {project.configs / 'triage.yaml'}\n")
    assert load_task_file(away, project).settings.llm.seed == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "prompt: p\nextends: triag.yaml\n",
            "configs/x.yaml:2:10: extends: the task file configs/triag.yaml does not exist. Did you mean 'triage.yaml'?",
        ),
        (
            "extends: x.yaml\n",
            "configs/x.yaml:1:10: extends: a task cannot extend itself: x.yaml extends x.yaml.",
        ),
        ("extends: [a]\n", "configs/x.yaml:1:10: extends: expected the path of a task file."),
        ("extends: triage.yaml\nllm: {sed: 1}\n", "configs/x.yaml:2:7: llm.sed: unknown key."),
        (
            "extends: triage.yaml\nllm:\n  endpoint: nowhere\n",
            "configs/x.yaml:3:13: llm.endpoint: there is no endpoint",
        ),
        ("extends: triage.yaml\n- a\n", "configs/x.yaml:2:1"),
    ],
)
def test_a_mistake_is_told_with_its_place(project, text, expected):
    """Missing files, files that extend themselves and wrong values are told with file, line and column."""
    write(project.configs / "x.yaml", text)
    assert expected in fail(project, "x")


def test_a_circle_is_told_with_every_file_in_it(project):
    """Three files that extend each other are named in turn, at the place that closes the circle."""
    write(project.configs / "triage.yaml", "extends: hot.yaml\nprompt: p\n")
    assert fail(project, "hot") == (
        "configs/triage.yaml:1:10: extends: a task cannot extend itself: "
        "hot.yaml extends brief.yaml extends triage.yaml extends hot.yaml."
    )


def test_a_mistake_of_the_task_is_told_there(project):
    """What is wrong in the extended file is told with that file's name and line."""
    write(project.configs / "triage.yaml", BASE + "limits: {max_in_flight: none}\n")
    assert "configs/triage.yaml:7:25: limits.max_in_flight: expected a whole number" in fail(
        project, "hot"
    )


def set_values(project, *texts, name="triage"):
    task = load_task(project, name)
    return override_task(task, project, [parse_assignment(text) for text in texts])


def test_settings_are_set_for_a_run(project):
    """Values take the types of their settings, and what differs from the file is known with both values."""
    task = set_values(
        project,
        "llm.temperature=0.5",
        "prompt=prompts/007.yaml",
        "export.formats=[csv, psv]",
        "judge=null",
        "llm.seed=4",
        "tags.a.b=c",
        "llm.extra.reasoning.effort=low",
    )
    settings = task.settings
    assert (settings.llm.temperature, settings.prompt) == (0.5, "prompts/007.yaml")
    assert settings.export.formats == ("csv", "psv")
    assert settings.judge is None
    assert settings.tags == {"a.b": "c"}
    assert settings.llm.extra == {"reasoning": {"effort": "low"}}
    changes = {change.path: (change.file_value, change.run_value) for change in task.changes}
    assert changes["llm.temperature"] == (0.0, 0.5)
    assert changes["prompt"] == ("prompts/triage.yaml", "prompts/007.yaml")
    assert changes["export.formats"] == (["csv", "jsonl"], ["csv", "psv"])
    assert changes["judge.prompt"] == ("prompts/judge.yaml", None)
    assert "llm.seed" not in changes
    assert task.config_sha256 == load_task(project, "triage").config_sha256


def test_nothing_set_is_nothing_changed(project):
    """Without assignments a task is the very same one."""
    task = load_task(project, "triage")
    assert override_task(task, project, []) is task


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            ["llm.temprature=1"],
            ["--set llm.temprature: there is no such setting. Did you mean 'llm.temperature'?"],
        ),
        (["temperature=1"], ["Did you mean 'llm.temperature' or 'judge.llm.temperature'?"]),
        (["promt=x"], ["Did you mean 'prompt'?", "at the top"]),
        (["llm.temperature=warm"], ["--set: llm.temperature: expected a number, got 'warm'."]),
        (
            ["llm.endpoint=opnai"],
            ["--set: llm.endpoint: there is no endpoint 'opnai'. Did you mean 'openai'?"],
        ),
        (["input.types=all"], ["--set: input.types: unknown value 'all'.", "Allowed: text, keep."]),
        (["llm.temperature.x=1"], ["`llm.temperature` is one value and holds no others"]),
        (["llm={seed: 1, x: 2}"], ["--set: llm.x: unknown key."]),
        (["export.formats=[csv"], ["--set export.formats:1:1: the list that opens"]),
        (["extends=x.yaml"], ["--set extends: this can be said in a file alone"]),
        (["llm.seed=1", "llm.seed=2"], ["llm.seed: this is set twice"]),
        (
            ["llm.top_p=2", "llm.seed=x"],
            ["--set: llm.top_p: expected at most 1", "--set: llm.seed: expected a whole"],
        ),
        (["a=1", "b=2"], ["2 settings cannot be set:", "--set a: there is", "--set b: there is"]),
    ],
)
def test_what_cannot_be_set_is_told(project, texts, words):
    """Unknown paths get a suggestion, wrong values the type that was expected, several mistakes are told at once."""
    with pytest.raises(ConfigError) as caught:
        set_values(project, *texts)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("text", ["llm.temperature", "=1", ""])
def test_what_sets_nothing_is_told(text):
    """An assignment is a path, an equals sign and a value."""
    with pytest.raises(ConfigError, match=r"Write `--set llm\.temperature=0\.2`"):
        parse_assignment(text)


GAPS = """\
prompt: !required the prompt file
llm:
  endpoint: openai
  model: !required "the model, such as gpt-4.1"
  max_output_tokens: !required the longest answer
  price: {input_usd: !required what a million tokens cost, output_usd: 2}
grouping:
  mode: !required row or group_output
  column: team
"""


def test_a_task_with_gaps_is_loaded(project):
    """Until its values are given, a task is there with harmless ones in their places, whatever their types."""
    write(project.configs / "gaps.yaml", GAPS)
    task = load_task(project, "gaps")
    assert [gap.name for gap in task.gaps] == [
        "prompt",
        "llm.model",
        "llm.max_output_tokens",
        "llm.price.input_usd",
        "grouping.mode",
    ]
    assert task in load_tasks(project)


def test_all_that_is_missing_is_told_at_once(project):
    """One message lists every value with the file's words and place, and the way to give them."""
    write(project.configs / "gaps.yaml", GAPS)
    with pytest.raises(ConfigError) as caught:
        check_no_gaps(load_task(project, "gaps"))
    message = str(caught.value)
    assert message.startswith("Task gaps lacks 5 values; nothing was sent:")
    for line in (
        "llm.model: the model, such as gpt-4.1 (configs/gaps.yaml:4:10)",
        "grouping.mode: row or group_output (configs/gaps.yaml:8:9)",
        "--set llm.model=… --set llm.max_output_tokens=…",
    ):
        assert line in message


def test_a_stage_asks_for_its_own_values_alone(project):
    """What a stage does not read need not be given for it."""
    write(project.configs / "gaps.yaml", "prompt: p\nllm: {model: !required a model}\n")
    task = load_task(project, "gaps")
    check_no_gaps(task, "input", "cleaning")
    with pytest.raises(ConfigError, match="lacks 1 value"):
        check_no_gaps(task, "prompt", "llm")


def test_given_values_close_the_gaps(project):
    """A value from the command line or from a variant fills its place, and is shown as one the file left open."""
    write(project.configs / "gaps.yaml", "prompt: p\nllm: {model: !required a model}\n")
    write(project.configs / "full.yaml", "extends: gaps.yaml\nllm: {model: m}\n")
    task = set_values(project, "llm.model=extractive", name="gaps")
    check_no_gaps(task)
    (change,) = task.changes
    assert (change.path, change.file_value, change.run_value) == ("llm.model", None, "extractive")
    assert load_task(project, "full").gaps == ()


def test_other_mistakes_are_told_beside_gaps(project):
    """A gap does not hide an unknown key next to it, nor can an unknown key be a gap."""
    write(
        project.configs / "gaps.yaml", "prompt: p\nllm: {model: !required a model, temprature: 1}\n"
    )
    assert "llm.temprature: unknown key" in fail(project, "gaps")
    write(project.configs / "gaps.yaml", "prompt: p\nllm: {modell: !required a model}\n")
    assert "llm.modell: unknown key. Did you mean 'model'?" in fail(project, "gaps")


def test_a_gap_is_for_task_files_alone(project):
    """The endpoints file has to be complete."""
    write(project.endpoints_path, "endpoints: {mine: {base_url: !required an address}}\n")
    message = fail(project, "triage")
    assert (
        "configs/endpoints.yaml:1:30: endpoints.mine.base_url: a value has to be given here: an address"
        in message
    )
