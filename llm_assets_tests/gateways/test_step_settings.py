"""Whether a step of a chain can be changed by its name: by a variant, for one run, and where a value is left open."""

from pathlib import Path

import pytest

from llm_assets.config.overrides import parse_assignment
from llm_assets.errors import ConfigError
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import check_no_gaps, load_task, override_task


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def set_values(project, *texts, name="chain"):
    task = load_task(project, name)
    return override_task(task, project, [parse_assignment(text) for text in texts])


CHAIN = """\
llm: {model: small, seed: 4}
steps:
  - {name: extract, prompt: prompts/extract.yaml, output_model: Entities}
  - name: labels
    prompt: prompts/labels.yaml
    output_model: Labels
    llm: {temperature: 0}
    judge: {prompt: prompts/judge.yaml}
"""


@pytest.fixture
def project(tmp_path):
    """A task of two steps, and a variant of it that asks another model in one of them."""
    project = Project(root=tmp_path / "project", environ={})
    write(project.configs / "chain.yaml", CHAIN)
    write(project.configs / "plain.yaml", "prompt: p\n")
    write(
        project.configs / "big.yaml",
        "extends: chain.yaml\nsteps:\n  labels:\n    llm: {model: big}\n",
    )
    return project


def test_a_variant_of_a_chain_may_change_one_step(project):
    """What a variant says about a step by its name is laid over that step, and all else is as in the task."""
    extract, labels = load_task(project, "big").steps
    assert (extract.settings.llm.model, labels.settings.llm.model) == ("small", "big")
    assert (labels.settings.llm.temperature, labels.settings.llm.seed) == (0, 4)
    assert labels.prompt_path == project.root / "prompts" / "labels.yaml"


def test_a_setting_of_a_step_is_set_by_its_name(project):
    """Any value of a step can be set for a run; the difference is told with the path it was set by."""
    task = set_values(
        project,
        "steps.labels.llm.model=big",
        "steps.labels.judge.llm.model=strict",
        "steps.extract.prompt=prompts/007.yaml",
        "steps.extract.attempts.attempts=5",
    )
    extract, labels = task.steps
    assert (labels.settings.llm.model, labels.settings.judge_llm.model) == ("big", "strict")
    assert extract.prompt_path.name == "007.yaml"
    assert (extract.settings.attempts.attempts, labels.settings.attempts.attempts) == (5, 3)
    assert {change.path: (change.file_value, change.run_value) for change in task.changes} == {
        "steps.extract.prompt": ("prompts/extract.yaml", "prompts/007.yaml"),
        "steps.extract.attempts.attempts": (3, 5),
        "steps.labels.llm.model": ("small", "big"),
        "steps.labels.judge.llm.model": (None, "strict"),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "steps.lables.llm.model=big",
            [
                "--set: steps.lables: there is none of this name. Did you mean 'labels'? There is: extract, labels."
            ],
        ),
        (
            "steps.labels.lm.model=big",
            ["--set steps.labels.lm.model: there is no such", "'steps.labels.llm'?"],
        ),
        ("steps.labels.llm.seed=x", ["--set: steps.labels.llm.seed: expected a whole number"]),
        (
            "steps.labels.llm.endpoint=opnai",
            ["--set: steps.labels.llm.endpoint: there is no endpoint"],
        ),
        ("steps.labels=big", ["--set: steps.labels: expected a block with keys, got 'big'."]),
        ("steps.0.prompt=x", ["--set: steps.0: there is none of this name. There is: extract"]),
    ],
)
def test_what_cannot_be_set_in_a_step_is_told(project, text, words):
    """An unknown step gets a suggestion and the names there are, a wrong value the path it was set by."""
    with pytest.raises(ConfigError) as caught:
        set_values(project, text)
    for word in words:
        assert word in str(caught.value)


def test_a_task_without_steps_has_none_to_set(project):
    """A path into steps is refused where there are none."""
    with pytest.raises(
        ConfigError, match=r"steps\.a: there is none of this name\. There are no `steps`"
    ):
        set_values(project, "steps.a.prompt=x", name="plain")


def test_values_of_steps_can_be_left_open(project):
    """A gap in a step leaves the chain as it is, is named as it can be set, and is closed by that name."""
    open_model = CHAIN.replace("temperature: 0", "model: !required which model")
    open_model += (
        "    sees_images: !required whether\n  - {name: last, prompt: p, output_model: L, "
    )
    open_model += "llm: {price: {input_usd: !required a price, output_usd: 1}}}\n"
    write(project.configs / "chain.yaml", open_model)
    task = load_task(project, "chain")
    assert task.step_names == ("extract", "labels", "last")
    with pytest.raises(ConfigError) as caught:
        check_no_gaps(task)
    for words in (
        "steps.labels.llm.model: which model (configs/chain.yaml:7:18)",
        "--set steps.labels.llm.model=…",
        "steps.last.llm.price.input_usd: a price",
    ):
        assert words in str(caught.value)
    given = ("llm.model=big", "sees_images=true")
    filled = set_values(
        project,
        *(f"steps.labels.{each}" for each in given),
        "steps.last.llm.price.input_usd=2",
    )
    check_no_gaps(filled)
    assert filled.steps[1].settings.llm.model == "big"
    changes = {change.path: change.file_value for change in filled.changes}
    assert changes["steps.labels.llm.model"] is None
