import hashlib
import io
import os
from contextlib import ExitStack

import pytest

from llm_assets.config.task import InputSettings
from llm_assets.errors import InputError
from llm_assets.gateways.tables.reading import FORMATS_BY_ENDING, decide_format, open_table


def _build_workbook() -> bytes:
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.worksheets[0].append(["name", "note"])
    workbook.worksheets[0].append(["Ann", "é"])
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def _build_parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(pa.table({"name": ["Ann"], "note": ["é"]}), content)
    return content.getvalue()


CONTENTS = {
    "csv": b"name,note\nAnn,\xc3\xa9\n",
    "psv": b"name|note\nAnn|\xc3\xa9\n",
    "tsv": b"name\tnote\nAnn\t\xc3\xa9\n",
    "jsonl": b'{"name": "Ann", "note": "\xc3\xa9"}\n',
    "xlsx": _build_workbook(),
    "parquet": _build_parquet(),
}


@pytest.mark.parametrize("table_format", CONTENTS)
def test_every_format_gives_the_same_table(read, table_format):
    """One table saved in any format reads as the same columns and cells, and its hash is that of its bytes."""
    content = CONTENTS[table_format]
    table = read(f"t.{table_format}", content)
    assert table.columns == ("name", "note")
    assert table.cells == [("Ann", "é")]
    assert table.opened.path == f"t.{table_format}"
    assert table.opened.format == table_format
    assert table.opened.sha256 == hashlib.sha256(content).hexdigest()
    is_text = table_format not in {"xlsx", "parquet"}
    assert table.opened.encoding == ("utf-8" if is_text else None)


@pytest.mark.parametrize("table_format", CONTENTS)
def test_the_format_setting_wins_over_the_ending(read, table_format):
    """A file with a foreign ending is read as what the settings say it is."""
    assert read("t.dat", CONTENTS[table_format], format=table_format).cells == [("Ann", "é")]


@pytest.mark.parametrize(("ending", "table_format"), FORMATS_BY_ENDING.items())
def test_endings_in_any_case(tmp_path, ending, table_format):
    """Every ending stands for its format, in capitals too."""
    path = tmp_path / f"t{ending.upper()}"
    assert decide_format(path, InputSettings(), shown_path="t") == table_format


@pytest.mark.parametrize("name", ["t.docx", "t"])
def test_unknown_ending(refuse, name):
    """An ending that stands for no format is refused with the formats there are."""
    error = refuse(name, "a,b\n")
    assert name in error.what
    assert "csv, psv, tsv, xlsx, jsonl, parquet" in error.remedy


@pytest.mark.parametrize("table_format", CONTENTS)
def test_empty_file(refuse, table_format):
    """A file of no bytes is refused, whatever its format."""
    error = refuse(f"t.{table_format}", b"")
    assert f"t.{table_format} is empty" in error.what


@pytest.mark.parametrize("table_format", ["csv", "psv", "tsv"])
def test_header_without_rows(read, table_format):
    """A header alone is a table of no rows."""
    header = CONTENTS[table_format].splitlines()[0]
    table = read(f"t.{table_format}", header)
    assert (table.columns, table.cells) == (("name", "note"), [])


def test_missing_file(tmp_path, read_file):
    """A file that is not there is an error by name, not a stack trace."""
    with pytest.raises(InputError, match=r"^gone\.csv does not exist"):
        read_file(tmp_path / "gone.csv")


def test_folder_in_place_of_a_file(tmp_path, read_file):
    """A folder with a table's name is refused."""
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(InputError, match=r"t\.csv is a folder"):
        read_file(tmp_path / "t.csv")


def test_file_that_may_not_be_read(tmp_path, read_file):
    """What the system says about a file that cannot be opened is passed on."""
    path = tmp_path / "t.csv"
    path.symlink_to(path)
    with pytest.raises(InputError, match=r"t\.csv cannot be read: Too many levels"):
        read_file(path)


def test_file_that_changes_while_it_is_read(tmp_path):
    """Rows are not taken from a file whose hash they would not have."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with ExitStack() as opened:
        table = opened.enter_context(open_table(path, InputSettings(), shown_path="t.csv"))
        list(table.rows)
        status = path.stat()
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
        with pytest.raises(InputError, match="was changed while it was read"):
            opened.close()


def test_rows_are_streamed(tmp_path):
    """Rows are drawn one at a time, so a broken row is met only when it is reached."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3\n")
    with open_table(path, InputSettings(), shown_path="t.csv") as table:
        rows = iter(table.rows)
        assert next(rows).cells == ("1", "2")
        with pytest.raises(InputError, match="line 3"):
            next(rows)
