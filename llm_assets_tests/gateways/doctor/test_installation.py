import pytest
from packaging.requirements import Requirement

from llm_assets.gateways.doctor.installation import examine_installation, examine_package


def test_what_is_installed_here_is_what_was_tested():
    """Python and every package of this environment lie in the ranges that the package names."""
    findings = examine_installation()
    assert [finding.level for finding in findings] == ["ok", "ok"]
    for name in ("dagster", "openai", "pydantic", "pandas"):
        assert f"{name} " in findings[1].text


@pytest.mark.parametrize(
    ("wanted", "level", "words"),
    [
        ("click>=99", "warning", "is not in the tested range >=99"),
        ("no-such-package-at-all>=1", "problem", "is not installed"),
    ],
)
def test_a_package_that_does_not_fit_is_named(wanted: str, level: str, words: str):
    """Another version may do, none at all does not; both come with the command that mends it."""
    finding = examine_package(Requirement(wanted))
    assert finding is not None
    assert (finding.level, words in finding.text) == (level, True)
    assert f'pip install "{wanted}"' in finding.remedy
