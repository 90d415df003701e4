from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.export import ExportMeta, ExportRow, ExportTable
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.export_lines import count_file_line, find_record, is_named
from llm_assets.core.ids import WorkId
from llm_assets.gateways.tables.text_writing import write_delimited, write_json_lines

CELLS = st.text(alphabet=st.sampled_from('a,"\n\r\t|'), max_size=6)


def build_table(*rows, names=("text\nof it", "work_id")):
    columns = tuple(
        ExportColumn(name=name, source="input", path=(name,), kind="text") for name in names
    )
    meta = ExportMeta(
        columns=columns, n_rows=len(rows), n_accepted=0, n_left_out=0, is_rehearsal=False
    )
    records = tuple(
        ExportRow(work_id=WorkId(f"w{at}"), values=dict(zip(names, (row, f"w{at}"), strict=False)))
        for at, row in enumerate(rows)
    )
    return ExportTable(meta=meta, records=records)


@given(st.lists(CELLS, min_size=1, max_size=6))
def test_a_record_is_where_its_line_says(rows):
    """Whatever line breaks the cells before it hold, an editor finds its last cell within its own lines."""
    table = build_table(*rows)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "may.csv"
        write_delimited(path, table, delimiter=",")
        with path.open(encoding="utf-8", newline="\n") as file:
            lines = file.readlines()
    for place, record in enumerate(table.records):
        start, end = (count_file_line(table, each, "csv") for each in (place, place + 1))
        assert lines[end - 2].rstrip().endswith(record.work_id)
        own = "".join(islice(lines, start - 1, end - 1))
        assert own.count(record.work_id) == 1


@pytest.mark.parametrize(
    ("export_format", "line"), [("jsonl", 2), ("parquet", 2), ("xlsx", 3), ("psv", 5), ("tsv", 5)]
)
def test_lines_of_every_format(export_format, line, tmp_path):
    """JSON Lines have no header, a sheet has one row for it, and delimited files count the line breaks in cells."""
    table = build_table("two\nlines", "second")
    assert count_file_line(table, 1, export_format) == line
    if export_format == "jsonl":
        write_json_lines(tmp_path / "may.jsonl", table)
        assert "w1" in (tmp_path / "may.jsonl").read_text(encoding="utf-8").splitlines()[line - 1]


def test_a_record_is_found_by_its_item():
    """Also where no column shows the item; one that was left out is not there."""
    table = build_table("a", "b", names=("text",))
    assert find_record(table, WorkId("w1")) == 1
    assert find_record(table, WorkId("w7")) is None
    assert not is_named(table.records[0])
    assert is_named(build_table("a").records[0])
