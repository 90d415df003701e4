from dataclasses import replace

import pytest

from llm_assets.core.item_replay import replay_items
from llm_assets.core.plan_calls import count_calls
from llm_assets.core.plan_reasons import Reason
from llm_assets_tests.core.builders import (
    GOOD,
    Ledger,
    build_answer,
    build_item,
    build_label_step,
)
from llm_assets_tests.core.judges import build_judged_step


def build_row(text: str, team: str = "sales", *, number: int = 1):
    item = build_item(text, number=number)
    return replace(item, work=replace(item.work, values={"text": text, "team": team}))


def count(step, items, *, reason: Reason = "new", find_answers=lambda _: {}):
    due = [state for state in replay_items(step, items, find_answers) if state.next_key]
    reasons: list[Reason] = [reason] * len(due)
    return count_calls(step, due, reasons)


def test_equal_requests_are_one_call():
    """Without a judge, the calls are the distinct next calls."""
    items = [build_row(text, number=n) for n, text in enumerate("aab")]
    calls = count(build_label_step(), items)
    assert (calls.n_generate, calls.n_judge) == (2, 0)


@pytest.mark.parametrize(
    ("prompt", "n_judge"),
    [
        ("{{ output_json }} for {{ text }}", 1),
        ("{{ output_json }} for {{ team }}", 2),
        ("{{ row_block }}", 2),
    ],
)
def test_every_answer_has_its_verdict(prompt, n_judge):
    """Rows that share a call share its verdict, unless the judge is shown what differs between them."""
    calls = count(
        build_judged_step(prompt=prompt), [build_row("a"), build_row("a", "support", number=2)]
    )
    assert (calls.n_generate, calls.n_following, calls.n_judge) == (1, n_judge, n_judge)


def test_an_answer_that_waits_takes_a_verdict_only():
    """Where only the judge has changed, only the judge is asked."""
    items = [build_row(text, number=n) for n, text in enumerate("ab", start=1)]
    ledger = Ledger()
    step = build_judged_step()
    for state in replay_items(step, items, ledger.find_answers):
        assert state.next_key is not None
        ledger.answers[state.next_key] = build_answer(GOOD, key=state.next_key)
    calls = count(step, items, reason="judge_changed", find_answers=ledger.find_answers)
    assert (calls.n_generate, calls.n_waiting, calls.n_following, calls.n_judge) == (0, 2, 0, 2)


@pytest.mark.parametrize(
    ("reason", "n_sure"), [("new", 1), ("forced", 1), ("prompt_changed", 0), ("failed_before", 0)]
)
def test_a_verdict_may_be_on_record(reason, n_sure):
    """Another prompt may bring the old answer, whose verdict is known; a new row's answer has none."""
    calls = count(build_judged_step(), [build_row("a")], reason=reason)
    assert (calls.n_following, calls.n_following_sure) == (1, n_sure)


def test_failed_items_are_counted_as_calls():
    """Calls of items that failed before are told apart, because they may take all their attempts again."""
    items = [build_row("a"), build_row("a", number=2), build_row("b", number=3)]
    assert count(build_label_step(), items, reason="failed_before").n_failed == 2
    assert count(build_label_step(), items).n_failed == 0
