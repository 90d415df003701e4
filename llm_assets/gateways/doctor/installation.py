"""Is what is installed what was tested?"""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from llm_assets.core.findings import Finding

PACKAGE = "llm-assets"
SHOWN = ("dagster", "openai", "pydantic", "pandas")


def examine_installation() -> tuple[Finding, ...]:
    """Python and the packages, against the ranges that this package itself was installed with."""
    try:
        ranges = [Requirement(line) for line in requires(PACKAGE) or ()]
        python = SpecifierSet(metadata(PACKAGE)["Requires-Python"])
    except PackageNotFoundError:
        remedy = "Install it with `pip install -e .` to have them compared."
        text = "llm-assets is not installed, so nothing is known of the versions it needs."
        return (Finding(level="warning", subject="packages", text=text, remedy=remedy),)
    wanted = [each for each in ranges if each.marker is None or each.marker.evaluate()]
    return (_examine_python(python), *_examine_packages(wanted))


def _examine_python(wanted: SpecifierSet) -> Finding:
    found = platform.python_version()
    if wanted.contains(found, prereleases=True):
        return Finding(level="ok", subject="Python", text=found)
    remedy = "Make the virtual environment anew with such a Python."
    text = f"{found} is not in the tested range {wanted}."
    return Finding(level="problem", subject="Python", text=text, remedy=remedy)


def _examine_packages(wanted: list[Requirement]) -> Iterator[Finding]:
    others = [finding for each in wanted if (finding := examine_package(each)) is not None]
    if not others:
        shown = ", ".join(f"{name} {version(name)}" for name in SHOWN)
        text = f"{shown}; all {len(wanted)} in their tested ranges"
        yield Finding(level="ok", subject="packages", text=text)
    yield from others


def examine_package(wanted: Requirement) -> Finding | None:
    """What is wrong with a package; None where it is there in a version of its range."""
    remedy = f'`pip install "{wanted.name}{wanted.specifier}"`, or `make setup` for the tested set.'
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        text = f"{wanted.name} is not installed."
        return Finding(level="problem", subject="packages", text=text, remedy=remedy)
    if wanted.specifier.contains(found, prereleases=True):
        return None
    text = f"{wanted.name} {found} is not in the tested range {wanted.specifier}."
    return Finding(level="warning", subject="packages", text=text, remedy=remedy)
