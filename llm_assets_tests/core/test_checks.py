from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from llm_assets.config.checks import BudgetRule, ShareRule
from llm_assets.config.grouping import Mode
from llm_assets.config.task import BudgetSettings
from llm_assets.core.checks import (
    decide_duplicates,
    decide_failed_items,
    decide_lines_complete,
    decide_records_complete,
    decide_valid_outputs,
    decide_within_budget,
)
from llm_assets.core.ids import GroupContextId, RowId, Sha256, WorkId
from llm_assets.core.images import ImageInput
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.llm_outputs import (
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    Outcome,
    build_totals,
)
from llm_assets.core.run_summary import RunSummary
from llm_assets.core.work_items import WorkItem
from llm_assets_tests.pictures import build_file


class Score(BaseModel):
    model_config = ConfigDict(extra="forbid")

    score: int = Field(le=10)


def build_snapshot(n_rows: int) -> InputSnapshot:
    """Row `r1` stands on line 2, and so on."""
    return InputSnapshot(
        meta=InputMeta(
            input_path="data/in.csv",
            sha256=Sha256("0"),
            format="csv",
            encoding="utf-8",
            n_rows=n_rows,
            n_cols=0,
            columns=(),
            n_nulls=0,
        ),
        records=tuple(
            InputRow(row_id=RowId(f"r{n}"), line=n + 1, values={}) for n in range(1, n_rows + 1)
        ),
    )


def build_work_items(*shown: object, contexts: Sequence[str] = ()) -> list[WorkItem]:
    return [
        WorkItem(
            work_id=WorkId(f"w{n}"),
            row_ids=(RowId(f"r{n}"),),
            group_key=None,
            group_context_id=GroupContextId(contexts[n - 1]) if contexts else None,
            values={"text": value},  # pyright: ignore[reportArgumentType] -- any cell
            occurrence=0,
            cuts=(),
        )
        for n, value in enumerate(shown, start=1)
    ]


def build_record(
    number: int, *, outcome: Outcome = "accepted", score: int = 1, rows: Sequence[int] = ()
) -> ItemOutput:
    return ItemOutput(
        work_id=WorkId(f"w{number}"),
        row_ids=tuple(RowId(f"r{row}") for row in rows or [number]),
        group_key=None,
        group_context_id=None,
        outcome=outcome,
        output={"score": score} if outcome == "accepted" else None,
        verdict=None,
        reason=None,
        attempts=(),
        accepted_at=None,
    )


def build_outputs(*records: ItemOutput) -> LLMOutputs:
    meta = LLMOutputsMeta(
        endpoint="office",
        model="m-1",
        is_rehearsal=False,
        prompt_path="p.yaml",
        prompt_sha256=Sha256("1"),
        schema_sha256=Sha256("2"),
        judge_model=None,
        judge_prompt_sha256=None,
        structured_output="json_schema",
        parameters={},
        totals=build_totals(records),
    )
    return LLMOutputs(meta=meta, records=records)


def build_summary(
    *, cost_usd: str = "0", n_tokens: int = 0, n_over_budget: int = 0, cost_is_known: bool = True
) -> RunSummary:
    return RunSummary(
        n_items=10,
        outcomes={"accepted": 10 - n_over_budget, "over_budget": n_over_budget},
        calls_sent=1,
        calls_reused=0,
        prompt_tokens=n_tokens,
        completion_tokens=0,
        cost_usd=Decimal(cost_usd),
        cost_is_known=cost_is_known,
        faults={},
        latency_p50_seconds=None,
        latency_p95_seconds=None,
        latency_max_seconds=None,
        elapsed_seconds=0.0,
    )


DUPLICATES = {
    "none": (("a", "b", "c"), (), 0.0, True, 0),
    "one, and none may": (("a", "b", "a"), (), 0.3, False, 1),
    "one in three, and a third may": (("a", "b", "a"), (), 0.34, True, 1),
    "all the same": (("a", "a", "a"), (), 0.5, False, 2),
    "no items": ((), (), 0.0, True, 0),
    "the same in another group": (("a", "a"), ("c1", "c2"), 0.0, True, 0),
    "the same in one group": (("a", "a"), ("c1", "c1"), 0.0, False, 1),
    "equal to Python, not to a model": ((1, True, 1.0, "1"), (), 0.0, True, 0),
}


@pytest.mark.parametrize("case", DUPLICATES)
def test_duplicates_are_items_that_show_the_model_the_same(case: str):
    """What counts is what the model sees, with the group's context; a share of them may pass."""
    shown, contexts, max_share, is_passed, n_duplicates = DUPLICATES[case]
    items = build_work_items(*shown, contexts=contexts)
    found = decide_duplicates(items, build_snapshot(4), ShareRule(max_share=max_share))
    assert (found.is_passed, found.numbers["duplicates"]) == (is_passed, n_duplicates)


def test_items_with_other_pictures_are_no_duplicates():
    """The same words beside another picture are another item; the same bytes under another name are the same."""
    pictures = [("a.png", "a"), ("b.png", "b"), ("c.png", "a")]
    items = [
        replace(item, images=(ImageInput(column="scan", source=name, file=build_file(digit)),))
        for item, (name, digit) in zip(build_work_items("x", "x", "x"), pictures, strict=True)
    ]
    found = decide_duplicates(items, build_snapshot(4), ShareRule(max_share=0.34))
    assert (found.is_passed, found.numbers["duplicates"]) == (True, 1)


def test_duplicates_are_told_with_their_share_and_the_first_place():
    """The sentence leads a person to the line in the table."""
    items = build_work_items("a", "b", "a", "a")
    found = decide_duplicates(items, build_snapshot(4), ShareRule(max_share=0.05))
    assert found.sentence == (
        "2 of 4 items show the model exactly the same as an earlier one (50%; up to 5% may). "
        "The first is on line 4 of data/in.csv."
    )
    assert dict(found.numbers) == {"items": 4, "duplicates": 2, "share": 0.5, "max_share": 0.05}


RECORDS = {
    "all": ((1, 2, 3), True, "3 items, each with its record, in their order."),
    "one missing": ((1, 3), False, "1 of 3 items without a record."),
    "a foreign one": ((1, 2, 3, 4), False, "0 of 3 items without a record and 1 record too many."),
    "one twice": ((1, 2, 2, 3), False, "0 of 3 items without a record and 1 record too many."),
    "one in place of another": (
        (1, 2, 9),
        False,
        "1 of 3 items without a record and 1 record too many.",
    ),
    "another order": ((2, 1, 3), False, "3 items, each with its record, but in another order."),
}


@pytest.mark.parametrize("case", RECORDS)
def test_every_item_has_one_record_in_its_place(case: str):
    """A record that is missing, foreign, doubled or elsewhere breaks the promise, and is counted."""
    numbers, is_passed, sentence = RECORDS[case]
    found = decide_records_complete(
        [build_record(number) for number in numbers], build_work_items("a", "b", "c")
    )
    assert (found.is_passed, found.sentence) == (is_passed, sentence)


ROWS = (build_record(1), build_record(2, outcome="invalid"), build_record(3))
GROUPS = (build_record(1, rows=(1, 3)), build_record(2, rows=(2,)))
SHARED = (build_record(1, rows=(1, 3)), build_record(2))
LINES: dict[str, tuple[Mode, tuple[ItemOutput, ...], bool, tuple[int, ...], bool]] = {
    "rows": ("row", ROWS, False, (1, 2, 3), True),
    "a row left out": ("row", ROWS, False, (1, 3), False),
    "rows in another order": ("row", ROWS, False, (3, 2, 1), False),
    "accepted ones alone": ("row", ROWS, True, (1, 3), True),
    "a failed one among the accepted": ("row", ROWS, True, (1, 2, 3), False),
    "an accepted one left out": ("row", ROWS, True, (1,), False),
    "an item of two rows": ("row", SHARED, False, (1, 2, 1), True),
    "groups": ("group_output", GROUPS, False, (1, 2), True),
    "a group left out": ("group_output", GROUPS, False, (1,), False),
}


@pytest.mark.parametrize("case", LINES)
def test_every_row_or_group_has_its_line_in_the_export(case: str):
    """Rows in are rows out, in their order; `only_accepted` leaves out the others and no more."""
    mode, records, only_accepted, numbers, is_passed = LINES[case]
    found = decide_lines_complete(
        [WorkId(f"w{number}") for number in numbers],
        snapshot=build_snapshot(3),
        outputs=build_outputs(*records),
        mode=mode,
        only_accepted=only_accepted,
    )
    assert found.is_passed is is_passed


def test_accepted_outputs_are_validated_once_more():
    """One that the schema does not take is told with its line and what is wrong; failed items have nothing to validate."""
    records = (build_record(1), build_record(2, outcome="refused"), build_record(3, score=11))
    found = decide_valid_outputs(records, build_snapshot(3), Score)
    assert not found.is_passed
    assert found.sentence == (
        "1 of 2 accepted outputs are valid under the schema module. The first that is not answers "
        "line 4 of data/in.csv: `score`: Input should be less than or equal to 10."
    )
    assert dict(found.numbers) == {"accepted_outputs": 2, "invalid": 1, "not_told": 0}
    assert decide_valid_outputs(records[:2], build_snapshot(2), Score).is_passed


OUTCOMES: dict[str, tuple[dict[Outcome, int], float, bool, int]] = {
    "all accepted": ({"accepted": 10}, 0.0, True, 0),
    "one of ten": ({"accepted": 9, "invalid": 1}, 0.1, True, 1),
    "two of ten": ({"accepted": 8, "invalid": 1, "refused": 1}, 0.1, False, 2),
    "every kind of failure": (
        dict.fromkeys(("invalid", "rejected", "truncated", "refused", "failed", "blocked"), 1),
        0.99,
        False,
        6,
    ),
    "what was left out is no failure": (
        {"accepted": 1, "skipped": 8, "over_budget": 9},
        0,
        True,
        0,
    ),
    "what was left out is no success": ({"failed": 1, "skipped": 99}, 0.5, False, 1),
    "nothing was asked": ({"skipped": 3}, 0.0, True, 0),
    "no items": ({}, 0.0, True, 0),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_few_enough_items_may_fail(case: str):
    """The share is of the items that were not left out."""
    outcomes, max_share, is_passed, n_failed = OUTCOMES[case]
    found = decide_failed_items(outcomes, ShareRule(max_share=max_share))
    assert (found.is_passed, found.numbers["failed"]) == (is_passed, n_failed)


def test_failures_are_told_by_kind():
    """The sentence says how many of how many, of which kinds, and how many may."""
    outcomes: dict[Outcome, int] = {"accepted": 37, "invalid": 2, "refused": 1, "failed": 0}
    assert decide_failed_items(outcomes, ShareRule()).sentence == (
        "3 of 40 items have no accepted output: 2 invalid, 1 refused (7.5%; up to 5% may)."
    )


BUDGETS: dict[str, tuple[dict[str, int], dict[str, Any], float, bool]] = {
    "no budget": ({}, {}, 1.0, True),
    "within": ({"per_run_usd": 5}, {"cost_usd": "4.99"}, 1.0, True),
    "to the cent": ({"per_run_usd": 5}, {"cost_usd": "5"}, 1.0, True),
    "more than it may of the cap": ({"per_run_usd": 5}, {"cost_usd": "4.01"}, 0.8, False),
    "items left out": ({"per_run_usd": 5}, {"n_over_budget": 1}, 1.0, False),
    "items left out of the day": ({"per_day_usd": 5}, {"n_over_budget": 1}, 1.0, False),
    "tokens": ({"per_run_tokens": 100}, {"n_tokens": 81}, 0.8, False),
    "one cap of two": (
        {"per_run_usd": 5, "per_run_tokens": 100},
        {"cost_usd": "1", "n_tokens": 90},
        0.8,
        False,
    ),
}


@pytest.mark.parametrize("case", BUDGETS)
def test_a_budget_is_kept_where_nothing_is_left_out(case: str):
    """Items that a cap left out fail the check, and so does a run that took more of a cap than it may."""
    caps, run, max_share, is_passed = BUDGETS[case]
    found = decide_within_budget(
        build_summary(**run), BudgetSettings.model_validate(caps), BudgetRule(max_share=max_share)
    )
    assert found.is_passed is is_passed


@pytest.mark.parametrize(
    ("caps", "run", "sentence"),
    [
        ({}, {"n_tokens": 1200}, "The run spent $0.00 and 1,200 tokens. There is no budget."),
        (
            {"per_run_usd": 5},
            {"cost_usd": "1", "n_over_budget": 2},
            (
                "The run spent $1.00 and 0 tokens: 20% of $5.00 for a run (up to 100% may). "
                "The budget left 2 items out; a later run asks for them."
            ),
        ),
        (
            {"per_day_usd": 5},
            {"cost_usd": "1", "cost_is_known": False},
            "The run spent at least $1.00 and 0 tokens.",
        ),
    ],
)
def test_spending_is_told_in_money_and_tokens(caps, run, sentence):
    """A price that is not known makes the sum a lower bound, never nothing."""
    found = decide_within_budget(
        build_summary(**run), BudgetSettings.model_validate(caps), BudgetRule()
    )
    assert found.sentence == sentence
