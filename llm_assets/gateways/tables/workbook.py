"""How a sheet of an Excel workbook is read.

Cells that hold an error such as #N/A, and formulas that were never calculated, come out empty: the reader has
no more of them. A blank row is passed over, except in a table of one column, where it is an empty cell.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_assets.core.table import RawRow, RawTable, render_letters
from llm_assets.errors import InputError
from llm_assets.gateways.tables.columns import build_columns
from llm_assets.gateways.tables.source import TableSource
from llm_assets.gateways.tables.typed_cells import (
    build_text_cell,
    build_whole_number,
    decide_cell_builder,
)

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook


@contextmanager
def open_workbook(source: TableSource) -> Generator[RawTable]:
    """The table in the sheet that the settings name, else in the first sheet a person sees."""
    sheet = _read_sheet(source)
    columns = sheet.read_columns()
    yield RawTable(
        path=source.shown_path,
        format=source.format,
        encoding=None,
        sha256=source.sha256,
        columns=columns,
        rows=sheet.draw(len(columns)),
    )


def _read_sheet(source: TableSource) -> "_Sheet":
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_path(str(source.path)) as workbook:
            name = _decide_sheet(source, workbook)
            return _Sheet(source=source, name=name, sheet=workbook.get_sheet_by_name(name))
    except PasswordError as exc:
        raise InputError(
            f"{source.shown_path} is protected by a password; nothing was read.",
            remedy="Save a copy without a password.",
        ) from exc
    except CalamineError as exc:
        raise InputError(
            f"{source.shown_path} is no readable Excel workbook ({exc}); nothing was read.",
            remedy="Open it in a spreadsheet program and save it again as .xlsx.",
        ) from exc


def _decide_sheet(source: TableSource, workbook: "CalamineWorkbook") -> str:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    worksheets = [
        sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet
    ]
    names = [sheet.name for sheet in worksheets]
    named = source.settings.sheet
    if named is not None and named not in names:
        raise InputError(
            f"{source.shown_path} has no sheet {named!r}; it has {', '.join(map(repr, names))}.",
            remedy="Set `input.sheet` in the task's config to one of them.",
        )
    if named is None and not names:
        raise InputError(f"{source.shown_path} has no sheet with cells.", remedy="Add the table.")
    visible = [s.name for s in worksheets if s.visible == SheetVisibleEnum.Visible]
    return named or (visible or names)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """One sheet; its rows are counted from 1 as the spreadsheet program shows them."""

    source: TableSource
    name: str
    sheet: "CalamineSheet"

    def read_columns(self) -> tuple[str, ...]:
        """The column names, from the header row; what follows its last filled cell is no column."""
        wanted = self.source.settings.header_row
        cells = next((cells for row, cells in self._draw_cells() if row == wanted), ())
        names = [build_text_cell(cell) for cell in cells]
        while names and not names[-1].strip():
            names.pop()
        if not names:
            raise self._build_header_error(wanted)
        return build_columns(names, place=self._render_place(wanted))

    def draw(self, n_columns: int) -> Iterator[RawRow]:
        """The rows below the header."""
        build_cell = decide_cell_builder(self.source.settings.types)
        for row, cells in self._draw_cells():
            if row <= self.source.settings.header_row:
                continue
            if any(cell != "" for cell in cells[n_columns:]):
                raise self._build_width_error(row, cells, n_columns)
            if n_columns > 1 and all(cell == "" for cell in cells):
                continue
            yield RawRow(
                line=row,
                cells=tuple(
                    [
                        build_cell(build_whole_number(cell) if isinstance(cell, float) else cell)
                        for cell in cells[:n_columns]
                    ]
                ),
            )

    def _draw_cells(self) -> Iterator[tuple[int, Sequence[object]]]:
        return enumerate(self.sheet.iter_rows(), start=1)

    def _render_place(self, row: int) -> str:
        return f"{self.source.shown_path}, sheet {self.name!r}, row {row}"

    def _build_header_error(self, wanted: int) -> InputError:
        start = self.sheet.start
        if start is None:
            return InputError(
                f"{self.source.shown_path}: the sheet {self.name!r} is empty.",
                remedy="Put the table in it, or name another one by `input.sheet`.",
            )
        return InputError(
            f"{self._render_place(wanted)}: the row is blank where column names are expected; "
            f"the first filled row is {start[0] + 1}.",
            remedy="Set `input.header_row` to the row that holds them.",
        )

    def _build_width_error(self, row: int, cells: Sequence[object], n_columns: int) -> InputError:
        beyond = next(i for i, cell in enumerate(cells) if i >= n_columns and cell != "")
        start = self.sheet.start or (0, 0)
        return InputError(
            f"{self._render_place(row)}: there is a value in column {render_letters(start[1] + beyond)}, "
            f"right of the last column that the header names.",
            remedy="Name the column in the header, or take the value out.",
        )
