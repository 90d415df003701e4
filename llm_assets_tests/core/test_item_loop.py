import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.answer_reading import FEEDBACK_TRUNCATED, MAX_ECHO_CHARS
from llm_assets.core.calls import Fault
from llm_assets.core.ids import CallKey
from llm_assets.core.item_loop import Ask, Done, advance, build_fault_output
from llm_assets_tests.core.builders import (
    BAD,
    GOOD,
    NOON,
    CrashedError,
    Ledger,
    Model,
    build_answer,
    build_item,
    build_label_step,
)

ITEM = build_item()
INVALID = build_answer(BAD)
VALID = build_answer(GOOD)
CUT_OFF = build_answer(GOOD, finish_reason="length")
REFUSED = build_answer(None, refusal="I can't help with that.")
FILTERED = build_answer(None, finish_reason="content_filter")
ANSWERS = {"valid": VALID, "invalid": INVALID, "cut off": CUT_OFF, "refused": REFUSED}


def ask(step, *answers, n_known=0, item=ITEM):
    decided = advance(step, item, answers, n_known=n_known)
    assert isinstance(decided, Ask)
    assert decided.purpose == "generate"
    return decided.request


def end(step, *answers, n_known=0, item=ITEM):
    decided = advance(step, item, answers, n_known=n_known)
    assert isinstance(decided, Done)
    return decided.output


def test_first_call_is_the_rendered_prompt():
    """An item without answers asks what its prompt says, as attempt 1."""
    request = ask(build_label_step(user="Say: {{ text }}", cap=50))
    assert [(turn.role, turn.content) for turn in request.messages] == [
        ("user", "Say: Where is it?")
    ]
    assert (request.attempt, request.max_output_tokens, request.epoch) == (1, 50, 0)


def test_prompt_sees_the_row_and_its_group():
    """A row's block stands in the order of the visible columns, its group's text beside it."""
    step = build_label_step(
        user="{{ group_key }}|{{ group_context }}|{{ row_block }}",
        mode="row_output_with_group_context",
    )
    request = ask(step, item=build_item(group_context="two rows"))
    assert request.messages[0].content == "sales|two rows|text: Where is it?\nteam: sales"


def test_valid_answer_ends_the_item_at_once():
    """The first valid answer is the item's output; nothing more is asked."""
    output = end(build_label_step(), VALID)
    assert (output.outcome, output.output, output.reason) == (
        "accepted",
        {"label": "refund", "score": 1},
        None,
    )
    assert (output.work_id, output.accepted_at) == ("w1", NOON)
    (attempt,) = output.attempts
    assert (attempt.number, attempt.problem, attempt.is_repaired) == (1, None, False)
    assert (attempt.prompt_tokens, attempt.completion_tokens, attempt.cached_tokens) == (50, 5, 2)


def test_repaired_answer_is_marked():
    """An answer whose JSON had to be mended is accepted and says so."""
    output = end(build_label_step(), build_answer("{'label': 'refund', 'score': 1,}"))
    assert output.outcome == "accepted"
    assert output.attempts[0].is_repaired


def test_invalid_answer_is_asked_again_with_what_was_wrong():
    """The second call shows the model its wrong answer and names the field that is wrong."""
    request = ask(build_label_step(), INVALID)
    question, echo, feedback = request.messages
    assert question.content == "Where is it?"
    assert (echo.role, echo.content) == ("assistant", BAD)
    assert feedback.role == "user"
    assert "`score`" in feedback.content
    assert request.attempt == 2


def test_only_the_last_wrong_answer_is_shown():
    """A third call tells of the second answer, not of the first one too."""
    request = ask(build_label_step(), INVALID, build_answer("Sorry?"))
    assert [turn.content for turn in request.messages][:2] == ["Where is it?", "Sorry?"]
    assert len(request.messages) == 3


def test_endless_wrong_answer_is_shown_by_its_beginning():
    """A wrong answer of any length costs a bounded number of tokens in the next call."""
    request = ask(build_label_step(), build_answer("x" * 100_000))
    assert len(request.messages[1].content) == MAX_ECHO_CHARS


def test_empty_answer_is_not_shown():
    """There is nothing to show of an answer without text, only what is asked instead."""
    request = ask(build_label_step(), build_answer(""))
    assert [turn.role for turn in request.messages] == ["user", "user"]


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_attempts_end(attempts):
    """After its attempts an item ends as invalid, each of them on record with its problem."""
    output = end(build_label_step(attempts=attempts), *[INVALID] * attempts)
    assert (output.outcome, output.output) == ("invalid", None)
    assert "`score`" in (output.reason or "")
    assert [attempt.number for attempt in output.attempts] == list(range(1, attempts + 1))
    assert all(attempt.problem for attempt in output.attempts)


@pytest.mark.parametrize(
    ("n_known", "n_answers", "retry_failed", "next_attempt"),
    [
        (0, 0, True, 1),
        (0, 2, True, 3),
        (0, 3, True, None),
        (1, 1, True, 2),
        (2, 2, True, 3),  # the run before was killed: what is left of its attempts
        (2, 3, True, None),
        (3, 3, True, 4),  # used up: a fresh set, numbered on
        (3, 4, True, 5),
        (3, 5, True, 6),
        (3, 6, True, None),
        (4, 4, True, 5),
        (4, 6, True, None),
        (6, 6, True, 7),
        (6, 9, True, None),
        (0, 0, False, 1),
        (2, 2, False, 3),
        (2, 3, False, None),
        (3, 3, False, None),
    ],
)
def test_fresh_attempts_of_a_later_run(n_known, n_answers, retry_failed, next_attempt):
    """A run has three attempts of its own, less those that a killed run of the same set has made."""
    step = build_label_step(attempts=3, retry_failed=retry_failed)
    decided = advance(step, ITEM, [INVALID] * n_answers, n_known=n_known)
    asked = decided.request.attempt if isinstance(decided, Ask) else None
    assert asked == next_attempt


@pytest.mark.parametrize("n_known", range(5))
def test_accepted_item_is_never_asked_again(n_known):
    """Whatever was known before, an answer that was accepted is the end."""
    answers = (INVALID, INVALID, INVALID, VALID)
    output = end(build_label_step(attempts=3), *answers, n_known=n_known)
    assert output.outcome == "accepted"
    assert [attempt.number for attempt in output.attempts] == [1, 2, 3, 4]


def test_cut_off_answer_is_never_accepted():
    """What was cut off does not count, even where the part that came is valid."""
    output = end(build_label_step(attempts=2), CUT_OFF, CUT_OFF)
    assert (output.outcome, output.output) == ("truncated", None)
    assert output.attempts[0].finish_reason == "length"


def test_cut_off_answer_is_asked_again_with_more_room():
    """The next call asks the same with twice the cap, or with the configured one."""
    request = ask(build_label_step(cap=100), CUT_OFF)
    assert (len(request.messages), request.max_output_tokens) == (1, 200)
    assert ask(build_label_step(cap=100), CUT_OFF, CUT_OFF).max_output_tokens == 400
    configured = build_label_step(cap=100, max_output_tokens_on_retry=150)
    assert ask(configured, CUT_OFF).max_output_tokens == 150


def test_room_is_kept_after_a_cut_off_answer():
    """An invalid answer after a cut-off one is not sent back into the small cap."""
    assert ask(build_label_step(cap=100), CUT_OFF, INVALID).max_output_tokens == 200
    assert ask(build_label_step(cap=100), INVALID).max_output_tokens == 100


def test_cut_off_answer_without_a_cap_is_asked_for_more_briefly():
    """Where the server's own cap cut it off, the model is asked to be brief."""
    request = ask(build_label_step(), CUT_OFF)
    assert request.max_output_tokens is None
    assert [turn.content for turn in request.messages] == ["Where is it?", FEEDBACK_TRUNCATED]


@pytest.mark.parametrize("refusing", [REFUSED, FILTERED, build_answer(GOOD, refusal="No.")])
def test_refusal_ends_the_item_in_this_run(refusing):
    """The same words would be refused again; a later run may meet a later model."""
    step = build_label_step(attempts=3)
    output = end(step, refusing)
    assert (output.outcome, output.output, len(output.attempts)) == ("refused", None, 1)
    assert output.reason == output.attempts[0].problem
    later = ask(step, refusing, n_known=1)
    assert (later.attempt, len(later.messages)) == (2, 1)
    assert end(step, refusing, refusing, n_known=1).outcome == "refused"
    assert end(build_label_step(retry_failed=False), refusing, n_known=1).outcome == "refused"


def test_reason_of_a_refusal_is_kept():
    """The model's own words, or the filter's name, are the item's reason."""
    assert "I can't help with that." in (end(build_label_step(), REFUSED).reason or "")
    assert "content filter" in (end(build_label_step(), FILTERED).reason or "")


def test_forced_item_asks_anew():
    """A new epoch makes the same words another call."""
    keys = {ask(build_label_step(), item=build_item(epoch=epoch)).build_key() for epoch in (0, 1)}
    assert len(keys) == 2


def test_equal_rows_share_their_call_unless_told_otherwise():
    """`share_identical: false` asks for each repetition of a row."""
    repeated = build_item(number=2, occurrence=1)
    shared = build_label_step()
    assert ask(shared, item=repeated).build_key() == ask(shared).build_key()
    alone = build_label_step(share_identical=False)
    assert ask(alone, item=repeated).occurrence == 1
    assert ask(alone, item=repeated).build_key() != ask(alone).build_key()


@pytest.mark.parametrize(("kind", "cost_usd"), [("server_error", 0), ("timed_out", None)])
def test_call_without_an_answer_fails_the_item(kind, cost_usd):
    """The end names the fault after the attempts that were answered; a lost answer may have cost something."""
    step = build_label_step()
    fault = Fault(kind=kind, message="It broke.")
    asked = advance(step, ITEM, [INVALID], n_known=0)
    assert isinstance(asked, Ask)
    output = build_fault_output(step, ITEM, [INVALID], asked=asked, key=CallKey("k2"), fault=fault)
    assert (output.outcome, output.output, output.reason) == ("failed", None, "It broke.")
    last = output.attempts[-1]
    assert [attempt.number for attempt in output.attempts] == [1, 2]
    assert (last.call_key, last.finish_reason, last.cost_usd) == ("k2", None, cost_usd)


SCRIPTS = st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=8)


@given(SCRIPTS, st.data())
def test_next_call_depends_on_the_answers_alone(kinds, data):
    """How many answers an earlier run brought decides whether to ask, never what is asked."""
    step = build_label_step(attempts=2, cap=10)
    answers = [ANSWERS[kind] for kind in kinds]
    n_known = data.draw(st.integers(0, len(answers)))
    decided = advance(step, ITEM, answers, n_known=n_known)
    assert decided == advance(step, ITEM, answers, n_known=n_known)
    replayed = advance(step, ITEM, answers, n_known=len(answers))
    if isinstance(decided, Ask) or "valid" in kinds:
        assert decided == replayed
    if isinstance(decided, Done):
        assert (decided.output.outcome == "accepted") is ("valid" in kinds)
        assert (decided.output.output is None) is (decided.output.outcome != "accepted")


@given(SCRIPTS, st.data())
def test_killed_run_is_finished_as_if_it_had_not_been(kinds, data):
    """Killed after any call that did not end the item, the next run gets to the same end with the same calls."""
    step = build_label_step(attempts=3, cap=10)
    script = [ANSWERS[kind] for kind in kinds]
    whole = Model(*script)
    expected = Ledger().run(step, [ITEM], whole.answer)
    halves, ledger = Model(*script), Ledger()
    killed_after = data.draw(st.integers(0, len(whole.requests) - 1))
    with pytest.raises(CrashedError):
        ledger.run(step, [ITEM], halves.answer, killed_after=killed_after)
    assert ledger.run(step, [ITEM], halves.answer) == expected
    assert halves.requests == whole.requests


@given(SCRIPTS)
def test_finished_run_is_replayed_without_a_call(kinds):
    """Where failed items are left alone, a second run sends nothing and gives the same outputs."""
    step = build_label_step(attempts=3, retry_failed=False)
    model, ledger = Model(*(ANSWERS[kind] for kind in kinds)), Ledger()
    outputs = ledger.run(step, [ITEM], model.answer)
    n_calls = len(model.requests)
    assert ledger.run(step, [ITEM], model.answer) == outputs
    assert len(model.requests) == n_calls


@given(SCRIPTS)
def test_every_run_adds_attempts_until_one_is_accepted(kinds):
    """Run after run asks on with new numbers, no call twice, and stops for good at the first valid answer."""
    step = build_label_step(attempts=2)
    model, ledger = Model(*(ANSWERS[kind] for kind in kinds)), Ledger()
    output = [ledger.run(step, [ITEM], model.answer)[0] for _ in range(6)][-1]
    numbers = [request.attempt for request in model.requests]
    assert numbers == list(range(1, len(numbers) + 1))
    is_reached = "valid" in kinds and kinds.index("valid") < len(numbers)
    assert (output.outcome == "accepted") is is_reached
    assert len(output.attempts) == len(numbers)
