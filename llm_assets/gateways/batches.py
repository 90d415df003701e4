"""Which input files does a task have?"""

import hashlib
import re
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from llm_assets.config.task import TableFormat
from llm_assets.core.arrivals import FileStamp
from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.errors import InputError, StorageError, suggest
from llm_assets.gateways.project import Project, resolve_path
from llm_assets.gateways.tables.whole_file import write_whole_text
from llm_assets.gateways.tasks import Task

TABLE_ENDINGS = tuple(f".{name}" for name in get_args(TableFormat))
_REMEMBERED = TypeAdapter(dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One input file of a task."""

    key: BatchKey
    """The file's stem; also the Dagster partition."""
    path: Path


def list_batches(task: Task, project: Project) -> tuple[Batch, ...]:
    """The tables in the task's input folder and the remembered ones that still exist, sorted by key.

    `InputError` for a file whose name cannot be a key, and for two files with the same key. A folder that does
    not exist holds no files.
    """
    folder = task.input_folder
    found = [path for path in folder.iterdir() if _is_table(path)] if folder.is_dir() else []
    remembered = [path for path in _read_remembered(task, project).values() if path.is_file()]
    return _build_batches(dict.fromkeys([*found, *remembered]), project=project)


def find_batch(task: Task, project: Project, key: str) -> Batch:
    """The batch called `key`; `InputError` listing the ones there are."""
    batches = list_batches(task, project)
    for batch in batches:
        if batch.key == key:
            return batch
    if not batches:
        raise build_no_batches_error(task, project)
    raise _build_unknown_error(task, project, key, [batch.key for batch in batches])


def _build_unknown_error(
    task: Task, project: Project, key: str, keys: Sequence[BatchKey]
) -> InputError:
    """Says which batches there are, and what to do for this one: its table may be gone, or its name misspelt."""
    wanted = _read_remembered(task, project).get(BatchKey(key))
    if wanted is None:
        place = f"put its table into {project.show(task.input_folder)} as {key}{TABLE_ENDINGS[0]} or with another ending"
    else:
        place = f"put its table back, which was {project.locate(wanted)}"
    remedy = (
        f"{suggest(key, keys)} Batches: {', '.join(keys)}. Choose one of them, or {place}. "
        "A partition whose table is gone for good can be deleted in the UI."
    )
    return InputError(f"Task {task.name} has no batch {key!r}.", remedy=remedy.strip())


def hash_inputs(task: Task, project: Project, *, keys: Iterable[str]) -> dict[str, str]:
    """The hash of each of these batches' files; a batch without a file is left out."""
    wanted = set(keys)
    return {
        batch.key: hash_file(batch.path)
        for batch in list_batches(task, project)
        if batch.key in wanted
    }


def stamp_file(path: Path) -> FileStamp:
    """By what a change of the file is noticed without reading it; `InputError` where it is gone."""
    with _read_plainly(path):
        found = path.stat()
    return FileStamp(size_bytes=found.st_size, modified_ns=found.st_mtime_ns)


def hash_file(path: Path) -> Sha256:
    """The SHA-256 of a file's bytes; `InputError` where it cannot be read."""
    with _read_plainly(path), path.open("rb") as file:
        return Sha256(hashlib.file_digest(file, "sha256").hexdigest())


@contextmanager
def _read_plainly(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as exc:
        what = f"The input file {path.name} cannot be read ({exc.strerror})."
        raise InputError(what, remedy="Put it back, or check its permissions.") from exc


def build_no_batches_error(task: Task, project: Project) -> InputError:
    """Says that a task has nothing to work on, and where a table would be found."""
    folder = project.show(task.input_folder)
    state = "holds no table" if task.input_folder.is_dir() else "does not exist"
    what = f"Task {task.name} has no batches: the folder {folder} {state}."
    endings = ", ".join(TABLE_ENDINGS)
    return InputError(what, remedy=f"Put a file there ({endings}), or name one with --input.")


def register_batch_file(path: Path, *, task: Task, project: Project) -> Batch:
    """The batch of a file that may lie anywhere; one outside of the input folder is remembered.

    `InputError` as in `find_batch_file`.
    """
    batch = find_batch_file(path, task=task, project=project)
    if batch not in list_batches(task, project):
        remembered = _read_remembered(task, project)
        _write_remembered({**remembered, batch.key: batch.path}, task, project)
    return batch


def find_batch_file(path: Path, *, task: Task, project: Project) -> Batch:
    """The batch that a file anywhere is, or would be.

    `InputError` where there is no such table, its name cannot be a key, or the key belongs to another file.
    """
    absolute = resolve_path(path, home=Path.cwd())
    if not absolute.is_file():
        remedy = f"Check the path; it starts from {Path.cwd()}."
        raise InputError(f"The input file {path} does not exist.", remedy=remedy)
    if not _is_table(absolute):
        what = f"The input file {path} is no table, going by its ending."
        raise InputError(what, remedy=f"Known endings: {', '.join(TABLE_ENDINGS)}.")
    others = [batch.path for batch in list_batches(task, project)]
    batches = _build_batches(dict.fromkeys([*others, absolute]), project=project)
    return next(batch for batch in batches if batch.path == absolute)


def _is_table(path: Path) -> bool:
    # Spreadsheet programs leave lock files called `~$name.xlsx` and `.~lock.name.xlsx#`.
    is_hidden = path.name.startswith((".", "~$"))
    return not is_hidden and path.suffix.lower() in TABLE_ENDINGS and path.is_file()


def _build_batches(paths: Iterable[Path], *, project: Project) -> tuple[Batch, ...]:
    by_key: dict[BatchKey, Path] = {}
    for path in sorted(paths, key=lambda path: (path.stem, path.name, str(path))):
        key = _parse_key(path, project=project)
        if key in by_key:
            both = " and ".join(project.locate(each) for each in (by_key[key], path))
            what = f"{both} would both be the batch {key!r}."
            raise InputError(what, remedy="Rename one of them, or take it away.")
        by_key[key] = path
    return tuple(Batch(key=key, path=path) for key, path in by_key.items())


def _parse_key(path: Path, *, project: Project) -> BatchKey:
    stem = path.stem
    if re.fullmatch(r"(?!-)(?!.*\.\.)[A-Za-z0-9._-]+", stem):
        return BatchKey(stem)
    better = re.sub(r"[^A-Za-z0-9._-]+|\.\.+", "_", stem).strip("-_.") or "batch"
    what = (
        f"The input file {project.locate(path)} cannot name a batch: only letters without accents, digits, "
        "`.`, `_` and `-` can, with no `..` inside and no `-` in front."
    )
    raise InputError(what, remedy=f"Rename it to {better}{path.suffix}.")


def _find_memory(task: Task, project: Project) -> Path:
    return project.memory / f"{task.file.input_owner}.json"


def _read_remembered(task: Task, project: Project) -> dict[BatchKey, Path]:
    memory = _find_memory(task, project)
    try:
        entries = _REMEMBERED.validate_json(memory.read_bytes())
    except FileNotFoundError:
        return {}
    except (ValidationError, OSError) as exc:
        what = (
            f"{project.show(memory)} cannot be read; it remembers input files from other folders."
        )
        raise StorageError(
            what, remedy="Delete it and give those files with --input again."
        ) from exc
    return {BatchKey(key): project.resolve(path) for key, path in entries.items()}


def _write_remembered(paths: dict[BatchKey, Path], task: Task, project: Project) -> None:
    memory = _find_memory(task, project)
    entries = {key: project.locate(path) for key, path in paths.items()}
    write_whole_text(memory, render_json(entries) + "\n")
