"""What the ledger of a project says was sent, read as any other program would read it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal

from llm_assets_tests.end_to_end.tiny_project import TinyProject


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSums:
    """Sums over all calls."""

    n_calls: int
    n_answered: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal
    n_by_fault: dict[str, int]


def read_call_sums(project: TinyProject) -> CallSums:
    """Add up every call on record."""
    with closing(sqlite3.connect(project.root / "data" / "ledger.sqlite")) as ledger:
        rows = ledger.execute(
            "select fault_kind, prompt_tokens, completion_tokens, cost_usd from calls"
        ).fetchall()
    answers = [row for row in rows if row[0] is None]
    faults = [row[0] for row in rows if row[0] is not None]
    return CallSums(
        n_calls=len(rows),
        n_answered=len(answers),
        prompt_tokens=sum(row[1] for row in answers),
        completion_tokens=sum(row[2] for row in answers),
        cost_usd=sum((Decimal(row[3]) for row in answers), Decimal(0)),
        n_by_fault={kind: faults.count(kind) for kind in set(faults)},
    )
