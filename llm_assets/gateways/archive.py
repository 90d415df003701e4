"""How files of a task are put away, so that nothing is lost and nothing finds them any more."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from upath import UPath

from llm_assets.core.cleaning import ARTIFACTS, Listing
from llm_assets.core.ids import TaskName
from llm_assets.errors import StorageError
from llm_assets.gateways.artifacts import is_local
from llm_assets.gateways.project import Project

STORED_ARCHIVE = ".archive"
"""Beside the tasks' folders in an object storage; no task can be called like that."""


def list_stored(project: Project, folders: Iterable[str]) -> Listing:
    """The names in each folder, looked at once; a folder that is not there holds none."""
    return {folder: _list_names(_resolve(project, folder)) for folder in folders}


def put_away(
    paths: Iterable[str], *, task: TaskName, project: Project, put_away_at: datetime
) -> tuple[str, ...]:
    """Move files into a folder that the moment names, in the order given; the folders that hold them now.

    They keep their paths below it. What lies in an object storage stays in that storage: it is copied there and
    then deleted. `StorageError` where a file cannot be moved; those before it are in the archive already.
    """
    stamp = put_away_at.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
    archives: dict[UPath, UPath] = {}
    for path in paths:
        source = _resolve(project, path)
        base = _find_archive(project, source)
        archive = archives.get(base) or archives.setdefault(base, _find_free(base / task, stamp))
        _move(source, archive / path, shown=path)
    return tuple(_show(project, archive) for archive in archives.values())


def _resolve(project: Project, path: str) -> UPath:
    base, _, rest = path.partition("/")
    if base == ARTIFACTS:
        return project.artifacts / rest
    folders = {
        "exports": project.exports,
        "reports": project.reports,
        "review_queue": project.review_queues,
        "comparisons": project.comparisons,
    }
    return UPath(folders[base]) / rest


def _find_archive(project: Project, source: UPath) -> UPath:
    return UPath(project.archive) if is_local(source) else project.artifacts / STORED_ARCHIVE


def _find_free(folder: UPath, stamp: str) -> UPath:
    for number in count(1):
        archive = folder / (stamp if number == 1 else f"{stamp}_{number}")
        if not archive.exists():
            return archive
    raise AssertionError("unreachable")


def _move(source: UPath, target: UPath, *, shown: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_local(source):
            # A rename, or a copy where the artifacts lie on a disk of their own.
            shutil.move(source.path, target.path)
        else:
            source.fs.cp_file(source.path, target.path)
            source.fs.rm_file(source.path)
    except OSError as exc:
        raise StorageError(
            f"{shown} cannot be put away: {exc.strerror or exc}. What was moved before it lies in {target.parent}.",
            remedy="Check the folder's permissions and the free space, and do it again.",
        ) from exc


def _list_names(folder: UPath) -> frozenset[str]:
    try:
        return frozenset(entry.name for entry in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def _show(project: Project, archive: UPath) -> str:
    return project.locate(Path(archive.path)) if is_local(archive) else str(archive)
