from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.core.ids import BatchKey
from llm_assets.defs import registering
from llm_assets.defs.project_definitions import build_scope
from llm_assets.defs.registering import (
    DATA_VERSION_TAG,
    list_news,
    read_observed,
    register_batches,
)
from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.batches import hash_file, list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project

MAY, JUNE = BatchKey("may"), BatchKey("june")


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project with two batches."""
    project = build_project(tmp_path)
    project.write_table("data/notes/june.csv", NOTES[:2])
    # `edit` writes plain line ends, which an edit taken back would leave behind.
    project.write("data/notes/may.csv", project.read("data/notes/may.csv"))
    return project


@pytest.fixture
def scope(tiny: TinyProject) -> TaskScope:
    project = Project(root=tiny.root, environ={})
    return build_scope(project, load_task(project, "notes"), observers=())


@pytest.fixture
def history() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def find(scope: TaskScope, history: dg.DagsterInstance) -> dict[str | None, str]:
    """The batches of which there is something to tell, and what."""
    contents = {
        batch.key: hash_file(batch.path) for batch in list_batches(scope.task, scope.project)
    }
    news = list_news(scope, history, contents)
    return {each.partition: (each.tags or {})[DATA_VERSION_TAG] for each in news}


def register(scope: TaskScope, history: dg.DagsterInstance) -> dict[str | None, str]:
    """Make them known; what was told."""
    found = find(scope, history)
    register_batches(scope, history, list_batches(scope.task, scope.project))
    return found


def test_batches_become_known_with_their_files_versions(tiny, scope, history):
    """Each is a partition and its file's hash is told; a second time there is nothing to tell."""
    hashes = {key: hash_file(tiny.root / f"data/notes/{key}.csv") for key in (MAY, JUNE)}
    assert find(scope, history) == hashes
    assert register(scope, history) == hashes
    assert set(history.get_dynamic_partitions("notes_batches")) == {MAY, JUNE}
    assert read_observed(scope, history, [MAY, JUNE]) == hashes
    assert find(scope, history) == register(scope, history) == {}


def test_a_file_put_back_to_what_it_was_is_told_again(tiny, scope, history):
    """What counts is the version last told: a change and its way back are both news, for that batch alone."""
    before = register(scope, history)
    tiny.edit("data/notes/may.csv", "hums", "roars")
    assert register(scope, history).keys() == {MAY}
    tiny.edit("data/notes/may.csv", "roars", "hums")
    assert find(scope, history) == {MAY: before[MAY]}


def test_looking_tells_nothing(scope, history):
    """To find what is not observed leaves the history as it is."""
    find(scope, history)
    assert list(history.get_dynamic_partitions("notes_batches")) == []
    assert read_observed(scope, history, [MAY, JUNE]) == {}


def test_a_long_history_is_read_to_its_end(tiny, scope, history, monkeypatch):
    """The last version of a batch is found behind any number of later ones of other batches."""
    before = register(scope, history)
    for old, new in (("hums", "roars"), ("roars", "sings"), ("sings", "hums")):
        tiny.edit("data/notes/may.csv", old, new)
        register(scope, history)
    monkeypatch.setattr(registering, "PAGE_SIZE", 1)
    assert read_observed(scope, history, [MAY, JUNE]) == before


def test_no_batches_are_no_mistake(scope, history):
    """An empty folder has nothing to register."""
    register_batches(scope, history, [])
    assert list(history.get_dynamic_partitions("notes_batches")) == []
