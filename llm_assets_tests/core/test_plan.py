from decimal import Decimal

import pytest

from llm_assets.core.item_replay import replay_items
from llm_assets.core.plan import (
    GUESSED_COMPLETION_TOKENS,
    build_plan,
    estimate_tokens,
    select_due,
)
from llm_assets_tests.core.builders import (
    BAD,
    GOOD,
    Ledger,
    Model,
    build_answer,
    build_item,
    build_label_step,
)

STEP = build_label_step()


def build_states():
    """Two finished items with the same answer, one whose second call is missing, three new ones, two of them equal."""
    finished = [build_item("done", number=number) for number in (1, 2)]
    tried = build_item("tried", number=3)
    new = [build_item(text, number=number) for text, number in (("x", 4), ("x", 5), ("y", 6))]
    ledger = Ledger()
    ledger.run(STEP, finished, Model(build_answer(GOOD)).answer)
    ledger.run(build_label_step(attempts=1), [tried], Model(build_answer(BAD)).answer)
    return replay_items(
        STEP, [finished[0], new[0], tried, finished[1], *new[1:]], ledger.find_answers
    )


def plan(*, limit=None, cost: str | None = "0.01"):
    states = build_states()
    return build_plan(
        states,
        select_due(states, limit=limit),
        cost_per_call_usd=None if cost is None else Decimal(cost),
        is_approximate=True,
    )


def test_plan_counts_items_and_calls():
    """Finished items are answered, equal requests are one call, answers on record are counted once."""
    counted = plan()
    assert (counted.n_items, counted.n_answered, counted.n_to_run, counted.n_left_out) == (
        6,
        2,
        4,
        0,
    )
    assert (counted.n_calls_to_send, counted.n_calls_reused) == (3, 2)
    assert counted.is_approximate


def test_limit_leaves_out_the_last_due_items():
    """A limit takes the first items that are due, not the first of all, and says how many it leaves."""
    states = build_states()
    assert [place for place, _ in select_due(states, limit=None)] == [1, 2, 4, 5]
    assert [place for place, _ in select_due(states, limit=2)] == [1, 2]
    assert select_due(states, limit=0) == ()
    counted = plan(limit=2)
    assert (counted.n_to_run, counted.n_left_out, counted.n_calls_to_send) == (2, 2, 2)


def test_cost_is_of_the_calls_to_send():
    """The expected cost is exact for each call that will be sent, and unknown where the price is."""
    assert plan().expected_cost_usd == Decimal("0.03")
    assert plan(limit=1).expected_cost_usd == Decimal("0.01")
    assert plan(cost=None).expected_cost_usd is None


@pytest.mark.parametrize(
    ("lengths", "cap", "n_tokens"),
    [
        ([10, 20], None, 15),
        ([10, 20], 5, 15),
        ([], None, GUESSED_COMPLETION_TOKENS),
        ([], 50, 50),
        ([], 5_000, GUESSED_COMPLETION_TOKENS),
    ],
)
def test_length_of_an_answer(lengths, cap, n_tokens):
    """Answers on record say how long the next one will be; else a guess within the cap does."""
    assert estimate_tokens(lengths, cap=cap) == n_tokens
