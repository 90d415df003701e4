"""At which commit does a project stand?"""

import os
import subprocess
from pathlib import Path

from llm_assets.core.run_origin import GitState

MAX_SECONDS = 5.0
"""A repository may be large, and a run does not wait for it."""

MADE_FILES = (
    "data/artifacts",
    "data/batch_files",
    "data/exports",
    "data/ledger.sqlite*",
    "data/reports",
    ".dagster",
)
"""What runs make themselves, which says nothing about what they were made with."""


def read_git_state(root: Path) -> GitState | None:
    """The commit of the project's folder; None outside of a repository, before the first commit, or without git."""
    commit = _ask_git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    made = [f":(exclude){name}" for name in MADE_FILES]
    changes = _ask_git(root, "status", "--porcelain", "--", ".", *made)
    return GitState(commit=commit.strip(), is_clean=None if changes is None else not changes)


def _ask_git(root: Path, *arguments: str) -> str | None:
    # Looking must not lock the index that a person works with at the same time.
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(  # noqa: S603 -- fixed arguments, no shell
            ["git", "-C", str(root), *arguments],  # noqa: S607 -- whichever git the person uses
            capture_output=True,
            check=True,
            text=True,
            timeout=MAX_SECONDS,
            env=environ,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
