import pytest

from llm_assets.core.ids import BatchKey
from llm_assets.errors import StorageError
from llm_assets.gateways.exports import write_exports
from llm_assets.gateways.reports import (
    build_config_snapshot,
    find_page,
    find_report,
    list_artifacts,
    write_report,
)
from llm_assets_tests.gateways.stages import MAY, build_project_files, prepare


@pytest.fixture
def stages(tmp_path):
    """A batch that is ready to be asked for."""
    return prepare(build_project_files(tmp_path))


def test_a_report_is_written_where_it_is_looked_for(stages):
    """A report is a page, a Markdown file and its numbers; one made again has the same bytes, times included."""
    generation = stages.generate()
    report, sources = stages.build_report(generation), stages.build_sources(generation)
    written = write_report(stages.task, stages.project, report, sources)
    folder = stages.project.reports / "notes"
    assert written.path == folder / "may.md" == find_report(stages.task, stages.project, MAY)
    assert written.page == folder / "may.html" == find_page(stages.task, stages.project, MAY)
    assert written.path.read_bytes().decode() == written.text
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(first) == ["may.html", "may.json", "may.md"]
    assert [name for name, content in first.items() if b"\r" in content] == []
    write_report(stages.task, stages.project, report, sources)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_a_batch_called_index_does_not_stand_in_the_way(stages):
    """The page over all batches keeps its name; that of such a batch is one that no other batch can have."""
    names = [
        find_page(stages.task, stages.project, BatchKey(key)).name
        for key in ("index", "Index", "may")
    ]
    assert names == ["index+.html", "Index+.html", "may.html"]


def test_pointers_lead_from_the_report_to_the_files(stages):
    """Every export that the report points at is there, as seen from the report's own folder."""
    table = stages.build_export(stages.generate())
    files = write_exports(stages.task, stages.project, MAY, table)
    folder = find_report(stages.task, stages.project, MAY).parent
    pointers = list_artifacts(stages.task, stages.project, MAY)
    for file in files:
        pointer = pointers[f"export as {file.path.suffix[1:]}"]
        assert (folder / pointer).resolve() == file.path
    assert pointers["llm_outputs"] == "../../artifacts/notes/llm_outputs/may.jsonl"


def test_a_config_snapshot_is_the_same_everywhere(stages, tmp_path):
    """It names files from the project's root and holds every setting, defaults included, without a machine's path."""
    snapshot = build_config_snapshot(stages.task, stages.project, MAY)
    assert snapshot.config_path == "configs/notes.yaml"
    assert snapshot.schema_path == "configs/schemas/notes.py"
    limits = snapshot.settings["limits"]
    assert isinstance(limits, dict)
    assert limits["fault_retries"] == 5
    assert "schema" in snapshot.settings
    assert str(tmp_path) not in snapshot.model_dump_json()


def test_a_report_that_cannot_be_written_is_told(stages):
    """A folder that is a file makes one sentence with a remedy."""
    generation = stages.generate()
    report, sources = stages.build_report(generation), stages.build_sources(generation)
    (stages.project.root / "data" / "reports").write_text("x")
    with pytest.raises(StorageError, match=r"data/reports/notes/may\.html could not be written"):
        write_report(stages.task, stages.project, report, sources)
