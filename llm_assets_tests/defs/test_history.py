import os
from pathlib import Path

import pytest

from llm_assets.defs.history import (
    HOME_VARIABLE,
    OPENING_LOCK,
    SETTINGS_FILE,
    SHIPPED_SETTINGS,
    open_history,
    prepare_home,
)
from llm_assets.errors import ConfigError, StorageError
from llm_assets.gateways.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv(HOME_VARIABLE, "")
    return Project(root=tmp_path)


def test_a_project_has_a_home_of_its_own(project: Project):
    """Where nobody chose a home, `.dagster` is made, gets the shipped settings and is named to Dagster."""
    prepare_home(project)
    assert os.environ[HOME_VARIABLE] == str(project.dagster_home)
    settings = project.dagster_home / SETTINGS_FILE
    assert settings.read_bytes() == SHIPPED_SETTINGS.read_bytes()
    assert "enabled: false" in settings.read_text(encoding="utf-8").split("telemetry:")[1]


def test_the_settings_of_the_project_win(project: Project):
    """A `dagster.yaml` of the project is copied into its home at every start, also where `.env` names that home."""
    prepare_home(project)
    own = project.root / SETTINGS_FILE
    own.write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    prepare_home(project)
    assert (project.dagster_home / SETTINGS_FILE).read_bytes() == own.read_bytes()


def test_a_chosen_home_is_made_where_it_is_missing(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    """A home that was named and does not exist is made, with telemetry off as in every home of ours."""
    chosen = project.root / "else" / "where"
    monkeypatch.setenv(HOME_VARIABLE, str(chosen))
    prepare_home(project)
    assert (chosen / SETTINGS_FILE).read_bytes() == SHIPPED_SETTINGS.read_bytes()
    assert not project.dagster_home.exists()


def test_the_settings_of_a_home_that_exists_are_left_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    """A home that somebody shares with other projects keeps the settings it has."""
    chosen = project.root / "shared"
    chosen.mkdir()
    monkeypatch.setenv(HOME_VARIABLE, str(chosen))
    prepare_home(project)
    assert list(chosen.iterdir()) == []


def test_a_home_must_be_a_whole_path(project: Project, monkeypatch: pytest.MonkeyPatch):
    """A relative home would be another folder for every working directory."""
    monkeypatch.setenv(HOME_VARIABLE, ".dagster")
    with pytest.raises(ConfigError, match="DAGSTER_HOME"):
        prepare_home(project)


@pytest.mark.parametrize(
    ("settings", "words"),
    [("no_such_key: 1\n", "no_such_key"), ("a: [\n", "expected the node content")],
)
def test_settings_that_cannot_be_read_are_told_plainly(project: Project, settings: str, words: str):
    """A mistake in `dagster.yaml` is the person's to mend, so every command says what it is in a sentence."""
    (project.root / SETTINGS_FILE).write_text(settings)
    with pytest.raises(StorageError, match=words), open_history(project):
        pass


def test_a_home_that_cannot_be_written_is_told_plainly(project: Project):
    """So is a folder in which no lock can be taken."""
    (project.dagster_home / OPENING_LOCK).mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot be opened"), open_history(project):
        pass


def test_a_damaged_database_is_told_plainly(project: Project):
    """Also one that Dagster looks into only later."""
    with open_history(project) as history:
        history.event_log_storage.get_concurrency_keys()
    (damaged,) = project.dagster_home.rglob("index.db")
    damaged.write_bytes(b"no database at all")
    with pytest.raises(StorageError, match="not a database"), open_history(project) as history:
        history.event_log_storage.get_concurrency_keys()
