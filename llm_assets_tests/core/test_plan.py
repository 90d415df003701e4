from llm_assets.core.item_replay import replay_items
from llm_assets.core.plan import build_plan, select_due
from llm_assets.core.plan_calls import count_calls
from llm_assets.core.plan_cost import build_estimate
from llm_assets.core.plan_reasons import Reason
from llm_assets_tests.core.builders import (
    BAD,
    GOOD,
    Ledger,
    Model,
    build_answer,
    build_chains,
    build_item,
    build_label_step,
)

STEP = build_label_step()
NOTHING = build_estimate((), is_guess=True, is_approximate=True)


def build_states():
    """Two finished items with the same answer, one whose second call is missing, three new ones, two of them equal."""
    finished = [build_item("done", number=number) for number in (1, 2)]
    tried = build_item("tried", number=3)
    new = [build_item(text, number=number) for text, number in (("x", 4), ("x", 5), ("y", 6))]
    ledger = Ledger()
    ledger.run(STEP, finished, Model(build_answer(GOOD)).answer)
    ledger.run(build_label_step(attempts=1), [tried], Model(build_answer(BAD)).answer)
    items = [finished[0], new[0], tried, finished[1], *new[1:]]
    return build_chains(replay_items(STEP, items, ledger.find_answers))


def plan(*, limit=None, foreseen=frozenset()):
    chains = build_states()
    due = select_due(chains, limit=limit, foreseen=foreseen)
    reasons: list[Reason] = ["failed_before" if chain.answers else "new" for _, chain in due.chosen]
    states = [state for _, chain in due.chosen for state in chain.states if state is not None]
    calls = count_calls(STEP, states, reasons)
    return build_plan(chains, due, reasons=reasons, calls=calls, estimate=NOTHING)


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


def test_items_are_counted_by_reason_in_one_order():
    """Every item that runs has one reason; reasons come in their documented order, without empty ones."""
    assert plan().reasons == (("new", 3), ("failed_before", 1))
    assert plan(limit=1).reasons == (("new", 1),)


def test_limit_leaves_out_the_last_due_items():
    """A limit takes the first items that are due, not the first of all, and says how many it leaves."""
    states = build_states()

    def list_places(limit):
        return [place for place, _ in select_due(states, limit=limit).chosen]

    assert [list_places(limit) for limit in (None, 2, 0)] == [[1, 2, 4, 5], [1, 2], []]
    assert select_due(states, limit=2).n_left_out == 2
    counted = plan(limit=2)
    assert (counted.n_to_run, counted.n_left_out, counted.n_calls_to_send) == (2, 2, 2)


def test_calls_of_an_earlier_run_are_foreseen():
    """What a run before this one sends is on record when this one comes, and is due no more."""
    (shared,) = build_states()[1].next_keys
    counted = plan(foreseen=frozenset({shared}))
    assert (counted.n_answered, counted.n_to_run, counted.n_calls_to_send) == (4, 2, 2)
    limited = plan(foreseen=frozenset({shared}), limit=1)
    assert (limited.n_to_run, limited.n_left_out) == (1, 1)
