from typing import get_args

import pytest

from llm_assets.config.checks import CheckName, CheckSettings
from llm_assets.errors import ConfigError
from llm_assets_tests.config.task_texts import parse_task


def parse_checks(text: str) -> CheckSettings:
    return parse_task(f"prompt: p\nchecks: {text}\n", file="configs/x.yaml").checks


def describe(checks: CheckSettings, name: CheckName) -> tuple[str, bool, float | None]:
    rule = checks.find_rule(name)
    return rule.severity, rule.is_blocking, getattr(rule, "max_share", None)


DEFAULTS = {
    "rows_complete": ("error", True, None),
    "valid_outputs": ("error", True, None),
    "failed_items": ("warn", False, 0.05),
    "within_budget": ("warn", False, 1.0),
    "duplicates": ("warn", False, 0.05),
    "column_types": ("warn", False, None),
    "score": ("warn", False, None),
    "gate_share": ("warn", False, 0.25),
    "agreement": ("error", True, None),
}


@pytest.mark.parametrize("name", get_args(CheckName))
def test_a_broken_promise_blocks_and_everything_else_warns(name: CheckName):
    """Without a `checks` block all are on, and only a broken promise or a passed limit of `compare` stops anything."""
    checks = CheckSettings()
    assert checks.find_rule(name).enabled
    assert describe(checks, name) == DEFAULTS[name]


RULES: dict[str, tuple[str, CheckName, tuple[str, bool, float | None]]] = {
    "switched off": ("{duplicates: {enabled: false}}", "duplicates", ("warn", False, 0.05)),
    "another share": ("{failed_items: {max_share: 0}}", "failed_items", ("warn", False, 0.0)),
    "an error": ("{failed_items: {severity: error}}", "failed_items", ("error", False, 0.05)),
    "blocking": (
        "{duplicates: {severity: error, blocking: true}}",
        "duplicates",
        ("error", True, 0.05),
    ),
    "made a warning": ("{rows_complete: {severity: warn}}", "rows_complete", ("warn", False, None)),
    "told and not stopped": (
        "{valid_outputs: {blocking: false}}",
        "valid_outputs",
        ("error", False, None),
    ),
}


@pytest.mark.parametrize("case", RULES)
def test_each_check_has_a_rule_of_its_own(case: str):
    """Severity, share and blocking are set for one check and leave the others as they are."""
    text, name, expected = RULES[case]
    checks = parse_checks(text)
    assert describe(checks, name) == expected
    assert checks.find_rule(name).enabled is (case != "switched off")
    assert {
        other for other in get_args(CheckName) if describe(checks, other) != DEFAULTS[other]
    } <= {name}


MISTAKES = {
    "a warning that blocks": (
        "{failed_items: {blocking: true}}",
        "`blocking: true` needs `severity: error`, because a warning stops nothing.",
    ),
    "more than all": ("{duplicates: {max_share: 5}}", "expected at most 1, got '5'"),
    "no severity": ("{duplicates: {severity: fatal}}", "Allowed: warn, error."),
    "no check": ("{duplicate: {}}", "Did you mean 'duplicates'?"),
    "a switch": ("{duplicates: off}", "expected a block with keys, got 'off'. Keys: enabled,"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_what_is_allowed(case: str):
    """A rule that can't hold is an error of the config, in words about the file."""
    text, words = MISTAKES[case]
    with pytest.raises(ConfigError) as caught:
        parse_checks(text)
    assert words in str(caught.value)
    assert "configs/x.yaml:2:" in str(caught.value)
