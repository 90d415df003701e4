"""How the seconds and the memory of every stage grow with the table: `python benchmarks/stages.py`."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rerun import measure_rerun
from trial_project import MODES, build_environ, write_trial

HERE = Path(__file__).parent
BEFORE_OUTPUTS = ("input_snapshot", "group_contexts", "work_items")
AFTER_OUTPUTS = ("export", "report")
TOGETHER = "these in one run"
"""A run in one process holds what its stages made until its end, so its peak is not theirs."""
REPLAYED = "llm_outputs again"
"""The same stage with every answer on record."""

Figures = dict[str, str | int | float | None]

_WIDTHS = {
    "mode": 30,
    "stage": 18,
    "n_rows": 8,
    "wall_seconds": 13,
    "cpu_seconds": 12,
    "cpu_ratio": 10,
    "rows_per_second": 16,
    "peak_mb": 8,
    "growth_mb": 10,
}


def main() -> None:
    """Measure, and print each line as soon as it is known, or everything at the end as JSON."""
    options = _parse_options()
    show = _show_nothing if options.json else _show_line
    show({name: name for name in _WIDTHS})
    stages: list[Figures] = []
    for mode in options.modes:
        for figures in _measure_mode(mode, options.rows, llm_rows=options.llm_rows):
            stages.append(figures)
            show(figures)
    reruns = [measure_rerun(options.rerun_rows)] if options.rerun_rows else []
    context_bytes = _run_child("context_bytes.py", *map(str, options.context_rows))
    if options.json:
        print(json.dumps({"stages": stages, "reruns": reruns, "context_bytes": context_bytes}))
        return
    for title, entries in (("Re-run", reruns), ("Group contexts", context_bytes)):
        for entry in entries:
            print(f"{title}: {', '.join(f'{name} {value}' for name, value in entry.items())}")


def _measure_mode(mode: str, sizes: list[int], *, llm_rows: int) -> Iterator[Figures]:
    """Every stage at every size; the ratio of a stage's CPU is to the size before."""
    smaller: dict[str, float] = {}
    for n_rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_trial(root, mode=mode, n_rows=n_rows)
            for stage, taken in _measure_stages(root, asks=n_rows <= llm_rows):
                cpu_seconds = taken["cpu_seconds"]
                before = smaller.get(stage)
                smaller[stage] = cpu_seconds
                yield {
                    "mode": mode,
                    "stage": stage,
                    "n_rows": n_rows,
                    **taken,
                    "rows_per_second": round(n_rows / taken["wall_seconds"]),
                    "cpu_ratio": round(cpu_seconds / before, 1) if before else None,
                }


def _measure_stages(root: Path, *, asks: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """One stage after the other, each in a process of its own, so that each has a peak of its own."""
    _start_child("measure_stage.py", str(root), "prepare")
    for stage in BEFORE_OUTPUTS:
        yield stage, _run_child("measure_stage.py", str(root), stage)
    yield TOGETHER, _run_child("measure_stage.py", str(root), *BEFORE_OUTPUTS)
    if asks:
        for name in ("llm_outputs", REPLAYED):
            yield name, _run_child("measure_stage.py", str(root), "llm_outputs")
    else:
        _start_child("measure_stage.py", str(root), "stand_in")
    for stage in AFTER_OUTPUTS:
        yield stage, _run_child("measure_stage.py", str(root), stage)


def _run_child(script: str, *arguments: str) -> Any:  # noqa: ANN401 -- what the script prints as JSON
    return json.loads(_start_child(script, *arguments))


def _start_child(script: str, *arguments: str) -> str:
    # This process stays small on purpose: a child's peak begins with the memory of the one that starts it.
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.run(
        command,
        env=build_environ(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=_parse_sizes, default=[1_000, 20_000, 200_000])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument(
        "--llm-rows",
        type=int,
        default=20_000,
        help="larger tables get made-up outputs, because asking for each would take minutes",
    )
    parser.add_argument(
        "--rerun-rows", type=int, default=20_000, help="rows of the re-run; 0 leaves it out"
    )
    parser.add_argument("--context-rows", type=_parse_sizes, default=[50, 20_000])
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    return parser.parse_args()


def _parse_sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def _show_line(figures: Mapping[str, object]) -> None:
    cells = ("" if figures[name] is None else str(figures[name]) for name in _WIDTHS)
    print(
        "".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS.values(), strict=True)),
        flush=True,
    )


def _show_nothing(figures: Mapping[str, object]) -> None:
    """What is asked for as JSON is printed once, at the end."""


if __name__ == "__main__":
    main()
