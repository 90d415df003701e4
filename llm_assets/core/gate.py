"""Which way each item goes: it is published, waits for a person, was turned down by one, or failed.

A person's decision wins over the model's answer, also where there is none. Otherwise an accepted output is published
where its number reaches the gate's. The comparison is exact.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Literal

from pydantic import JsonValue

from llm_assets.core.corrections import Correction, Corrections
from llm_assets.core.export import read_path
from llm_assets.core.gate_rule import GateRule
from llm_assets.core.ids import GroupKey, RowId, WorkId
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs
from llm_assets.core.values import FROZEN_RECORD, CollectionMeta
from llm_assets.core.work_items import WorkItems
from llm_assets.errors import StorageError

Route = Literal["published", "review_queue", "turned_down", "failed"]
"""`review_queue`: accepted, but below the gate. `turned_down`: a person rejected it. `failed`: neither the model nor
a person gave an output that counts."""
ROUTES: tuple[Route, ...] = ("published", "review_queue", "turned_down", "failed")

Origin = Literal["model", "person"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """Which way one item goes, and why."""

    __pydantic_config__: ClassVar = FROZEN_RECORD

    work_id: WorkId
    row_ids: tuple[RowId, ...]
    group_key: GroupKey | None
    route: Route
    value: int | float | None
    """What the gate looked at in the model's output; None where there is no number."""
    threshold: float
    """What it had to reach."""
    why: str
    origin: Origin
    """Who decided."""
    reviewer: str | None
    """The person, where one decided."""


class GateMeta(CollectionMeta):
    """How the items of a batch went."""

    format_version: Literal[1] = 1
    field: str
    """As the config names it."""
    at_least: float
    routes: dict[Route, int]
    """Every route, those that nothing went with 0."""
    n_by_people: int
    """Items that a person decided on."""
    n_outdated: int
    """Items with a person's decision that their own row has outgrown."""

    @property
    def n_published_by_people(self) -> int:
        """Published items that a person approved or wrote; whatever else a person decides is a rejection."""
        return self.n_by_people - self.routes["turned_down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecisions:
    """The way of every item of a batch, in item order."""

    meta: GateMeta
    records: tuple[GateDecision, ...]


def build_gate(
    outputs: LLMOutputs, items: WorkItems, *, corrections: Corrections, rule: GateRule
) -> GateDecisions:
    """Decide each item's way; `corrections` are those of the same items.

    `StorageError` where the outputs are not those of the items: decisions of people would be passed over.
    """
    _check_items(outputs, items)
    applied, outdated = corrections.find("applied"), corrections.find("outdated")
    records = tuple(
        decide_route(
            item,
            rule,
            correction=applied.get(item.work_id),
            outdated=outdated.get(item.work_id),
        )
        for item in outputs.records
    )
    routes = [record.route for record in records]
    return GateDecisions(
        meta=GateMeta(
            field=rule.field,
            at_least=rule.at_least,
            routes={route: routes.count(route) for route in ROUTES},
            n_by_people=sum(record.origin == "person" for record in records),
            n_outdated=len(outdated),
        ),
        records=records,
    )


def _check_items(outputs: LLMOutputs, items: WorkItems) -> None:
    answered = [item.work_id for item in outputs.records]
    if answered != [item.work_id for item in items.records]:
        raise StorageError(
            "The stored outputs are not those of the stored work items; nothing was sorted.",
            remedy="Run the task again for this batch; calls that were answered are not repeated.",
        )


def decide_route(
    item: ItemOutput,
    rule: GateRule,
    *,
    correction: Correction | None = None,
    outdated: Correction | None = None,
) -> GateDecision:
    """The way of one item. `outdated` is a decision that no longer applies, for the reason's sake alone."""
    value = read_number(item.output, rule.path)
    if correction is not None:
        route: Route = "turned_down" if correction.decision == "reject" else "published"
        why = _explain_person(correction)
    elif item.outcome != "accepted":
        route, why = "failed", f"{item.outcome}: {item.reason or 'there is no accepted output'}"
    else:
        is_passed = value is not None and reaches(value, rule.at_least)
        route = "published" if is_passed else "review_queue"
        why = _explain_value(value, rule, is_passed=is_passed)
    if outdated is not None:
        why += f" {render_outdated(outdated)}"
    return GateDecision(
        work_id=item.work_id,
        row_ids=item.row_ids,
        group_key=item.group_key,
        route=route,
        value=_round_off(value),
        threshold=rule.at_least,
        why=why,
        origin="model" if correction is None else "person",
        reviewer=None if correction is None else correction.reviewer,
    )


def read_number(
    output: Mapping[str, JsonValue] | None, path: tuple[str, ...]
) -> int | float | Decimal | None:
    """The finite number that a path leads to; None where there is none.

    True and false are no numbers. A text that spells a number is one: exact decimals are written so.
    """
    value = read_path(output, path)
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return number if number.is_finite() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def reaches(value: float | Decimal, at_least: float) -> bool:
    """Whether the number is the threshold or more, exactly; of a decimal number, the threshold as it is spelt."""
    if isinstance(value, Decimal):
        return value >= Decimal(repr(at_least))
    return value >= at_least


def render_outdated(correction: Correction) -> str:
    """Which decision a row has outgrown, in a sentence."""
    day = correction.decided_at.date().isoformat()
    return (
        f"What {correction.reviewer} decided on {day} ({correction.decision}) no longer applies: "
        "the row has changed since."
    )


def _explain_person(correction: Correction) -> str:
    done = {"approve": "Approved", "edit": "Edited", "reject": "Rejected"}[correction.decision]
    note = f": {correction.note}" if correction.note else "."
    return f"{done} by {correction.reviewer}{note}"


def _explain_value(value: float | Decimal | None, rule: GateRule, *, is_passed: bool) -> str:
    if value is None:
        return f"{rule.field} holds no number, which counts as below {rule.at_least}."
    return f"{rule.field} is {value}, {'at least' if is_passed else 'below'} {rule.at_least}."


def _round_off(value: float | Decimal | None) -> int | float | None:
    """The number as JSON can hold it."""
    number = float(value) if isinstance(value, Decimal) else value
    return number if number is None or math.isfinite(number) else None
