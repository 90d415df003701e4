"""What is wrong with a workbook that a person filled in, and which decisions it holds where nothing is.

Everything that is wrong is found at once, and any of it keeps the whole workbook out: half a review is worse than
none. A row that nobody touched is no mistake; it stays open.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from llm_assets.core.corrections import DECISIONS, Correction, CorrectionSource, Decision
from llm_assets.core.ids import TaskName
from llm_assets.core.output_forms import OutputForm, check_output
from llm_assets.core.review_book import (
    FIRST_ROW,
    HEADER_ROW,
    ExportedItem,
    FilledBook,
    FilledRow,
    hash_locked,
)
from llm_assets.core.review_cells import Cell, render_plain
from llm_assets.core.review_columns import ColumnRole
from llm_assets.core.review_edits import build_edited_output, find_column, find_edits
from llm_assets.core.review_problems import ReviewProblem
from llm_assets.errors import InputError, suggest

EXPORT_AGAIN = "Export the queue again and carry your decisions over."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedReview:
    """What a workbook came to."""

    problems: tuple[ReviewProblem, ...]
    corrections: tuple[Correction, ...]
    """In the order of the rows; none where there is any problem."""
    n_open: int
    """Items that nobody decided on yet."""


def check_review(
    book: FilledBook,
    *,
    task: TaskName,
    forms: Sequence[OutputForm],
    decided_at: datetime,
    reviewer: str = "",
) -> CheckedReview:
    """Look at every row of a workbook.

    `reviewer` stands where a row with a decision names none. `decided_at` is in UTC. `InputError` where the workbook
    belongs to another task.
    """
    if book.meta.task != task:
        raise InputError(
            f"{book.file} holds a review of the task {book.meta.task!r}, not of {task!r}; nothing was taken in.",
            remedy=f"Put it in for {book.meta.task}.",
        )
    problems = tuple(_check_header(book))
    if problems:
        return CheckedReview(problems=problems, corrections=(), n_open=0)
    rows = _Rows(book=book, forms=forms, decided_at=decided_at, reviewer=reviewer)
    corrections = tuple(rows.draw())
    return CheckedReview(
        problems=tuple(rows.problems),
        corrections=() if rows.problems else corrections,
        n_open=len(book.items) - len(corrections),
    )


def _check_header(book: FilledBook) -> Iterator[ReviewProblem]:
    """The columns have to stand where they stood: an id beside another row's output looks right and is not."""
    found = [render_plain(cell).strip() for cell in book.header]
    names = [column.name for column in book.meta.columns]
    for place, name in enumerate(names):
        there = found[place] if place < len(found) else ""
        if there == name:
            continue
        what = f"{name!r} belongs here, and {repr(there) if there else 'nothing'} stands here."
        if name in found:
            remedy = "Columns were moved: put them back in their order."
        elif there in names or not there:
            remedy = "A column is missing: put it back."
        else:
            remedy = f"The column was renamed: call it {name!r} again."
        yield _build(book, HEADER_ROW, what, remedy, column=place, name=there)
    for place, there in enumerate(found[len(names) :], start=len(names)):
        if there:
            what = f"the workbook has no column {there!r}."
            remedy = "Take it out; notes belong into `note`."
            yield _build(book, HEADER_ROW, what, remedy, column=place, name=there)


def _build(
    book: FilledBook,
    row: int,
    what: str,
    remedy: str = "",
    *,
    column: int | None = None,
    name: str | None = None,
) -> ReviewProblem:
    if name is None and column is not None and column < len(book.meta.columns):
        name = book.meta.columns[column].name
    return ReviewProblem(
        sheet=book.sheet, row=row, column=column, name=name, what=what, remedy=remedy
    )


@dataclass(slots=True, kw_only=True)
class _Rows:
    """A walk through the rows below the header."""

    book: FilledBook
    forms: Sequence[OutputForm]
    decided_at: datetime
    reviewer: str
    problems: list[ReviewProblem] = field(default_factory=list[ReviewProblem])

    def draw(self) -> Iterator[Correction]:
        """The decisions; what is wrong with others is put down."""
        items = {str(item.work_id): item for item in self.book.items}
        seen: dict[str, int] = {}
        for row in self.book.rows:
            if not any(render_plain(cell).strip() for cell in row.cells):
                continue
            row = self._fit(row)  # noqa: PLW2901 -- the same row, as wide as the header
            item = self._find_item(row, items, seen)
            if item is not None:
                correction = self._read_decision(row, item)
                if correction is not None:
                    yield correction

    def _fit(self, row: FilledRow) -> FilledRow:
        """The row as wide as the header; what stands right of it is a problem."""
        n_columns = len(self.book.meta.columns)
        for place, cell in enumerate(row.cells[n_columns:], start=n_columns):
            if render_plain(cell).strip():
                what = "there is a value right of the last column."
                self._add(row, what, "Take it out; notes belong into `note`.", column=place)
        cells = (*row.cells, *[None] * n_columns)[:n_columns]
        return FilledRow(number=row.number, cells=cells)

    def _find_item(
        self, row: FilledRow, items: dict[str, ExportedItem], seen: dict[str, int]
    ) -> ExportedItem | None:
        """The item that a row is about, where it is the first and only one about it."""
        at = self._find("work_id")
        name = render_plain(row.cells[at]).strip()
        is_added = row.number >= FIRST_ROW + self.book.meta.n_items
        if not name and is_added:
            self._add(row, "this row was added: it is about no item.", "Take it out.")
        elif not name:
            self._add(row, "the id is missing.", "Put it back.", column=at)
        elif name not in items:
            what = f"{name!r} is the id of no item of this workbook."
            remedy = "This row was added: take it out." if is_added else "Put the id back."
            self._add(row, what, remedy, column=at)
        elif name in seen:
            what = f"the item {name!r} stands in row {seen[name]} already."
            self._add(row, what, "Keep one of the two.", column=at)
        else:
            seen[name] = row.number
            return self._check_locked(row, items[name])
        return None

    def _check_locked(self, row: FilledRow, item: ExportedItem) -> ExportedItem | None:
        at = self._find("input_sha256")
        if render_plain(row.cells[at]).strip() != item.input_sha256:
            what = "the hash of the item's input was changed, so it may be about another row."
            self._add(row, what, EXPORT_AGAIN, column=at)
            return None
        if hash_locked(row.cells, self.book.meta.columns) != item.locked_sha256:
            what = "a locked cell was changed: the row does not show the item that its id names."
            self._add(row, what, f"Undo that, or leave the row out. {EXPORT_AGAIN}")
            return None
        return item

    def _read_decision(self, row: FilledRow, item: ExportedItem) -> Correction | None:
        columns = self.book.meta.columns
        edits = find_edits(row.cells, columns, item.output)
        at = self._find("decision")
        said = render_plain(row.cells[at]).strip()
        decision: Decision | None = next((each for each in DECISIONS if each == said.lower()), None)
        if said and decision is None:
            remedy = f"{suggest(said.lower(), DECISIONS)} Write {', '.join(DECISIONS[:-1])} or {DECISIONS[-1]}."
            self._add(row, f"{said!r} is no decision.", remedy.strip(), column=at)
        elif decision is None and (edits or self._read(row, "note")):
            where = f"column {columns[edits[0]].name!r} was edited" if edits else "there is a note"
            remedy = "Write what you decided, or undo that."
            self._add(row, f"{where}, and the decision is empty.", remedy, column=at)
        elif decision is not None:
            return self._build_correction(row, item, decision, edits)
        return None

    def _build_correction(
        self, row: FilledRow, item: ExportedItem, decision: Decision, edits: tuple[int, ...]
    ) -> Correction | None:
        n_before = len(self.problems)
        reviewer = self._read(row, "reviewer") or self.reviewer
        if not reviewer:
            at = self._find("reviewer")
            self._add(row, "nobody is named who decided.", "Write your name.", column=at)
        output = None
        if decision == "edit":
            output = self._read_edited(row, item, edits)
        else:
            self._refuse_edits(row, decision, edits)
        if decision == "approve":
            self._check_approved(row, item)
            output = item.output
        if len(self.problems) > n_before:
            return None
        meta = self.book.meta
        return Correction(
            task=meta.task,
            batch=meta.batch,
            key_kind=meta.key_kind,
            key=item.key,
            input_columns=meta.input_columns,
            input_sha256=item.input_sha256,
            decision=decision,
            output=output,
            note=self._read(row, "note"),
            reviewer=reviewer,
            decided_at=self.decided_at,
            source=CorrectionSource(file=self.book.file, sha256=self.book.sha256, row=row.number),
        )

    def _refuse_edits(self, row: FilledRow, decision: Decision, edits: tuple[int, ...]) -> None:
        for place in edits:
            what = f"the output was edited, and the decision is {decision!r}."
            remedy = "Write 'edit' to publish the change, or undo it."
            self._add(row, what, remedy, column=place)

    def _read_edited(
        self, row: FilledRow, item: ExportedItem, edits: tuple[int, ...]
    ) -> dict[str, JsonValue] | None:
        columns = self.book.meta.columns
        if not edits:
            at = self._find("decision")
            remedy = "Change the output, or write 'approve'."
            self._add(row, "the decision is 'edit', and nothing was edited.", remedy, column=at)
            return None
        edited = build_edited_output(
            row.cells, columns, edits=edits, output=item.output, forms=self.forms
        )
        for problem in edited.problems:
            what = problem.what
            self._add(row, what, "Write a value that fits the schema.", column=problem.column)
        return edited.output

    def _check_approved(self, row: FilledRow, item: ExportedItem) -> None:
        at = self._find("decision")
        if item.output is None:
            remedy = "Write the output and 'edit', or 'reject'."
            self._add(row, "there is no output to approve.", remedy, column=at)
            return
        for problem in check_output(item.output, self.forms).problems:
            if not problem.is_certain:
                continue
            place = find_column(self.book.meta.columns, problem.path)
            what = (
                f"the schema has changed since, and does not accept this output: {problem.sentence}"
            )
            self._add(row, what, EXPORT_AGAIN, column=at if place is None else place)

    def _read(self, row: FilledRow, role: ColumnRole) -> str:
        cell: Cell = row.cells[self._find(role)]
        return render_plain(cell).strip()

    def _find(self, role: ColumnRole) -> int:
        return next(at for at, each in enumerate(self.book.meta.columns) if each.role == role)

    def _add(
        self, row: FilledRow, what: str, remedy: str = "", *, column: int | None = None
    ) -> None:
        self.problems.append(_build(self.book, row.number, what, remedy, column=column))
