"""Where does a project lie, and where in it does everything stand?"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from upath import UPath

from llm_assets.errors import ConfigError
from llm_assets.gateways.env_file import read_env_file

PROJECT_VARIABLE = "LLM_ASSETS_PROJECT"
ARTIFACTS_VARIABLE = "LLM_ASSETS_ARTIFACTS_URL"
LEDGER_VARIABLE = "LLM_ASSETS_LEDGER_URL"


def _read_environ() -> Mapping[str, str]:
    return os.environ


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder with `configs/`, `prompts/` and `data/`; every relative path starts from it."""

    root: Path
    """Absolute."""
    environ: Mapping[str, str] = field(default_factory=_read_environ, repr=False, compare=False)
    """The environment variables; never shown, because keys are among them."""

    @property
    def configs(self) -> Path:
        """The folder of the task files."""
        return self.root / "configs"

    @property
    def endpoints_path(self) -> Path:
        """The file of the person's own endpoints, which need not exist."""
        return self.configs / "endpoints.yaml"

    @property
    def artifacts(self) -> UPath:
        """What the stages keep: a folder of the project, or the object storage that the variable names."""
        url = self.find_variable(ARTIFACTS_VARIABLE)
        return UPath(url) if url else UPath(self.root / "data" / "artifacts")

    @property
    def memory(self) -> Path:
        """What the project remembers of files that lie elsewhere."""
        return self.root / "data" / "batch_files"

    @property
    def exports(self) -> Path:
        """The tables for people."""
        return self.root / "data" / "exports"

    @property
    def reports(self) -> Path:
        """The reports for people."""
        return self.root / "data" / "reports"

    @property
    def vectors(self) -> Path:
        """The vectors of published records, a folder for each task."""
        return self.root / "data" / "vectors"

    @property
    def review_queues(self) -> Path:
        """The workbooks for people to decide in."""
        return self.root / "data" / "review_queue"

    @property
    def reviews(self) -> Path:
        """Where people put the workbooks they filled in."""
        return self.root / "data" / "reviews"

    @property
    def comparisons(self) -> Path:
        """What is different from other tasks, for people."""
        return self.root / "data" / "comparisons"

    @property
    def archive(self) -> Path:
        """What was put away to be made anew."""
        return self.root / "data" / "archive"

    @property
    def dagster_home(self) -> Path:
        """Where Dagster keeps its history."""
        return self.root / ".dagster"

    @property
    def ledger_path(self) -> Path:
        """The ledger's file, where no URL names a server."""
        return self.root / "data" / "ledger.sqlite"

    @property
    def ledger_url(self) -> str:
        """The database that holds the ledger; it may hold a password, so it is never shown."""
        return self.find_variable(LEDGER_VARIABLE) or f"sqlite:///{self.ledger_path.as_posix()}"

    def find_variable(self, name: str) -> str | None:
        """The variable from the environment, else from `.env`; None where it is not set or empty."""
        if name in self.environ:
            return self.environ[name] or None
        return read_env_file(self.root).get(name) or None

    def resolve(self, relative: str | Path) -> Path:
        """The path from the project's root, whatever the working directory; an absolute path stays."""
        return resolve_path(relative, home=self.root)

    def contains(self, path: Path) -> bool:
        """Whether the path lies inside the project."""
        return resolve_path(path, home=Path.cwd()).is_relative_to(self.root)

    def locate(self, path: Path) -> str:
        """The path for messages: from the root where it lies inside, else whole, so that it can be found."""
        return self.show(path) if self.contains(path) else str(path)

    def show(self, path: Path) -> str:
        """The path for artifacts, equal on every machine: from the root, else the file's name alone."""
        absolute = resolve_path(path, home=Path.cwd())
        if absolute.is_relative_to(self.root):
            return absolute.relative_to(self.root).as_posix()
        return absolute.name


def resolve_path(path: str | Path, *, home: Path) -> Path:
    """The path from `home`, without `..` and with `~` filled in; links stay, so that a linked folder keeps its name."""
    return Path(os.path.normpath(home / Path(path).expanduser()))


def find_project_root(start: Path, *, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that LLM_ASSETS_PROJECT names, else the nearest one around `start` with a config in `configs/`."""
    named = environ.get(PROJECT_VARIABLE)
    if not named:
        return find_root_around(start)
    root = resolve_path(named, home=Path.cwd())
    if not root.is_dir():
        what = f"The variable {PROJECT_VARIABLE} names {named!r}, which is no folder."
        raise ConfigError(what, remedy="Set it to the folder that holds configs/, or unset it.")
    return root


def find_root_around(start: Path) -> Path | None:
    """The nearest of `start` and the folders around it that has a YAML file in `configs/`."""
    absolute = resolve_path(start, home=Path.cwd())
    folders = (absolute, *absolute.parents)
    return next((folder for folder in folders if any(folder.glob("configs/*.yaml"))), None)


def load_project(start: Path, *, environ: Mapping[str, str] = os.environ) -> Project:
    """The project around `start`; `ConfigError` where there is none."""
    root = find_project_root(start, environ=environ)
    if root is None:
        what = f"No project was found in {start} or the folders around it."
        remedy = (
            f"Change to a folder that holds configs/<task>.yaml, or set {PROJECT_VARIABLE} to it."
        )
        raise ConfigError(what, remedy=remedy)
    return Project(root=root, environ=environ)
