"""Whether a spreadsheet program opens what was written and finds the same cells."""

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

from llm_assets.gateways.tables.writing import write_export
from llm_assets_tests.gateways.tables.conftest import ReadFile
from llm_assets_tests.gateways.tables.export_tables import build_expected, build_table
from llm_assets_tests.gateways.tables.test_real_exports import TABLES
from llm_assets_tests.shared_tables import find_shared_table

PROGRAM = shutil.which("soffice") or shutil.which("libreoffice")
AS_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
"""Commas, quotes, UTF-8, cells as they are shown, every sheet in a file of its own."""
FROM_CSV = "--infilter=CSV:44,34,76"
"""What a person confirms on opening such a file: commas, quotes, UTF-8."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="LibreOffice is not installed"),
]

TABLE = build_table(
    ("=1+1", 1, 0.5, True, "2026-03-01", "2026-03-01T10:30:00", "0.0015", ["x"]),
    ("+49 170 1", -5, -0.25, False, "1999-12-31", "1999-12-31T23:59:59", "12", {"k": None}),
    ("@SUM(A1)", None, None, None, None, None, None, None),
    ("\t=1", 2**53, 1e-7, True, "1900-02-28", "2026-03-01T10:30:00Z", "0", "#N/A"),
    ("a\nb", 2**40, 0.1, True, "soon", "2026-03-01T00:00:00", "0.5", "007"),
    ("a\r\nb\rc", 0, 0.0, None, None, None, None, "ä, 'ö' \"ü\" 😀"),
    ("bell \x07, escape \x1b", None, None, None, None, None, None, "_x0041_"),
    ("half \ud800, nul \0", None, None, None, None, None, None, "end \ufffe"),
    ("x" * 40_000, None, None, None, None, None, None, " kept "),
    names=("=text", "integer", "number", "boolean", "date", "datetime", "decimal", "json"),
    kinds=("text", "integer", "number", "boolean", "date", "datetime", "decimal", "json"),
)
MARK = "… [cut here: 40,000 characters in all]"
LONG = "x" * (32_767 - len(MARK)) + MARK
SHOWN = [
    ["=text", "integer", "number", "boolean", "date", "datetime", "decimal", "json"],
    ["=1+1", "1", "0.5", "TRUE", "2026-03-01", "2026-03-01 10:30:00", "0.0015", '["x"]'],
    ["+49 170 1", "-5", "-0.25", "FALSE", "1999-12-31", "1999-12-31 23:59:59", "12", '{"k":null}'],
    ["@SUM(A1)", "", "", "", "", "", "", ""],
    ["\t=1", str(2**53), "0.0000001", "TRUE", "1900-02-28", "2026-03-01T10:30:00Z", "0", "#N/A"],
    ["a\nb", str(2**40), "0.1", "TRUE", "soon", "2026-03-01 00:00:00", "0.5", "007"],
    ["a\nb\nc", "0", "0", "", "", "", "", "ä, 'ö' \"ü\" 😀"],
    ["bell \x07, escape \x1b", "", "", "", "", "", "", "_x0041_"],
    ["half \ufffd, nul \ufffd", "", "", "", "", "", "", "end \ufffd"],
    [LONG, "", "", "", "", "", "", " kept "],
]


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    """Opens files in LibreOffice, without a screen and with settings of its own, and gives the cells it shows."""
    folder = tmp_path_factory.mktemp("libreoffice")

    def open_and_save(*paths: Path, options=()) -> list[list[list[str]]]:
        assert PROGRAM is not None
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        target = folder / paths[0].parent.name
        done = subprocess.run(
            [
                *(PROGRAM, "--headless", profile, *options),
                *("--convert-to", AS_CSV, "--outdir", target, *paths),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        # Java, which a spreadsheet does without, is the one thing it may miss.
        assert [line for line in done.stderr.splitlines() if "javaldx" not in line] == []
        return [read_csv(next(target.glob(f"{path.stem}*.csv"))) for path in paths]

    return open_and_save


def read_csv(path: Path) -> list[list[str]]:
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_workbook_opens_with_the_same_cells(tmp_path, convert):
    """Text is text, numbers and days are typed, nothing is run, and control characters come through."""
    write_export(tmp_path / "full.xlsx", TABLE, export_format="xlsx")
    empty = build_table(names=("a", "b"))
    write_export(tmp_path / "empty.xlsx", empty, export_format="xlsx")
    shown, shown_empty = convert(tmp_path / "full.xlsx", tmp_path / "empty.xlsx")
    assert shown == SHOWN
    assert shown_empty == [["a", "b"]]


def test_a_real_table_opens_whole(tmp_path, convert, read_file: ReadFile):
    """Every row of a table that others made is there, its line breaks and accents as they are in the file."""
    name = "hip_hop_candidate_lyrics.csv"
    source = read_file(find_shared_table(name), **TABLES[name])
    table = build_table(*source.cells, names=source.columns)
    write_export(tmp_path / "lyrics.xlsx", table, export_format="xlsx")
    (shown,) = convert(tmp_path / "lyrics.xlsx")
    cells = [[cell or "" for cell in row] for row in build_expected(table, "xlsx")]
    assert shown == [[*source.columns], *cells]


def test_a_csv_file_runs_nothing(tmp_path, convert):
    """Opened as a spreadsheet, a text that looks like a formula is shown with its apostrophe and not run."""
    formulas = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "=HYPERLINK(1)", "＝1+1"]  # noqa: RUF001 - a wide sign
    table = build_table(*((str(place), formula) for place, formula in enumerate(formulas)))
    write_export(tmp_path / "formulas.csv", table, export_format="csv")
    (shown,) = convert(tmp_path / "formulas.csv", options=[FROM_CSV])
    assert [row[1] for row in shown[1:]] == [f"'{formula}" for formula in formulas]
