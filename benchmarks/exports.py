"""What writing an export takes in each format: `python benchmarks/exports.py [ROWS]`.

Each format is written by a process of its own, so that each has a peak of its own; the table is made up first, and
neither it nor the start of Python is in the seconds.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import get_args

from pydantic import JsonValue
from tables import COLUMNS, draw_rows

from llm_assets.config.export import ExportFormat
from llm_assets.core.export import ExportMeta, ExportRow, ExportTable
from llm_assets.core.export_columns import ExportColumn, build_input_columns, build_status_columns
from llm_assets.core.export_values import ColumnKind
from llm_assets.core.ids import WorkId
from llm_assets.gateways.tables.writing import write_export

FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
OUTPUTS: dict[str, ColumnKind] = {
    "category": "text",
    "summary": "text",
    "urgency": "integer",
    "confidence": "number",
    "is_answered": "boolean",
    "due": "date",
    "tags": "json",
}


def main() -> None:
    """Measure every format and print a JSON object for each; a child measures one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=100_000)
    parser.add_argument("--format", choices=FORMATS)
    options = parser.parse_args()
    if options.format:
        print(json.dumps(_measure(options.format, options.rows)))
        return
    for name in FORMATS:
        command = [sys.executable, __file__, str(options.rows), "--format", name]
        subprocess.run(command, check=True)


def _measure(export_format: ExportFormat, n_rows: int) -> dict[str, object]:
    table = _build_table(n_rows)
    begin_mb, begin_cpu, begin = _read_peak_mb(), time.process_time(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        write_export(path, table, export_format=export_format)
        n_bytes = path.stat().st_size
    return {
        "format": export_format,
        "n_rows": n_rows,
        "cpu_seconds": round(time.process_time() - begin_cpu, 1),
        "wall_seconds": round(time.monotonic() - begin, 1),
        "growth_mb": round(_read_peak_mb() - begin_mb),
        "file_mb": round(n_bytes / 1e6, 1),
    }


def _build_table(n_rows: int) -> ExportTable:
    outputs = [
        ExportColumn(name=name, source="output", path=(name,), kind=kind)
        for name, kind in OUTPUTS.items()
    ]
    columns = (*build_input_columns(COLUMNS, []), *outputs, *build_status_columns("row"))
    names = [column.name for column in columns]
    records = (
        ExportRow(
            work_id=WorkId(row[0]),
            values=_build_values(names, row),
        )
        for row in draw_rows(n_rows)
    )
    return ExportTable(
        meta=ExportMeta(
            columns=columns, n_rows=n_rows, n_accepted=n_rows, n_left_out=0, is_rehearsal=True
        ),
        records=tuple(records),
    )


def _build_values(names: list[str], row: tuple[str, ...]) -> dict[str, JsonValue]:
    return dict(zip(names, (*row, *_draw_output(row), *_draw_status(row)), strict=True))


def _draw_output(row: tuple[str, ...]) -> tuple[JsonValue, ...]:
    return ("hardware", row[-1][:120], 3, 0.5 + len(row[-1]) / 7, True, "2026-03-01", ["a", "b"])


def _draw_status(row: tuple[str, ...]) -> tuple[JsonValue, ...]:
    return ("accepted", None, 1, "0.0015", "offline model (rehearsal)", f"{row[0]:>20}", row[1])


def _read_peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
