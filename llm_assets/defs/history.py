"""Where Dagster keeps the history that both the command line and the UI show."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock
from sqlalchemy.exc import SQLAlchemyError
from yaml import YAMLError

from llm_assets.errors import ConfigError, StorageError
from llm_assets.gateways.project import Project

HOME_VARIABLE = "DAGSTER_HOME"
SETTINGS_FILE = "dagster.yaml"
OPENING_LOCK = "llm_assets_opening.lock"
MAX_REASON_CHARS = 200
"""Of Dagster's words: it lists every setting there is."""
SHIPPED_SETTINGS = Path(__file__).parent / SETTINGS_FILE
"""What holds where a project has no `dagster.yaml` of its own: telemetry is off, one run at a time calls models."""


@contextmanager
def open_history(project: Project) -> Generator[dg.DagsterInstance]:
    """The project's Dagster instance; `DAGSTER_HOME` where it is set, else `.dagster` in the project.

    `StorageError` where it cannot be opened or read, be it for a mistake in `dagster.yaml`.
    """
    prepare_home(project)
    home = _find_home(project)
    # Dagster makes its tables when it is first opened, and processes that do so at once break each other's.
    with (
        _speak_plainly(home, dg.DagsterError, SQLAlchemyError, YAMLError, OSError, ImportError),
        FileLock(home / OPENING_LOCK),
    ):
        instance = dg.DagsterInstance.get()
    with _speak_plainly(home, SQLAlchemyError), instance:
        yield instance


@contextmanager
def _speak_plainly(home: Path, *kinds: type[Exception]) -> Generator[None]:
    try:
        yield
    except kinds as exc:
        reason = " ".join(str(exc).split()) or type(exc).__name__
        raise StorageError(
            f"Dagster's history in {home} cannot be opened or read: {reason[:MAX_REASON_CHARS]}",
            remedy=f"Check {SETTINGS_FILE}, the project's own first, and the database that it names.",
        ) from exc


def prepare_home(project: Project) -> None:
    """Make the home where it is missing, and put the project's settings into it.

    Settings of a home that somebody chose and that exists already are left as they are.
    """
    home = _find_home(project)
    is_new = not home.exists()
    try:
        home.mkdir(parents=True, exist_ok=True)
        if is_new or home == project.dagster_home:
            _put_file(home / SETTINGS_FILE, find_settings(project).read_bytes())
    except OSError as exc:
        what = f"The folder {home} for Dagster's history cannot be made ({exc.strerror})."
        raise StorageError(what, remedy=f"Set {HOME_VARIABLE} to another one.") from exc
    os.environ[HOME_VARIABLE] = str(home)


def find_settings(project: Project) -> Path:
    """The project's own `dagster.yaml`, else the one that is shipped."""
    own = project.root / SETTINGS_FILE
    return own if own.is_file() else SHIPPED_SETTINGS


def _find_home(project: Project) -> Path:
    chosen = os.environ.get(HOME_VARIABLE)
    home = Path(chosen) if chosen else project.dagster_home
    if not home.is_absolute():
        what = f"The variable {HOME_VARIABLE} is {chosen!r}, which is no whole path."
        remedy = "Write it from the root of the disk, or unset it to use .dagster in the project."
        raise ConfigError(what, remedy=remedy)
    return home


def _put_file(path: Path, content: bytes) -> None:
    """Write a file in one move, because another process may be reading it."""
    if path.is_file() and path.read_bytes() == content:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
