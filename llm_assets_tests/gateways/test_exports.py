import pytest

from llm_assets.config.task import InputSettings
from llm_assets.errors import StorageError
from llm_assets.gateways.exports import find_export, write_exports
from llm_assets.gateways.tables.reading import open_table
from llm_assets.gateways.tables.typed_cells import build_text_cell
from llm_assets_tests.gateways.stages import MAY, Stages, build_project_files, prepare

FORMATS = {"formats: [csv, jsonl]": "formats: [csv, tsv, psv, jsonl, xlsx, parquet]"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A batch with its outputs, asked for once."""
    stages = prepare(build_project_files(tmp_path_factory.mktemp("exports"), FORMATS))
    return stages, stages.build_export(stages.generate())


def write(finished):
    stages, table = finished
    return write_exports(stages.task, stages.project, MAY, table)


def test_each_format_of_the_config_is_a_file(finished):
    """Exports lie under data/exports/<task>/<batch>.<format>, one for each format and nothing beside them."""
    stages: Stages = finished[0]
    written = write(finished)
    folder = stages.project.exports / "notes"
    names = [f"may.{name}" for name in ("csv", "tsv", "psv", "jsonl", "xlsx", "parquet")]
    assert [file.path for file in written] == [folder / name for name in names]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert find_export(stages.task, stages.project, MAY, "tsv") == folder / "may.tsv"


def test_every_row_is_in_every_file(finished):
    """All formats hold the input's rows, in their order, with what became of each."""
    _, table = finished
    expected = [
        tuple(build_text_cell(row.values[column.name]) for column in table.meta.columns)
        for row in table.records
    ]
    assert [row[0] for row in expected] == ["1", "2", "3", "4", "5", "6"]
    for file in write(finished):
        with open_table(file.path, InputSettings(), shown_path=file.path.name) as read:
            assert read.columns == tuple(column.name for column in table.meta.columns)
            assert [row.cells for row in read.rows] == expected, file.path.suffix


def test_writing_again_gives_the_same_bytes(finished):
    """An export of the same outputs is the same file."""
    first = [file.path.read_bytes() for file in write(finished)]
    assert [file.path.read_bytes() for file in write(finished)] == first


def test_formulas_are_counted(tmp_path):
    """A cell that a spreadsheet would run is made harmless in the file and counted."""
    project = build_project_files(tmp_path, {"[id, internal]": "[id, topic, internal]"})
    table_path = tmp_path / "data" / "notes" / "may.csv"
    table_path.write_text("id,topic,text,internal\n1,=1+1,Fine.,x\n")
    stages = prepare(project)
    table = stages.build_export(stages.generate())
    files = write_exports(stages.task, project, MAY, table)
    assert {file.path.suffix: file.written.n_formulas for file in files}[".csv"] == 1


def test_a_folder_that_is_a_file_is_told(tmp_path):
    """An export that cannot be written is a sentence."""
    stages = prepare(build_project_files(tmp_path))
    table = stages.build_export(stages.generate())
    (tmp_path / "data" / "exports").write_text("x")
    with pytest.raises(StorageError, match="could not be written"):
        write_exports(stages.task, stages.project, MAY, table)
