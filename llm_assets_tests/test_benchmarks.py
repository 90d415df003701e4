"""Whether the benchmark of the stages measures every stage and says so in a form that scripts can read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from llm_assets.config.export import ExportFormat

FOLDER = Path(__file__).parents[1] / "benchmarks"
BEFORE_OUTPUTS = ["input_snapshot", "group_contexts", "work_items", "these in one run"]
OUTPUTS = ["llm_outputs", "llm_outputs again"]
AFTER_OUTPUTS = ["export", "report"]
FIGURES = {
    "mode",
    "stage",
    "n_rows",
    "wall_seconds",
    "cpu_seconds",
    "cpu_ratio",
    "rows_per_second",
    "peak_mb",
    "growth_mb",
}


def run_script(name: str, *arguments: str):
    """What a script of the benchmarks prints as JSON."""
    command = [sys.executable, str(FOLDER / name), *arguments]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


@pytest.mark.slow
def test_every_stage_is_measured_at_every_size():
    """Each size has a line for each stage, with all figures, and tables beyond the limit get stand-in outputs."""
    figures = run_script(
        "stages.py",
        *("--json", "--modes", "row_output_with_group_context", "--rows", "20,200"),
        *("--llm-rows", "20", "--rerun-rows", "20", "--context-rows", "50"),
    )
    stages = [(entry["n_rows"], entry["stage"]) for entry in figures["stages"]]
    small = [(20, stage) for stage in (*BEFORE_OUTPUTS, *OUTPUTS, *AFTER_OUTPUTS)]
    assert stages == [*small, *((200, stage) for stage in (*BEFORE_OUTPUTS, *AFTER_OUTPUTS))]
    assert all(entry.keys() == FIGURES for entry in figures["stages"])
    assert all(entry["cpu_seconds"] > 0 and entry["peak_mb"] > 0 for entry in figures["stages"])
    assert [entry["cpu_ratio"] is None for entry in figures["stages"]] == [True] * 8 + [False] * 6
    (rerun,) = figures["reruns"]
    assert (rerun["first_calls_sent"], rerun["second_calls_sent"]) == (20, 0)
    assert rerun["second_calls_reused"] == 20
    (context,) = figures["context_bytes"]
    assert (context["n_rows"], context["n_groups"]) == (50, 5)


def test_shared_contexts_save_the_bytes_that_are_promised():
    """On the benchmark's table, too, storing a group's text once saves at least 68 % at 50 rows in 5 groups."""
    (context,) = run_script("context_bytes.py", "50")
    assert context["saved_percent"] >= 68
    saved = 1 - context["stored_bytes"] / context["repeated_bytes"]
    assert context["saved_percent"] == round(100 * saved, 1)


@pytest.mark.slow
def test_every_format_of_an_export_is_measured():
    """A line for each format, with its seconds, memory and the size of the file."""
    command = [sys.executable, str(FOLDER / "exports.py"), "50"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["format"] for line in lines] == list(get_args(ExportFormat))
    assert all(line["n_rows"] == 50 and line["file_mb"] >= 0 for line in lines)
    assert {"cpu_seconds", "growth_mb"} <= lines[0].keys()
