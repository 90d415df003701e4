"""Where Dagster keeps the history that both the command line and the UI show."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from llm_assets.gateways.project import Project

HOME_VARIABLE = "DAGSTER_HOME"
SETTINGS_FILE = "dagster.yaml"
SHIPPED_SETTINGS = Path(__file__).parent / SETTINGS_FILE
"""What holds where a project has no `dagster.yaml` of its own: telemetry is off, one run at a time calls models."""


@contextmanager
def open_history(project: Project) -> Generator[dg.DagsterInstance]:
    """The project's Dagster instance; `DAGSTER_HOME` where it is set, else `.dagster` in the project."""
    prepare_home(project)
    with dg.DagsterInstance.get() as instance:
        yield instance


def prepare_home(project: Project) -> None:
    """Make the home and put the project's settings into it, where nobody chose another one."""
    if os.environ.get(HOME_VARIABLE):
        return
    home = project.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    own_settings = project.root / SETTINGS_FILE
    source = own_settings if own_settings.is_file() else SHIPPED_SETTINGS
    shutil.copyfile(source, home / SETTINGS_FILE)
    os.environ[HOME_VARIABLE] = str(home)
