"""Which settings and files a stage was made with, told apart one by one.

A code version is a line of `part:digest` pairs, so that two of them say not only that something changed but what.
"""

from collections.abc import Mapping

from llm_assets.core.fingerprint import fingerprint

DIGEST_DIGITS = 8
"""Enough to tell a person's edits of one part apart."""
RECIPE = "recipe"
"""The part that stands for this project's own code."""


def render_code_version(recipe: int, parts: Mapping[str, object]) -> str:
    """The version of a stage's code and settings; a part's name holds no blank and no colon."""
    digests = {name: fingerprint(value)[:DIGEST_DIGITS] for name, value in parts.items()}
    return " ".join(f"{name}:{digest}" for name, digest in {RECIPE: recipe, **digests}.items())


def find_changed_parts(recorded: str | None, current: str) -> tuple[str, ...]:
    """The parts that differ, in the order of the current version; parts that are gone come last.

    A record without a version, or with one that names no parts, differs in its recipe.
    """
    if recorded == current:
        return ()
    before, now = _parse(recorded or ""), _parse(current)
    changed = [name for name, digest in now.items() if before.get(name) != digest]
    gone = [name for name in before if name not in now]
    return (*changed, *gone) or (RECIPE,)


def _parse(version: str) -> dict[str, str]:
    pairs = (pair.partition(":") for pair in version.split())
    return {name: digest for name, mark, digest in pairs if mark}
