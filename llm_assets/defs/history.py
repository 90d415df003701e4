"""Where Dagster keeps the history that both the command line and the UI show."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock

from llm_assets.errors import ConfigError, StorageError
from llm_assets.gateways.project import Project

HOME_VARIABLE = "DAGSTER_HOME"
SETTINGS_FILE = "dagster.yaml"
OPENING_LOCK = "llm_assets_opening.lock"
SHIPPED_SETTINGS = Path(__file__).parent / SETTINGS_FILE
"""What holds where a project has no `dagster.yaml` of its own: telemetry is off, one run at a time calls models."""


@contextmanager
def open_history(project: Project) -> Generator[dg.DagsterInstance]:
    """The project's Dagster instance; `DAGSTER_HOME` where it is set, else `.dagster` in the project."""
    home = _make_home(project)
    # Dagster makes its tables when it is first opened, and two processes that do so at once break each other.
    with FileLock(home / OPENING_LOCK):
        prepare_home(project)
        instance = dg.DagsterInstance.get()
    with instance:
        yield instance


def prepare_home(project: Project) -> None:
    """Make the home and put the project's settings into it, where nobody chose another one."""
    if os.environ.get(HOME_VARIABLE):
        return
    home = _make_home(project)
    own_settings = project.root / SETTINGS_FILE
    source = own_settings if own_settings.is_file() else SHIPPED_SETTINGS
    shutil.copyfile(source, home / SETTINGS_FILE)
    os.environ[HOME_VARIABLE] = str(home)


def _make_home(project: Project) -> Path:
    chosen = os.environ.get(HOME_VARIABLE)
    home = Path(chosen) if chosen else project.dagster_home
    if not home.is_absolute():
        what = f"The variable {HOME_VARIABLE} is {chosen!r}, which is no absolute path."
        raise ConfigError(what, remedy="Write the whole path, or unset it to use .dagster.")
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        what = f"The folder {home} for Dagster's history cannot be made ({exc.strerror})."
        raise StorageError(what, remedy=f"Set {HOME_VARIABLE} to another one.") from exc
    return home
