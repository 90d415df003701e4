import pytest

from llm_assets.core.findings import (
    Finding,
    build_problems,
    decide_exit_code,
    render_finding,
    render_findings_summary,
)
from llm_assets.errors import ConfigError

OK = Finding(level="ok", subject="ledger", text="no calls yet")
WARNING = Finding(level="warning", subject="packages", text="pandas 9 is new.", remedy="Go back.")
PROBLEM = Finding(level="problem", subject="task notes", text="a: wrong\n  b: wrong")


def test_a_finding_is_one_line():
    """Level, subject, text and remedy, whatever line breaks they hold."""
    assert render_finding(OK) == "ok       ledger: no calls yet"
    assert render_finding(WARNING) == "warning  packages: pandas 9 is new. Go back."
    assert render_finding(PROBLEM) == "problem task notes: a: wrong b: wrong"


@pytest.mark.parametrize(
    ("findings", "code", "summary"),
    [
        ([], 0, "All is well."),
        ([OK], 0, "All is well."),
        ([OK, WARNING], 0, "1 warning."),
        ([PROBLEM, WARNING, PROBLEM], 2, "2 problems, 1 warning."),
    ],
)
def test_only_problems_count_for_scripts(findings: list[Finding], code: int, summary: str):
    """Warnings are told and stop nothing."""
    assert decide_exit_code(findings) == code
    assert render_findings_summary(findings) == summary


def test_several_mistakes_are_several_findings():
    """Each line of an error about many things is a finding of its own; a single one keeps its remedy apart."""
    many = build_problems("configs", ConfigError("a: wrong. Mend it.\nb: wrong."))
    assert [finding.text for finding in many] == ["a: wrong. Mend it.", "b: wrong."]
    (one,) = build_problems("configs", ConfigError("a: wrong.", remedy="Mend it."))
    assert (one.level, one.text, one.remedy) == ("problem", "a: wrong.", "Mend it.")
