from pathlib import Path

import pytest

from llm_assets.config.overrides import parse_assignment
from llm_assets.core.gate_rule import build_gate_rule
from llm_assets.errors import ConfigError
from llm_assets.gateways.gating import load_output_forms
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_schemas import load_step_schemas
from llm_assets.gateways.task_steps import build_task_steps
from llm_assets.gateways.tasks import load_task, override_task

PROJECT = Project(root=Path(__file__).parents[2], environ={})


def load(name, *settings):
    """An example task with these settings."""
    task = load_task(PROJECT, name)
    return override_task(task, PROJECT, [parse_assignment(text) for text in settings])


def test_the_outputs_of_all_steps_are_known():
    """In the order in which the steps run; a task of one step has one output, without a name."""
    names = [form.step for form in load_output_forms(load("documents"), PROJECT)]
    assert names == ["extract", "summarize", "classify"]
    assert [form.step for form in load_output_forms(load("ticket_triage"), PROJECT)] == [None]


def test_a_gate_finds_its_number():
    """Of the last step, where it is not said of which."""
    task = load("documents", "gate.field=confidence", "gate.at_least=0.8")
    assert task.settings.gate is not None
    rule = build_gate_rule(task.settings.gate, load_output_forms(task, PROJECT))
    assert (rule.path, rule.at_least) == (("classify", "confidence"), 0.8)


def test_steps_are_not_put_together_behind_a_misspelt_gate():
    """A run and a plan tell it while nothing is sent yet."""
    task = load("documents", "gate.field=confidnce", "gate.at_least=0.8")
    schemas = load_step_schemas(task, PROJECT)
    with pytest.raises(ConfigError, match="Did you mean 'confidence'"):
        build_task_steps(task, PROJECT, schemas=schemas, texts={}, columns=())
