"""Can everything that a run makes be written?"""

from pathlib import Path
from uuid import uuid4

from upath import UPath

from llm_assets.core.findings import Finding
from llm_assets.gateways.artifacts import is_local
from llm_assets.gateways.project import ARTIFACTS_VARIABLE, Project


def examine_folders(project: Project) -> tuple[Finding, ...]:
    """The project's root and the places of artifacts, exports and reports; each is tried with a small file."""
    problems = [
        finding
        for name, folder in (("exports", project.exports), ("reports", project.reports))
        if (finding := _try_folder(name, UPath(folder))) is not None
    ]
    try:
        artifacts = project.artifacts
        found = _try_folder("artifacts", artifacts)
    except (ValueError, ImportError) as exc:
        text = f"The place that {ARTIFACTS_VARIABLE} names cannot be used: {exc}."
        remedy = "Correct it, or install the driver of that storage."
        found = Finding(level="problem", subject="artifacts", text=text, remedy=remedy)
    problems += [] if found is None else [found]
    if problems:
        return tuple(problems)
    text = f"{project.root}; artifacts, exports and reports can be written"
    return (Finding(level="ok", subject="project", text=text),)


def _try_folder(name: str, folder: UPath) -> Finding | None:
    place = UPath(_find_existing(Path(folder.path))) if is_local(folder) else folder
    trial = place / f".doctor-{uuid4().hex}"
    try:
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as exc:
        text = f"{folder} cannot be written ({exc.strerror or exc})."
        remedy = "Check the permissions, and that the disk is not full."
        return Finding(level="problem", subject=name, text=text, remedy=remedy)
    return None


def _find_existing(folder: Path) -> Path:
    """The folder, or the nearest one around it that is there already."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)
