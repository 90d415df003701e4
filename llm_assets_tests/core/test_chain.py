from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.calls import Answer
from llm_assets.core.chain import (
    ReplayedChain,
    enter_step,
    group_identical,
    is_barred,
    list_ends,
    replay_chain,
)
from llm_assets.core.ids import CallKey, StepName
from llm_assets.core.item_loop import Ask, Done, advance
from llm_assets.core.item_origin import build_origin
from llm_assets.core.item_replay import ReplayedItem, replay_items
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import Outcome
from llm_assets.core.step import Step
from llm_assets_tests.core.builders import build_answer, build_item
from llm_assets_tests.core.chains import (
    FIRST,
    LINE,
    SECOND,
    THIRD,
    build_chain_steps,
    build_end_of,
)

STEPS = build_chain_steps()
FORK = {FIRST: (), SECOND: (FIRST,), THIRD: (FIRST,)}
FORKED = {THIRD: "third: {{ steps.first.label }}"}


class Record:
    """Answers by key; a model that turns each question into a label."""

    def __init__(self) -> None:
        self.answers: dict[CallKey, Answer] = {}

    def lead(self, step: Step, items: Sequence[Item]) -> Sequence[ReplayedItem]:
        return replay_items(step, items, self.find_answers)

    def find_answers(self, keys):
        return {key: self.answers[key] for key in keys if key in self.answers}

    def replay(self, steps, items, **given) -> tuple[ReplayedChain, ...]:
        return replay_chain(steps, items, self.lead, **given)

    def answer_next(self, steps, chain: ReplayedChain, *, text: str | None = None) -> int:
        """Put the answers of an item's next calls on record; how many there were."""
        n_answered = 0
        for step, state in zip(steps, chain.states, strict=True):
            if state is None or state.next_key is None:
                continue
            asked = advance(step, state.item, state.answers, n_known=len(state.answers))
            assert isinstance(asked, Ask)
            question = asked.request.messages[0].content
            answer = text or f'{{"label": "<{question}>"}}'
            self.answers[state.next_key] = build_answer(answer, key=state.next_key)
            n_answered += 1
        return n_answered


def read_outcomes(steps, chain: ReplayedChain) -> list[Outcome | None]:
    ends = list_ends(steps, chain)
    return [ends[step.name].outcome if step.name in ends else None for step in steps]


def test_a_later_step_reads_what_earlier_ones_answered():
    """Step by step the next call of the chain is known, and its words hold the answers before it."""
    record, items = Record(), [build_item("note")]
    for n_done in range(3):
        (chain,) = record.replay(STEPS, items)
        assert [state is None for state in chain.states] == [n > n_done for n in range(3)]
        assert len(chain.next_keys) == 1
        record.answer_next(STEPS, chain)
    (chain,) = record.replay(STEPS, items)
    assert chain.next_keys == ()
    assert len(chain.answers) == 3
    assert list_ends(STEPS, chain)[THIRD].output == {
        "label": "<third: <second: <first: note> of note>>"
    }


def test_steps_that_do_not_need_each_other_go_side_by_side():
    """In a fork both branches have their next call at the same time."""
    steps = build_chain_steps(after=FORK, prompts=FORKED)
    record, items = Record(), [build_item("note")]
    (chain,) = record.replay(steps, items)
    record.answer_next(steps, chain)
    (chain,) = record.replay(steps, items)
    assert len(chain.next_keys) == 2
    assert record.answer_next(steps, chain) == 2
    assert record.replay(steps, items)[0].next_keys == ()


def test_what_is_blocked_says_by_which_step():
    """A step without an accepted output bars all that comes after it, and no item but its own."""
    steps = build_chain_steps(attempts=1, retry_failed=False)
    record, items = Record(), [build_item("bad", number=1), build_item("good", number=2)]
    bad, _ = record.replay(steps, items)
    record.answer_next(steps, bad, text="no JSON")
    for _ in range(3):
        record.answer_next(steps, record.replay(steps, items)[1])
    bad, good = record.replay(steps, items)
    assert read_outcomes(steps, bad) == ["invalid", "blocked", "blocked"]
    assert read_outcomes(steps, good) == ["accepted"] * 3
    for name in (SECOND, THIRD):
        end = list_ends(steps, bad)[name]
        assert end.reason == "Step 'first' has no accepted output for this item: invalid."
        assert end.attempts == ()


@pytest.mark.parametrize(
    ("known", "is_waiting", "barred_by"),
    [
        ({}, True, None),
        ({FIRST: "accepted"}, True, None),
        ({FIRST: "invalid"}, True, None),
        ({FIRST: "accepted", SECOND: "accepted"}, False, None),
        ({FIRST: "failed", SECOND: "rejected"}, False, FIRST),
        ({FIRST: "accepted", SECOND: "skipped"}, False, SECOND),
    ],
)
def test_a_step_is_entered_when_all_before_it_are_at_their_ends(known, is_waiting, barred_by):
    """Waiting for all of them keeps the reason the same, whichever ends first; the first one in order is named."""
    ends = {name: build_end_of(outcome) for name, outcome in known.items()}
    entered = enter_step(STEPS[2], build_item(), ends)
    assert (entered is None) is is_waiting
    if barred_by is not None:
        assert isinstance(entered, ReplayedItem)
        assert entered.output is not None
        assert (entered.output.outcome, repr(barred_by) in str(entered.output.reason)) == (
            "blocked",
            True,
        )
    assert is_barred(STEPS[2], ends) is any(outcome != "accepted" for outcome in known.values())


def test_the_outputs_of_another_run_stand_for_its_steps():
    """A step alone reads what was stored of the steps before it."""
    given_ends = [{FIRST: build_end_of(label="a"), SECOND: build_end_of(label="b")}]
    (chain,) = Record().replay([STEPS[2]], [build_item("note")], given=given_ends)
    (state,) = chain.states
    assert state is not None
    asked = advance(STEPS[2], state.item, (), n_known=0)
    assert isinstance(asked, Ask)
    assert asked.request.messages[0].content == "third: b"


def test_an_answer_that_the_prompt_cannot_show_fails_its_item_alone():
    """What an optional field leaves empty is that item's trouble, and no reason to stop the others."""
    step = build_chain_steps(prompts={SECOND: "{{ steps.first.label.first_word }}"})[1]
    entered = enter_step(step, build_item(), {FIRST: build_end_of()})
    assert isinstance(entered, Item)
    decided = advance(step, entered, (), n_known=0)
    assert isinstance(decided, Done)
    assert decided.output.outcome == "failed"
    assert "Prompt 'second.yaml' cannot be rendered (`user`)" in str(decided.output.reason)


def test_a_calls_origin_names_the_step_and_what_it_read():
    """The ledger knows of a call which step made it and from which answers; its key does not know the step."""
    item = enter_step(STEPS[1], build_item(), {FIRST: build_end_of(label="a")})
    other = enter_step(STEPS[1], build_item(), {FIRST: build_end_of(label="b")})
    assert isinstance(item, Item)
    assert isinstance(other, Item)
    origin, changed = (build_origin(STEPS[1], each, "generate") for each in (item, other))
    assert origin.step == SECOND
    assert origin.upstream_sha256 != changed.upstream_sha256
    assert build_origin(STEPS[0], build_item(), "generate").upstream_sha256 is None


def test_the_name_of_a_step_is_no_part_of_its_calls():
    """Two steps that ask the same share their calls: what was answered is not paid for again under another name."""
    renamed = build_chain_steps(
        after={StepName("anew"): ()}, prompts={StepName("anew"): "first: {{ text }}"}
    )[0]
    same = [
        advance(step, build_item(), (), n_known=0)
        for step in (STEPS[0], _as_model(renamed, STEPS[0]))
    ]
    keys = {asked.request.build_key() for asked in same if isinstance(asked, Ask)}
    assert len(keys) == 1


def _as_model(step: Step, other: Step) -> Step:
    from dataclasses import replace

    return replace(step, settings=other.settings)


def test_equal_items_are_led_as_one():
    """Items with the same values share all calls; those that only look alike in the first step do not."""
    items = [
        build_item("same", number=1),
        build_item("same", number=2),
        build_item("other", number=3),
    ]
    chains = list(enumerate(Record().replay(STEPS, items)))
    groups = group_identical(STEPS, chains)
    assert [[place for place, _ in group] for group in groups] == [[0, 1], [2]]
    unseeing = build_chain_steps(prompts={FIRST: "first"})
    chains = list(enumerate(Record().replay(unseeing, items)))
    assert chains[0][1].next_keys == chains[2][1].next_keys
    groups = group_identical(unseeing, chains)
    assert [[place for place, _ in group] for group in groups] == [[0, 1], [2]]


def test_equal_items_that_want_their_own_answers_are_not_led_as_one():
    """With `share_identical: false` each repetition of a row goes its own way."""
    steps = build_chain_steps(share_identical=False)
    items = [build_item("same", number=n, occurrence=n) for n in range(2)]
    groups = group_identical(steps, list(enumerate(Record().replay(steps, items))))
    assert len(groups) == 2


@given(st.lists(st.sampled_from(["good", "bad"]), min_size=1, max_size=6), st.integers(0, 12))
def test_replaying_never_asks_again(texts: list[str], n_answers: int):
    """However many answers are on record, each item goes on behind them, and never sees a step twice."""
    steps = build_chain_steps(attempts=1, retry_failed=False)
    record = Record()
    items = [build_item(text, number=n) for n, text in enumerate(texts)]
    seen: set[CallKey] = set()
    for _ in range(n_answers):
        chains = record.replay(steps, items)
        due = next((chain for chain in chains if chain.next_keys), None)
        if due is None:
            break
        assert not seen & set(due.next_keys)
        seen |= set(due.next_keys)
        text = "no JSON" if due.item.work.values["text"] == "bad" else None
        record.answer_next(steps, due, text=text)
    for chain in record.replay(steps, items):
        outcomes = read_outcomes(steps, chain)
        assert not (chain.next_keys and None not in outcomes)
        if outcomes[0] == "invalid":
            assert outcomes == ["invalid", "blocked", "blocked"]


def test_the_line_of_the_tests_is_a_line():
    """The steps of these tests come one after the other."""
    assert {step.name: step.after for step in STEPS} == LINE
