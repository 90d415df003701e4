from llm_assets.core.item_replay import replay_items
from llm_assets_tests.core.builders import (
    BAD,
    GOOD,
    Ledger,
    Model,
    build_answer,
    build_item,
    build_label_step,
)

STEP = build_label_step(attempts=3)
ONCE = (build_answer(GOOD),)
THIRD_TIME = (build_answer(BAD), build_answer(BAD), build_answer(GOOD))


def fill(items, *script):
    ledger = Ledger()
    ledger.run(STEP, items, Model(*script).answer)
    ledger.looked_up.clear()
    return ledger


def count_looked_up(ledger):
    return [len(keys) for keys in ledger.looked_up if keys]


def replay(ledger, items, step=STEP):
    return replay_items(step, items, ledger.find_answers)


def test_nothing_on_record():
    """Without answers every item stands before its first call, in order."""
    items = [build_item(text) for text in "cab"]
    states = replay(Ledger(), items)
    assert [state.item for state in states] == items
    assert all(state.output is None and state.answers == () for state in states)
    assert len({state.next_key for state in states}) == 3


def test_no_items():
    """An empty batch looks nothing up."""
    ledger = Ledger()
    assert replay(ledger, []) == ()
    assert ledger.looked_up == []


def test_finished_items_are_at_their_end():
    """Items whose answers are all on record have their output and no next call."""
    items = [build_item(text) for text in "abc"]
    states = replay(fill(items, *THIRD_TIME), items)
    assert [state.next_key for state in states] == [None] * 3
    assert {state.output.outcome for state in states if state.output} == {"accepted"}
    assert [len(state.answers) for state in states] == [3] * 3


def test_one_look_up_a_round():
    """However many items there are, each round of calls is looked up once, and only what a round needs."""
    quick, slow, new = (build_item(text) for text in ("quick", "slow", "new"))
    ledger = fill([quick], *ONCE)
    ledger.answers |= fill([slow], *THIRD_TIME).answers
    replay(ledger, [quick, slow, new])
    assert count_looked_up(ledger) == [3, 1, 1]


def test_identical_calls_are_looked_up_once():
    """Rows with the same words share one look-up and get the same answer."""
    items = [build_item("same", number=number, occurrence=number) for number in range(50)]
    ledger = fill(items[:1], *THIRD_TIME)
    states = replay(ledger, items)
    assert count_looked_up(ledger) == [1, 1, 1]
    assert [state.output.work_id for state in states if state.output] == [
        f"w{number}" for number in range(50)
    ]


def test_items_stop_where_their_answers_stop():
    """An interrupted item keeps the answers it has and stands before the call that is missing."""
    item = build_item()
    ledger = fill([item], *THIRD_TIME)
    last = list(ledger.answers)[-1]
    del ledger.answers[last]
    (state,) = replay(ledger, [item])
    assert (state.next_key, len(state.answers), state.output) == (last, 2, None)


def test_order_and_neighbours_do_not_matter():
    """An item gets as far in any batch, at any place."""
    items = [build_item(text) for text in "abcd"]
    ledger = fill(items[1:3], *THIRD_TIME)
    assert replay(ledger, items[::-1]) == replay(ledger, items)[::-1]


def test_failed_items_go_on_or_rest():
    """Used-up attempts are followed by fresh ones, unless failed items are left alone."""
    item = build_item()
    ledger = fill([item], build_answer(BAD))
    (state,) = replay(ledger, [item])
    assert (len(state.answers), state.output) == (3, None)
    (state,) = replay(ledger, [item], build_label_step(attempts=3, retry_failed=False))
    assert state.next_key is None
    assert state.output
    assert state.output.outcome == "invalid"
