import hashlib

import pytest

from llm_assets.core.ids import BatchKey
from llm_assets.errors import InputError
from llm_assets.gateways.project import Project
from llm_assets.gateways.snapshots import take_snapshot
from llm_assets.gateways.tasks import load_task

CONFIG = """\
prompt: p.yaml
input:
  delimiter: ";"
  id_column: id
cleaning:
  null_tokens_by_column: {label: []}
"""


@pytest.fixture
def project(tmp_path):
    """A project with one task and an empty input folder."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "notes.yaml").write_text(CONFIG)
    (tmp_path / "data" / "inputs" / "notes").mkdir(parents=True)
    return Project(root=tmp_path, environ={})


def take(project, content: bytes):
    path = project.root / "data" / "inputs" / "notes" / "may.csv"
    path.write_bytes(content)
    return take_snapshot(load_task(project, "notes"), project, BatchKey("may"))


def test_a_batch_is_read_by_its_tasks_settings(project):
    """Delimiter, id column and null tokens of the config hold, and the meta says where the rows came from."""
    content = b'id;text;label\nA1;"  two\nwords ";N/A\n'
    snapshot = take(project, content)
    assert snapshot.records[0].row_id == "A1"
    assert snapshot.records[0].values == {"id": "A1", "text": "two words", "label": "N/A"}
    meta = snapshot.meta
    assert meta.input_path == "data/inputs/notes/may.csv"
    assert meta.sha256 == hashlib.sha256(content).hexdigest()
    assert (meta.format, meta.n_rows, meta.n_cols) == ("csv", 1, 3)


def test_the_same_file_is_the_same_snapshot(project):
    """Reading twice gives equal values."""
    content = b"id;text;label\n1;a;b\n"
    assert take(project, content) == take(project, content)


def test_a_mistake_in_the_table_is_told_with_its_place(project):
    """The message shows the file from the project's root, and the line."""
    with pytest.raises(InputError, match=r"data/inputs/notes/may\.csv.*line 3"):
        take(project, b"id;text;label\n1;a;b\n2;b;c;d\n")


def test_an_unknown_batch_is_told(project):
    """A batch without a file is an input mistake."""
    with pytest.raises(InputError, match="has no batches"):
        take_snapshot(load_task(project, "notes"), project, BatchKey("june"))
