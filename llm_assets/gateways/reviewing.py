"""How the decisions in a workbook that a person filled in are taken in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from llm_assets.core.corrections import DECISIONS, Decision
from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.output_forms import OutputForm
from llm_assets.core.review_checks import check_review
from llm_assets.core.review_problems import build_review_error
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.filled_workbook import read_review_workbook
from llm_assets.gateways.ledger.corrections import open_corrections


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenReview:
    """What a workbook brought."""

    file: str
    batch: BatchKey
    """The one it was made from."""
    decisions: Mapping[Decision, int]
    """Those in the workbook, of every kind; 0 where there is none."""
    n_added: int
    n_known: int
    """Decisions that stood so already."""
    n_open: int
    """Items of the workbook that nobody decided on yet."""
    taken_in_at: datetime | None
    """When this very file was taken in before, so that nothing was added; None where it was not."""


def import_review(
    path: Path,
    *,
    shown: str,
    task: TaskName,
    forms: Sequence[OutputForm],
    ledger_url: str,
    clock: Clock,
    reviewer: str = "",
) -> TakenReview:
    """Check a workbook and keep its decisions, all or none.

    `forms` are those of the task's steps in their order; `reviewer` stands where a row names nobody. `InputError` tells
    everything that is wrong with the workbook, with sheet, row and column.
    """
    book = read_review_workbook(path, shown=shown)
    checked = check_review(
        book, task=task, forms=forms, decided_at=clock.get_now(), reviewer=reviewer
    )
    if checked.problems:
        raise build_review_error(shown, checked.problems)
    counts = Counter(correction.decision for correction in checked.corrections)
    with open_corrections(ledger_url) as store:
        addition = store.add(checked.corrections)
    return TakenReview(
        file=book.file,
        batch=book.meta.batch,
        decisions={decision: counts[decision] for decision in DECISIONS},
        n_added=addition.n_added,
        n_known=addition.n_known,
        n_open=checked.n_open,
        taken_in_at=addition.taken_in_at,
    )
