"""How the parts of a workbook become one file, with the same bytes each time."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from _typeshed import SizedBuffer, StrPath
    from openpyxl import Workbook

_NO_TIME = datetime(1980, 1, 1)  # noqa: DTZ001 - openpyxl takes times in UTC without saying so
"""Stands where the format asks for a time: the earliest that an archive knows."""
_NO_ROWS = b"<sheetData></sheetData>"
_LARGE_ROWS = 100_000
"""From here on the sheet may pass the 2 GiB for which an archive needs an extension that old programs lack."""


def write_workbook_file(
    workbook: "Workbook", rows: Iterable[str], stream: BinaryIO, *, n_rows: int
) -> None:
    """Write the workbook with these rows in its one sheet, which has none of its own.

    `Workbook.save` would write the time of day into the file, in several places.
    """
    from openpyxl.writer.excel import ExcelWriter

    _leave_out_times(workbook)
    with _WorkbookZip(stream, rows, is_large=n_rows > _LARGE_ROWS) as archive:
        ExcelWriter(workbook, archive).write_data()


def write_filled_workbook_file(workbook: "Workbook", stream: BinaryIO) -> None:
    """Write a workbook whose sheets have their rows."""
    from openpyxl.writer.excel import ExcelWriter

    _leave_out_times(workbook)
    with _TimelessZip(stream, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(workbook, archive).write_data()


def _leave_out_times(workbook: "Workbook") -> None:
    workbook.properties.creator = "llm-assets"
    workbook.properties.created = workbook.properties.modified = _NO_TIME


class _TimelessZip(ZipFile):
    """An archive without times."""

    def writestr(
        self,
        zinfo_or_arcname: str | ZipInfo,
        data: "SizedBuffer | str",
        compress_type: int | None = None,
        compresslevel: int | None = None,
    ) -> None:
        """Add a part that is held in memory."""
        member = self._build_member(str(zinfo_or_arcname), compress_type)
        super().writestr(member, data, compress_type, compresslevel)

    def write(
        self,
        filename: "StrPath",
        arcname: "StrPath | None" = None,
        compress_type: int | None = None,
        compresslevel: int | None = None,  # noqa: ARG002 - the archive's own stands
    ) -> None:
        """Add a part that lies in a file."""
        member = self._build_member(str(arcname or filename), compress_type)
        with self.open(member, "w") as target, Path(filename).open("rb") as source:
            copyfileobj(source, target)

    def _build_member(self, name: str, compress_type: int | None) -> ZipInfo:
        member = ZipInfo(name)  # whose time is 1 January 1980 where none is given
        member.compress_type = self.compression if compress_type is None else compress_type
        return member


class _WorkbookZip(_TimelessZip):
    """An archive which puts the rows into the sheet that it is handed as a file."""

    def __init__(self, stream: BinaryIO, rows: Iterable[str], *, is_large: bool) -> None:
        super().__init__(stream, "w", ZIP_DEFLATED)
        self._rows = rows
        self._is_large = is_large

    def write(
        self,
        filename: "StrPath",
        arcname: "StrPath | None" = None,
        compress_type: int | None = None,
        compresslevel: int | None = None,  # noqa: ARG002 - the archive's own stands
    ) -> None:
        """Add the sheet, with the rows between what stands before and after them."""
        member = self._build_member(str(arcname or filename), compress_type)
        before, mark, after = Path(filename).read_bytes().partition(_NO_ROWS)
        if not mark:
            raise RuntimeError("openpyxl writes a sheet without rows in another way than it did.")
        with self.open(member, "w", force_zip64=self._is_large) as target:
            target.write(before + b"<sheetData>")
            for row in self._rows:
                target.write(row.encode())
            target.write(b"</sheetData>" + after)
