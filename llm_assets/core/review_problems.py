"""How everything that is wrong with a filled workbook is told at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_assets.core.number_words import render_count
from llm_assets.core.table import render_letters
from llm_assets.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewProblem:
    """One thing that is wrong, and where."""

    sheet: str
    row: int
    """In the sheet, from 1."""
    column: int | None
    """From 0; None where the whole row is meant."""
    name: str | None
    """What the header calls the column."""
    what: str
    remedy: str

    def render(self) -> str:
        """The problem in a line, its place first."""
        place = f"sheet {self.sheet!r}, row {self.row}"
        if self.column is not None:
            place += f", column {render_letters(self.column)}"
            place += f" ({self.name})" if self.name else ""
        return f"{place}: {self.what} {self.remedy}".strip()


def build_review_error(file: str, problems: Sequence[ReviewProblem]) -> InputError:
    """All problems of a workbook, in the order of its rows and columns."""
    ordered = sorted(
        problems, key=lambda each: (each.row, -1 if each.column is None else each.column)
    )
    lines = "\n  ".join(problem.render() for problem in ordered)
    n_problems = render_count(len(ordered), "problem")
    return InputError(
        f"{file} has {n_problems}; nothing was taken in:\n  {lines}\n ",
        remedy="Mend the workbook and put it in again.",
    )
