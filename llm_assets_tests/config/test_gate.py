import pytest

from llm_assets.config.gate import GateSettings
from llm_assets.config.layers import lay_over
from llm_assets.config.overrides import build_override, parse_assignment
from llm_assets.config.parsing import parse_settings
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import parse_yaml
from llm_assets.errors import ConfigError
from llm_assets_tests.config.task_texts import parse_task

FILE = "configs/x.yaml"
TEXT = "prompt: p\ngate: {field: confidence, at_least: 0.8}\n"


def test_a_gate_is_a_field_and_a_number():
    """The number is what the person wrote, not something near it."""
    gate = parse_task(TEXT, file=FILE).gate
    assert gate == GateSettings(field="confidence", at_least=0.8)


def test_a_task_without_a_gate_is_as_before():
    """Nothing of it stands in the settings that are hashed and shown."""
    settings = parse_task("prompt: p\n", file=FILE)
    assert settings.gate is None
    assert "gate" not in settings.model_dump(mode="json", by_alias=True)


MISTAKES = {
    "no field": ("{at_least: 0.8}", "gate.field: this key is missing"),
    "no number": ("{field: confidence}", "gate.at_least: this key is missing"),
    "a misspelt key": ("{field: a, at_least: 1, atleast: 1}", "Did you mean 'at_least'?"),
    "a word": ("{field: a, at_least: high}", "gate.at_least: "),
    "not finite": ("{field: a, at_least: .inf}", "gate.at_least: "),
    "an empty field": ("{field: '', at_least: 1}", "gate.field: "),
}


@pytest.mark.parametrize(("block", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_its_place(block, message):
    """Line, column and key, as everywhere in a config."""
    with pytest.raises(ConfigError) as caught:
        parse_task(f"prompt: p\ngate: {block}\n", file=FILE)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{FILE}:2:")


def test_the_threshold_can_be_set_for_one_run():
    """`--set gate.at_least=0.7` changes that alone."""
    document = parse_yaml(TEXT, file=FILE)
    override = build_override(TaskSettings, [parse_assignment("gate.at_least=0.7")], label="--set")
    settings = parse_settings(TaskSettings, lay_over(TaskSettings, document, override))
    assert settings.gate == GateSettings(field="confidence", at_least=0.7)


def test_a_threshold_may_still_have_to_be_given():
    """What needs the gate is not told that there is none."""
    gate = "gate: {field: c, at_least: !required how sure}"
    settings = parse_task(f"prompt: p\nembed: {{}}\n{gate}\n", file=FILE)
    assert (settings.gate is None, settings.embed is None) == (False, False)
