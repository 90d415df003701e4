import json

import pytest

from llm_assets.errors import InputError, StorageError
from llm_assets.gateways.batches import find_batch, list_batches, register_batch_file
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task


@pytest.fixture
def project(tmp_path):
    """A project with one task and an empty input folder."""
    root = tmp_path / "project"
    (root / "configs").mkdir(parents=True)
    (root / "configs" / "triage.yaml").write_text("prompt: p\n")
    (root / "data" / "inputs" / "triage").mkdir(parents=True)
    return Project(root=root, environ={})


@pytest.fixture
def task(project):
    """The task of the project."""
    return load_task(project, "triage")


def add(folder, *names):
    for name in names:
        (folder / name).write_text("a\n1\n")
    return folder / names[0]


def test_files_become_batches_named_by_their_stem(task, project):
    """Tables are listed by key; hidden files, lock files, folders and other endings are passed over."""
    folder = task.input_folder
    add(folder, "b-2.CSV", "a_1.jsonl", "10.x.xlsx", ".c.csv", "~$a_1.xlsx", "notes.md")
    (folder / "old.csv").mkdir()
    batches = list_batches(task, project)
    assert [batch.key for batch in batches] == ["10.x", "a_1", "b-2"]
    assert batches[1].path == folder / "a_1.jsonl"


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("my file (1).csv", "my_file_1.csv"),
        ("a..b.csv", "a_b.csv"),
        ("-a.csv", "a.csv"),
        ("größe.csv", "gr_e.csv"),
        ("---.csv", "batch.csv"),
        ("a\n.csv", "a.csv"),
    ],
)
def test_a_name_that_cannot_be_a_key_is_told_with_a_better_one(task, project, name, better):
    """A batch key is a Dagster partition and a folder's name."""
    add(task.input_folder, name)
    with pytest.raises(InputError) as caught:
        list_batches(task, project)
    assert "The input file data/inputs/triage/" in str(caught.value)
    assert caught.value.remedy == f"Rename it to {better}."


def test_two_files_of_one_stem_are_refused(task, project):
    """No file wins silently where two would be the same batch."""
    add(task.input_folder, "a.csv", "a.jsonl")
    with pytest.raises(InputError) as caught:
        list_batches(task, project)
    assert str(caught.value).startswith(
        "data/inputs/triage/a.csv and data/inputs/triage/a.jsonl would both be the batch 'a'."
    )


def test_an_unknown_batch_names_the_known_ones(task, project):
    """A misspelt batch is answered with the batches there are, and with where its table would lie."""
    add(task.input_folder, "march.csv", "april.csv")
    with pytest.raises(InputError) as caught:
        find_batch(task, project, "marsh")
    assert str(caught.value) == (
        "Task triage has no batch 'marsh'. Did you mean 'march'? Batches: april, march. Choose one of them, or put "
        "its table into data/inputs/triage as marsh.csv or with another ending. A partition whose table is gone for "
        "good can be deleted in the UI."
    )


def test_a_batch_whose_remembered_table_is_gone_names_it(task, project, tmp_path):
    """A table that lay elsewhere is wanted where it was."""
    add(task.input_folder, "may.csv")
    path = add(tmp_path, "march.csv")
    register_batch_file(path, task=task, project=project)
    path.unlink()
    with pytest.raises(InputError, match=f"put its table back, which was {path}"):
        find_batch(task, project, "march")


def test_no_batches_at_all_says_where_they_belong(task, project):
    """An empty and a missing folder are told apart, with what to do."""
    with pytest.raises(InputError, match="the folder data/inputs/triage holds no table"):
        find_batch(task, project, "a")
    task.input_folder.rmdir()
    with pytest.raises(InputError, match=r"data/inputs/triage does not exist\. Put a file there"):
        find_batch(task, project, "a")


def test_a_file_elsewhere_is_remembered(task, project, tmp_path):
    """A registered file counts as a batch from then on, as long as it exists."""
    path = add(tmp_path, "march.csv")
    batch = register_batch_file(path, task=task, project=project)
    assert (batch.key, batch.path) == ("march", path)
    assert find_batch(task, project, "march") == batch
    path.unlink()
    assert list_batches(task, project) == ()


def test_remembered_files_are_kept_side_by_side(task, project, tmp_path):
    """Registering a second file keeps the first; a file inside the project is kept relative to it."""
    register_batch_file(add(tmp_path, "march.csv"), task=task, project=project)
    register_batch_file(add(project.root / "data", "april.csv"), task=task, project=project)
    memory = project.memory / "triage.json"
    expected = {"april": "data/april.csv", "march": str(tmp_path / "march.csv")}
    assert json.loads(memory.read_text(encoding="utf-8")) == expected
    assert [entry.name for entry in memory.parent.iterdir()] == ["triage.json"]


def test_a_relative_path_starts_at_the_working_directory(task, project, tmp_path, monkeypatch):
    """A path on the command line means what it means to the shell."""
    add(tmp_path, "march.csv")
    monkeypatch.chdir(tmp_path)
    batch = register_batch_file(
        tmp_path / ".." / tmp_path.name / "march.csv", task=task, project=project
    )
    assert batch.path == tmp_path / "march.csv"


def test_a_file_of_the_input_folder_needs_no_memory(task, project):
    """A table where tables belong is a batch already."""
    path = add(task.input_folder, "march.csv")
    assert register_batch_file(path, task=task, project=project).key == "march"
    assert not project.artifacts.exists()


def test_a_key_that_is_taken_is_refused(task, project, tmp_path):
    """Another file of the same name would overwrite the first one's outputs; both are named."""
    add(task.input_folder, "march.csv")
    path = add(tmp_path, "march.csv")
    with pytest.raises(InputError) as caught:
        register_batch_file(path, task=task, project=project)
    assert "data/inputs/triage/march.csv" in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_moved_file_takes_its_key_along(task, project, tmp_path):
    """A remembered file that is gone gives its key to the next one of that name."""
    first = add(tmp_path, "march.csv")
    register_batch_file(first, task=task, project=project)
    second = first.rename(project.root / "march.csv")
    assert register_batch_file(second, task=task, project=project).path == second
    assert find_batch(task, project, "march").path == second


@pytest.mark.parametrize(
    ("name", "expected"),
    [("none.csv", "does not exist"), ("notes.md", "is no table, going by its ending")],
)
def test_files_that_cannot_be_registered(task, project, tmp_path, name, expected):
    """A missing file and a file of another kind are told before anything is remembered."""
    add(tmp_path, "notes.md")
    with pytest.raises(InputError, match=expected):
        register_batch_file(tmp_path / name, task=task, project=project)
    assert not project.artifacts.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}'])
def test_a_damaged_memory_is_told_with_a_remedy(task, project, content):
    """A memory that cannot be read stops rather than losing batches."""
    memory = project.memory / "triage.json"
    memory.parent.mkdir(parents=True)
    memory.write_text(content)
    with pytest.raises(StorageError, match=r"data/batch_files/triage\.json cannot be read"):
        list_batches(task, project)
