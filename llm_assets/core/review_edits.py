"""What a person made of an item's output in a row of the workbook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from llm_assets.core.export import read_path
from llm_assets.core.output_forms import OutputForm, Path, check_output
from llm_assets.core.review_cells import (
    Cell,
    Unreadable,
    build_cell,
    is_cut,
    is_same,
    read_value,
)
from llm_assets.core.review_columns import ReviewColumn

CUT = Unreadable(
    "the text was too long for a cell and stands here only in part, so it cannot be edited here"
)


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong in one column of a row; `column` is None where no single one is at fault."""

    column: int | None
    what: str


@dataclass(frozen=True, slots=True)
class EditedOutput:
    """The whole output with a person's changes, or why it does not hold."""

    output: dict[str, JsonValue]
    problems: tuple[CellProblem, ...]


def find_edits(
    cells: Sequence[Cell],
    columns: Sequence[ReviewColumn],
    output: Mapping[str, JsonValue] | None,
) -> tuple[int, ...]:
    """The places of the output's cells that a person changed since the workbook was made."""
    return tuple(
        place
        for place, (cell, column) in enumerate(zip(cells, columns, strict=True))
        if column.role == "output"
        and column.is_editable
        and not is_same(build_cell(read_path(output, column.path)), cell)
    )


def build_edited_output(
    cells: Sequence[Cell],
    columns: Sequence[ReviewColumn],
    *,
    edits: Sequence[int],
    output: dict[str, JsonValue] | None,
    forms: Sequence[OutputForm],
) -> EditedOutput:
    """The output with the changed cells read into it, as its models make it.

    Where there was no output, what can be empty is empty.
    """
    edited = _copy(output) if output is not None else _build_blank(columns, forms)
    problems: list[CellProblem] = []
    for place in edits:
        column = columns[place]
        before = read_path(output, column.path)
        value = CUT if is_cut(before) else read_value(cells[place], column)
        if isinstance(value, Unreadable):
            end = "" if value.sentence.endswith("?") else "."
            problems.append(CellProblem(place, f"{value.sentence.removesuffix('.')}{end}"))
        else:
            _put(edited, column.path, value)
    if problems:
        return EditedOutput(edited, tuple(problems))
    checked = check_output(edited, forms)
    return EditedOutput(
        checked.output,
        tuple(
            CellProblem(find_column(columns, problem.path), problem.sentence)
            for problem in checked.problems
        ),
    )


def find_column(columns: Sequence[ReviewColumn], path: Path) -> int | None:
    """The first column of the field that a path leads to."""
    if not path:
        return None
    return next(
        (
            place
            for place, column in enumerate(columns)
            if column.role == "output" and column.path[: len(path)] == path
        ),
        None,
    )


def _build_blank(
    columns: Sequence[ReviewColumn], forms: Sequence[OutputForm]
) -> dict[str, JsonValue]:
    blank: dict[str, JsonValue] = {}
    for form in forms:
        if form.step is not None:
            blank[form.step] = {}
        for column in columns:
            is_own = column.role == "output" and column.path[:-1] == form.prefix
            if is_own and column.is_editable and column.is_nullable:
                _put(blank, column.path, None)
    return blank


def _copy(output: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {
        name: _copy(value) if isinstance(value, dict) else value for name, value in output.items()
    }


def _put(output: dict[str, JsonValue], path: Path, value: JsonValue) -> None:
    if not path:
        # The one column of an output without fixed fields holds the whole of it.
        output.clear()
        output.update(cast("dict[str, JsonValue]", value) if isinstance(value, dict) else {})
        return
    at = output
    for name in path[:-1]:
        inner = at.get(name)
        if not isinstance(inner, dict):
            inner = {}
            at[name] = inner
        at = inner
    at[path[-1]] = value
