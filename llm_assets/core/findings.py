"""What an examination of a project found, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from llm_assets.core.number_words import render_count
from llm_assets.errors import LLMAssetsError

Level = Literal["ok", "warning", "problem"]
"""A warning stops no run; a problem stops some."""
EXIT_PROBLEM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    text: str
    remedy: str = ""
    """What to do; nothing where all is well."""

    def build_record(self) -> dict[str, JsonValue]:
        """The finding for scripts."""
        return {
            "level": self.level,
            "subject": self.subject,
            "text": self.text,
            "remedy": self.remedy,
        }


def build_problems(subject: str, error: LLMAssetsError) -> tuple[Finding, ...]:
    """What a person's mistake is as findings, one for each line of it."""
    lines = str(error).splitlines() if "\n" in error.what else []
    if lines:
        return tuple(Finding(level="problem", subject=subject, text=line) for line in lines if line)
    return (Finding(level="problem", subject=subject, text=error.what, remedy=error.remedy),)


def render_finding(finding: Finding) -> str:
    """The finding on one line."""
    line = f"{finding.level:<8} {finding.subject}: {finding.text} {finding.remedy}"
    return " ".join(line.split()) if "\n" in line else line.rstrip()


def render_findings_summary(findings: Iterable[Finding]) -> str:
    """How it stands as a whole."""
    levels = [finding.level for finding in findings]
    counts = [render_count(n, kind) for kind in ("problem", "warning") if (n := levels.count(kind))]
    return f"{', '.join(counts)}." if counts else "All is well."


def decide_exit_code(findings: Iterable[Finding]) -> int:
    """0 where no run would be stopped."""
    has_problem = any(finding.level == "problem" for finding in findings)
    return EXIT_PROBLEM if has_problem else 0
