"""Where workbooks that people filled in arrive, and what becomes of each of them."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llm_assets.core.ids import BatchKey
from llm_assets.errors import InputError
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.gating import load_output_forms
from llm_assets.gateways.project import Project
from llm_assets.gateways.reviewing import TakenReview, import_review
from llm_assets.gateways.tables.whole_file import write_whole_text
from llm_assets.gateways.tasks import Task

ENDING = ".xlsx"
PROBLEMS_ENDING = ".problems.txt"
"""Of the note that lies beside a workbook that was not taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedReview:
    """A workbook of which nothing was taken in."""

    file: str
    problem: str
    """Everything that is wrong with it, and where."""


def find_review_folder(task: Task, project: Project) -> Path:
    """Where people put the workbooks they filled in: `data/reviews/<task>`."""
    return project.reviews / task.name


def list_reviews(task: Task, project: Project) -> dict[BatchKey, Path]:
    """The workbooks in the folder by their names; those that a spreadsheet program has open beside them are none."""
    folder = find_review_folder(task, project)
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return {
        BatchKey(path.name): path
        for path in found
        if path.suffix.lower() == ENDING
        and not path.name.startswith(("~$", "."))
        and path.is_file()
    }


def take_review(
    task: Task, project: Project, path: Path, *, clock: Clock, reviewer: str = ""
) -> TakenReview:
    """Check a workbook against the schema module as it is now, and keep its decisions, all or none.

    `InputError` tells everything that is wrong with it.
    """
    return import_review(
        path,
        shown=project.show(path),
        task=task.name,
        forms=load_output_forms(task, project),
        ledger_url=project.ledger_url,
        clock=clock,
        reviewer=reviewer,
    )


def take_arrived_review(
    task: Task, project: Project, path: Path, *, clock: Clock
) -> TakenReview | RefusedReview:
    """The same for a workbook that nobody waits for: what is wrong with it is put down beside it."""
    note = path.with_suffix(PROBLEMS_ENDING)
    try:
        taken = take_review(task, project, path, clock=clock)
    except InputError as exc:
        write_whole_text(note, f"{exc}\n")
        return RefusedReview(file=path.name, problem=str(exc))
    with suppress(OSError):  # a note that stays tells of what was mended; the decisions are kept
        note.unlink(missing_ok=True)
    return taken
