from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath

from llm_assets.core.ids import TaskName
from llm_assets.errors import StorageError
from llm_assets.gateways.archive import list_stored, put_away
from llm_assets.gateways.project import ARTIFACTS_VARIABLE, Project

TASK = TaskName("notes")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OUTPUTS, EXPORT = "artifacts/notes/llm_outputs/may.jsonl", "exports/notes/may.csv"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(root=tmp_path, environ={})


def write(path: Path | UPath, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_files_keep_their_paths_below_the_moment(project: Project, tmp_path: Path):
    """They are where they were, below a folder with the time in UTC, and nowhere else."""
    for path in (OUTPUTS, EXPORT):
        write(tmp_path / "data" / path, path)
    archives = put_away([OUTPUTS, EXPORT], task=TASK, project=project, put_away_at=NOW)
    assert archives == ("data/archive/notes/20261120_120000",)
    for path in (OUTPUTS, EXPORT):
        assert (tmp_path / archives[0] / path).read_text() == path
        assert not (tmp_path / "data" / path).exists()


def test_nothing_that_was_put_away_is_replaced(project: Project, tmp_path: Path):
    """A second time within the same second gets a folder of its own."""
    for text in ("first", "second"):
        write(tmp_path / "data" / EXPORT, text)
        put_away([EXPORT], task=TASK, project=project, put_away_at=NOW)
    kept = sorted(path.read_text() for path in (tmp_path / "data" / "archive").rglob("may.csv"))
    assert kept == ["first", "second"]


def test_what_lies_in_object_storage_stays_there(tmp_path: Path):
    """Artifacts go to an archive of the same storage, which is no task's folder; exports go to the project's."""
    base = UPath(f"memory://{uuid4().hex}")
    project = Project(root=tmp_path, environ={ARTIFACTS_VARIABLE: str(base)})
    write(base / "notes" / "llm_outputs" / "may.jsonl", "outputs")
    write(tmp_path / "data" / EXPORT, "export")
    assert list_stored(project, ["artifacts/notes/llm_outputs", "artifacts/notes/export"]) == {
        "artifacts/notes/llm_outputs": {"may.jsonl"},
        "artifacts/notes/export": frozenset(),
    }
    archives = put_away([OUTPUTS, EXPORT], task=TASK, project=project, put_away_at=NOW)
    stored = base / ".archive" / "notes" / "20261120_120000"
    assert (stored / OUTPUTS).read_text() == "outputs"
    assert not (base / "notes" / "llm_outputs" / "may.jsonl").exists()
    assert archives == (str(stored), "data/archive/notes/20261120_120000")


def test_a_file_that_cannot_be_moved_is_told(project: Project):
    """What stopped it names the file and says where the others are."""
    with pytest.raises(StorageError, match=r"exports/notes/may\.csv cannot be put away"):
        put_away([EXPORT], task=TASK, project=project, put_away_at=NOW)
