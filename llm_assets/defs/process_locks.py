"""Does the process of a run still live, whichever way it may have ended?"""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import dagster as dg
from filelock import FileLock

PROCESS_TAG = ".dagster/llm_assets_process"
"""On a run: the lock that its process holds while it lives, and the machine that can look; empty once that is over.

Tags that begin like this one are not shown in the UI: a long path in the list of runs is of no use to a person.
"""


@contextmanager
def open_process_lock(history: dg.DagsterInstance) -> Generator[str]:
    """Hold a lock that the operating system gives back however this process ends; its name is a run's tag."""
    folder = Path(history.root_directory) / "llm_assets_processes"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}-{uuid4().hex}.lock"
    try:
        with FileLock(path):
            yield f"{socket.gethostname()}:{path}"
    finally:
        path.unlink(missing_ok=True)


def is_held(lock: str) -> bool:
    """Whether a process of this machine holds the lock."""
    path = _find_path(lock)
    return path is not None and _is_locked(path)


def is_released(lock: str) -> bool:
    """Whether the process that held the lock is gone; of another machine's locks nothing can be said."""
    path = _find_path(lock)
    return path is not None and not _is_locked(path)


def remove_lock(lock: str) -> None:
    """Take away the file that a killed process left."""
    path = _find_path(lock)
    if path is not None:
        with suppress(OSError):
            path.unlink()


def _find_path(lock: str) -> Path | None:
    host, _, path = lock.partition(":")
    return Path(path) if path and host == socket.gethostname() else None


def _is_locked(path: Path) -> bool:
    try:
        if not path.exists():
            return False
        with FileLock(path, timeout=0):
            return False
    except OSError:  # somebody holds it, or it lies where this process may not look
        return True
