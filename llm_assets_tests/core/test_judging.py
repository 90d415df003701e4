from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, computed_field

from llm_assets.core.answer_reading import MAX_REASON_CHARS
from llm_assets.core.calls import Answer, CallRequest, Fault
from llm_assets.core.ids import CallKey
from llm_assets.core.item_loop import (
    Ask,
    Done,
    advance,
    build_fault_output,
    build_unasked_output,
)
from llm_assets.core.llm_outputs import build_totals
from llm_assets.errors import ConfigError
from llm_assets_tests.core.builders import (
    BAD,
    GOOD,
    CrashedError,
    Ledger,
    build_answer,
    build_item,
)
from llm_assets_tests.core.judges import build_judged_step

ITEM = build_item()
YES = '{"reason": "all is well", "verdict": true}'
NO = '{"reason": "a refund was never asked for", "verdict": false}'

ANSWERS = {
    "good": build_answer(GOOD),
    "bad": build_answer(BAD),
    "cut": build_answer(GOOD, finish_reason="length"),
    "refused": build_answer(None, refusal="I can't help with that."),
}
VERDICTS = {
    "yes": build_answer(YES),
    "no": build_answer(NO),
    "broken": build_answer("I rather like it."),
    "cut": build_answer(YES, finish_reason="length"),
    "refused": build_answer(None, refusal="I do not judge."),
    "filtered": build_answer(YES, finish_reason="content_filter"),
}
TROUBLES = ("broken", "cut", "refused", "filtered")

GENERATED, BROKEN = ANSWERS["good"], VERDICTS["broken"]
ACCEPTED, REJECTED = VERDICTS["yes"], VERDICTS["no"]


def ask(step, *answers, n_known=0, purpose, item=ITEM) -> CallRequest:
    decided = advance(step, item, answers, n_known=n_known)
    assert isinstance(decided, Ask)
    assert decided.purpose == purpose
    return decided.request


def end(step, *answers, n_known=0):
    decided = advance(step, ITEM, answers, n_known=n_known)
    assert isinstance(decided, Done)
    return decided.output


class Bench:
    """A model and its judge: answers by the number of the call of each kind, the last one again and again."""

    def __init__(self, writes: list[str], judges: list[str]) -> None:
        self.writes = writes
        self.judges = judges
        self.asked: list[CallRequest] = []

    def answer(self, request: CallRequest) -> Answer:
        is_judge = request.settings.model == "judge"
        n_before = sum((other.settings.model == "judge") is is_judge for other in self.asked)
        self.asked.append(request)
        kinds, answers = (self.judges, VERDICTS) if is_judge else (self.writes, ANSWERS)
        kind = kinds[min(n_before, len(kinds) - 1)]
        answer = answers[kind]
        text = answer.text
        if kind == "good":  # no two answers are the same, so no two verdicts are either
            text = f'{{"label": "answer {n_before}", "score": 1}}'
        return replace(answer, key=request.build_key(), text=text)

    @property
    def models(self) -> list[str]:
        """Who was asked, in order."""
        return [request.settings.model for request in self.asked]


def test_a_valid_answer_goes_to_the_judge():
    """The judge sees the row and the answer, on its own terms, before anything counts."""
    step = build_judged_step(llm={"model": "judge", "max_output_tokens": 77})
    request = ask(step, GENERATED, purpose="judge")
    assert request.settings.model == "judge"
    assert [turn.content for turn in request.messages] == [
        'Is {"label":"refund","score":1} right for Where is it??'
    ]
    assert (request.attempt, request.max_output_tokens) == (1, 77)
    assert request.settings.response_format != step.settings.response_format


def test_the_judge_may_name_a_field_of_the_answer():
    """`output.label` in the judge's prompt is that field, and braces in it are left as they are."""
    step = build_judged_step(prompt="{{ output.label }} for {{ row['team'] }}")
    answer = build_answer('{"label": "{{ team }}", "score": 1}')
    assert ask(step, answer, purpose="judge").messages[0].content == "{{ team }} for sales"


def test_an_accepting_verdict_ends_the_item():
    """The output is the generated answer, with the verdict beside it and both calls on record."""
    output = end(build_judged_step(), GENERATED, ACCEPTED)
    assert (output.outcome, output.output) == ("accepted", {"label": "refund", "score": 1})
    assert output.verdict == {"reason": "all is well", "verdict": True}
    assert [attempt.purpose for attempt in output.attempts] == ["generate", "judge"]
    assert [attempt.verdict for attempt in output.attempts] == [None, True]
    assert [attempt.problem for attempt in output.attempts] == [None, None]


def test_a_rejection_goes_back_as_feedback():
    """The next attempt shows the model its answer and the judge's reason."""
    request = ask(build_judged_step(), GENERATED, REJECTED, purpose="generate")
    question, echo, feedback = request.messages
    assert (question.content, echo.role, echo.content) == ("Where is it?", "assistant", GOOD)
    assert feedback.role == "user"
    assert "rejected: a refund was never asked for" in feedback.content
    assert request.attempt == 2


def test_an_endless_reason_is_fed_back_by_its_beginning():
    """A judge that never ends costs a bounded number of tokens in the next attempt; the record has all of it."""
    endless = build_answer(f'{{"reason": "{"x" * 50_000}", "verdict": false}}')
    request = ask(build_judged_step(), GENERATED, endless, purpose="generate")
    assert request.messages[-1].content.count("x") < MAX_REASON_CHARS + 10
    output = end(build_judged_step(retries=0), GENERATED, endless)
    assert len(output.reason or "") == 50_000


@pytest.mark.parametrize("attempts", [1, 2, 3])
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_rejections_are_bounded_by_the_retries(retries, attempts):
    """An item is asked again exactly `judge.retries` times, then it is rejected for the last reason given."""
    bench = Bench(["good"], ["no"])
    step = build_judged_step(retries=retries, attempts=attempts)
    (output,) = Ledger().run(step, [ITEM], bench.answer)
    assert bench.models == ["writer", "judge"] * (retries + 1)
    assert (output.outcome, output.output, output.verdict) == ("rejected", None, None)
    assert output.reason == "a refund was never asked for"


@pytest.mark.parametrize(
    ("writes", "judges", "models", "outcome"),
    [
        (["good"], ["no", "yes"], "wjwj", "accepted"),
        (["good", "bad", "good"], ["no", "yes"], "wjwwj", "accepted"),
        (["bad", "good"], ["no", "no"], "wwjwj", "rejected"),
        (["bad", "bad", "good"], ["no", "yes"], "wwwjwj", "accepted"),  # a rejection is no attempt
        (["bad", "bad", "good", "bad"], ["no"], "wwwjw", "invalid"),
        (["good", "refused"], ["no"], "wjw", "refused"),
        (["good", "cut"], ["no"], "wjwww", "truncated"),
        (["bad"], ["yes"], "www", "invalid"),
        (["cut"], ["yes"], "www", "truncated"),
        (["refused"], ["yes"], "w", "refused"),
        (["good"], ["broken", "yes"], "wjj", "accepted"),
        (["good"], ["broken", "no", "broken", "yes"], "wjjwjj", "accepted"),
        (["good"], ["broken"], "wjj", "failed"),
    ],
)
def test_who_is_asked_in_what_order(writes, judges, models, outcome):
    """A run with three attempts, one retry and two tries for each verdict, call by call."""
    bench = Bench(writes, judges)
    (output,) = Ledger().run(build_judged_step(), [ITEM], bench.answer)
    assert "".join(model[0] for model in bench.models) == models
    assert output.outcome == outcome


@pytest.mark.parametrize("kind", ["bad", "cut", "refused"])
def test_only_valid_answers_reach_the_judge(kind):
    """What is invalid, cut off or refused is never judged, also where its text would be valid."""
    bench = Bench([kind], ["yes"])
    (output,) = Ledger().run(build_judged_step(), [ITEM], bench.answer)
    assert set(bench.models) == {"writer"}
    assert output.output is None


@pytest.mark.parametrize("kind", TROUBLES)
def test_trouble_with_the_judge_is_no_rejection(kind):
    """A judge that gives no verdict fails the item, names itself as the reason, and leaves no feedback to the model."""
    bench = Bench(["good"], [kind])
    (output,) = Ledger().run(build_judged_step(attempts=3, retries=3), [ITEM], bench.answer)
    assert bench.models == ["writer", "judge", "judge"]
    assert (output.outcome, output.output, output.verdict) == ("failed", None, None)
    assert (output.reason or "").startswith("The judge gave no verdict: ")
    assert [attempt.verdict for attempt in output.attempts] == [None, None, None]


@pytest.mark.parametrize("kind", TROUBLES)
def test_after_trouble_with_the_judge_only_the_judge_is_asked(kind):
    """The answer is kept: the next run asks for a verdict on it, with tries of its own numbered on."""
    ledger, step = Ledger(), build_judged_step()
    ledger.run(step, [ITEM], Bench(["good"], [kind]).answer)
    bench = Bench(["good"], [kind, "yes"])
    (output,) = ledger.run(step, [ITEM], bench.answer)
    assert bench.models == ["judge", "judge"]
    assert [request.attempt for request in bench.asked] == [3, 4]
    assert output.outcome == "accepted"


def test_a_judge_sees_what_was_wrong_with_its_verdict():
    """An invalid verdict is asked for again with what was wrong, a cut-off one with more room."""
    step = build_judged_step(llm={"model": "judge", "max_output_tokens": 50}, attempts=3)
    again = ask(step, GENERATED, BROKEN, purpose="judge")
    assert [turn.role for turn in again.messages] == ["user", "assistant", "user"]
    assert again.messages[1].content == "I rather like it."
    assert again.max_output_tokens == 50
    assert ask(step, GENERATED, VERDICTS["cut"], purpose="judge").max_output_tokens == 100


def test_trouble_with_the_judge_leaves_alone_what_is_to_be_left_alone():
    """With `retry_failed: false` an item without a verdict stays failed."""
    step = build_judged_step(retry_failed=False)
    output = end(step, GENERATED, BROKEN, BROKEN, n_known=3)
    assert output.outcome == "failed"


def test_an_unreachable_judge_fails_the_item_by_name():
    """A call to the judge that brings no answer is the judge's failure; the answer it was about is on record."""
    step = build_judged_step()
    asked = advance(step, ITEM, [GENERATED], n_known=0)
    assert isinstance(asked, Ask)
    output = build_fault_output(
        step,
        ITEM,
        [GENERATED],
        asked=asked,
        key=CallKey("j"),
        fault=Fault(kind="unreachable", message="Nobody listens."),
    )
    assert (output.outcome, output.output) == ("failed", None)
    assert output.reason == "The judge did not answer: Nobody listens."
    assert [attempt.purpose for attempt in output.attempts] == ["generate", "judge"]
    assert [attempt.number for attempt in output.attempts] == [1, 1]


def test_an_item_whose_verdict_is_not_paid_for_keeps_its_answer():
    """Left out before the judge, an item has no output yet, and its answer among its attempts."""
    output = build_unasked_output(
        build_judged_step(), ITEM, [GENERATED], outcome="over_budget", reason="Too dear."
    )
    assert (output.outcome, output.output, len(output.attempts)) == ("over_budget", None, 1)


def test_a_crash_between_answer_and_verdict_repeats_nothing():
    """Killed after any call, the next run asks for exactly the calls that the first one did not get to."""
    whole = Bench(["bad", "good"], ["broken", "no", "yes"])
    (expected,) = Ledger().run(build_judged_step(), [ITEM], whole.answer)
    assert "".join(model[0] for model in whole.models) == "wwjjwj"
    for killed_after in range(len(whole.asked)):
        ledger, bench = Ledger(), Bench(["bad", "good"], ["broken", "no", "yes"])
        with pytest.raises(CrashedError):
            ledger.run(build_judged_step(), [ITEM], bench.answer, killed_after=killed_after)
        assert ledger.run(build_judged_step(), [ITEM], bench.answer) == [expected]
        assert bench.asked == whole.asked


@pytest.mark.parametrize(
    ("change", "models"),
    [
        ({}, []),
        ({"prompt": "Be strict: {{ output_json }} for {{ text }}?"}, ["judge"]),
        ({"llm": {"model": "judge", "temperature": 1}}, ["judge"]),
        ({"retries": 5}, []),
    ],
)
def test_a_changed_judge_sends_calls_to_the_judge_only(change, models):
    """Another prompt or parameter of the judge asks it anew about the same answers, and asks nobody else."""
    ledger = Ledger()
    ledger.run(build_judged_step(), [ITEM], Bench(["good"], ["yes"]).answer)
    bench = Bench(["good"], ["yes"])
    (output,) = ledger.run(build_judged_step(**change), [ITEM], bench.answer)
    assert bench.models == models
    assert output.outcome == "accepted"
    again = Bench([], [])
    ledger.run(build_judged_step(), [ITEM], again.answer)
    assert again.asked == []  # taken back: the old verdict is still on record


def test_a_stricter_judge_takes_back_an_acceptance():
    """Nothing is accepted for good: a judge that now rejects sends the item into another attempt."""
    ledger = Ledger()
    ledger.run(build_judged_step(), [ITEM], Bench(["good"], ["yes"]).answer)
    strict = build_judged_step(prompt="Strict! {{ output_json }}", retries=1)
    bench = Bench(["good"], ["no"])
    (output,) = ledger.run(strict, [ITEM], bench.answer)
    assert bench.models == ["judge", "writer", "judge"]
    assert (output.outcome, output.output) == ("rejected", None)


def test_a_judge_that_comes_later_judges_what_is_there():
    """A judge added to a finished task costs one call for each answer; one that is taken out costs none."""
    judged = build_judged_step()
    unjudged = replace(judged, judge=None)
    ledger = Ledger()
    ledger.run(unjudged, [ITEM], Bench(["good"], []).answer)
    bench = Bench(["good"], ["no"])
    ledger.run(judged, [ITEM], bench.answer)
    assert bench.models == ["judge", "writer", "judge"]
    (output,) = ledger.run(unjudged, [ITEM], Bench([], []).answer)
    assert (output.outcome, output.verdict) == ("accepted", None)


def test_a_rejected_item_gets_a_new_round_in_a_later_run():
    """The next run begins with the last reason as feedback, has all of its retries, and numbers on."""
    ledger, step = Ledger(), build_judged_step(retries=1)
    ledger.run(step, [ITEM], Bench(["good"], ["no"]).answer)
    bench = Bench(["good"], ["no"])
    (output,) = ledger.run(step, [ITEM], bench.answer)
    assert bench.models == ["writer", "judge", "writer", "judge"]
    assert [request.attempt for request in bench.asked[::2]] == [3, 4]
    assert "a refund was never asked for" in bench.asked[0].messages[-1].content
    assert (output.outcome, len(output.attempts)) == ("rejected", 8)


def test_a_rejected_item_rests_where_the_task_says_so():
    """With `retry_failed: false` a later run leaves a rejected item as it is, and asks nothing."""
    ledger, step = Ledger(), build_judged_step(retry_failed=False)
    (first,) = ledger.run(step, [ITEM], Bench(["good"], ["no"]).answer)
    bench = Bench(["good"], ["yes"])
    assert ledger.run(step, [ITEM], bench.answer) == [first]
    assert bench.asked == []


def test_a_forced_item_is_judged_anew():
    """A new epoch is a new call for answer and verdict alike."""
    step = build_judged_step()
    forced = build_item(epoch=1)
    keys = {ask(step, GENERATED, purpose="judge", item=item).build_key() for item in (ITEM, forced)}
    assert len(keys) == 2


def test_equal_rows_share_their_verdict_unless_told_otherwise():
    """`share_identical: false` gives each repetition of a row a verdict of its own."""
    repeated = build_item(number=2, occurrence=1)
    for share_identical, n_keys in ((True, 1), (False, 2)):
        step = build_judged_step(share_identical=share_identical)
        keys = {
            ask(step, GENERATED, purpose="judge", item=item).build_key()
            for item in (ITEM, repeated)
        }
        assert len(keys) == n_keys


def test_the_judges_calls_are_in_the_totals():
    """Tokens and cost of every verdict count, those of rejections and of troubles too."""
    bench = Bench(["good"], ["broken", "no", "yes"])
    (output,) = Ledger().run(build_judged_step(), [ITEM], bench.answer)
    totals = build_totals([output])
    assert (totals.n_calls, len(bench.asked)) == (5, 5)
    assert totals.cost_usd == Decimal("0.05")
    assert totals.completion_tokens == sum(attempt.completion_tokens for attempt in output.attempts)


class Rubric(BaseModel):
    """A verdict that follows from points, with names of its own on the outside."""

    points: int
    note: str | None = Field(alias="why")

    @computed_field
    @property
    def is_good(self) -> bool:
        return self.points >= 2


def test_a_verdict_may_be_computed_from_scores():
    """The schema module may decide by points; the fields are found by the names they have in the verdict."""
    step = build_judged_step(
        verdict_model=Rubric, verdict_field="is_good", reason_field="why", retries=0
    )
    good, poor = ('{"points": 3, "why": null}', '{"points": 1, "why": "too long"}')
    output = end(step, GENERATED, build_answer(good))
    assert output.verdict == {"points": 3, "why": None, "is_good": True}
    assert end(step, GENERATED, build_answer(poor)).reason == "too long"
    silent = end(step, GENERATED, build_answer('{"points": 1, "why": null}'))
    assert (silent.outcome, silent.reason) == ("rejected", "no reason given")


class Undecided(BaseModel):
    verdict: bool | None
    reason: str


def test_an_empty_verdict_is_trouble_and_no_rejection():
    """Where the judge's model allows null, null decides nothing."""
    step = build_judged_step(verdict_model=Undecided, retries=0)
    undecided = build_answer('{"verdict": null, "reason": "hm"}')
    output = end(step, GENERATED, undecided, undecided)
    assert (output.outcome, output.output) == ("failed", None)
    assert "`verdict` is empty" in (output.reason or "")


class NoVerdict(BaseModel):
    reason: str
    score: int


class NoReason(BaseModel):
    verdict: bool


class WordVerdict(BaseModel):
    verdict: str
    reason: str


class RenamedVerdict(BaseModel):
    verdict: bool = Field(alias="Verdict")
    reason: str


@pytest.mark.parametrize(
    ("model", "missing"),
    [
        (NoVerdict, "boolean field 'verdict'"),
        (WordVerdict, "boolean field 'verdict'"),
        (RenamedVerdict, "boolean field 'verdict'"),
        (NoReason, "text field 'reason'"),
    ],
)
def test_a_model_that_holds_no_verdict_is_told_before_any_call(model, missing):
    """A judge's model without its two fields cannot become a judge; the error names field and class."""
    with pytest.raises(ConfigError, match=f"{model.__name__}.* has no {missing}"):
        build_judged_step(verdict_model=model)


@pytest.mark.parametrize(
    "prompt", ["{{ ouput }}", "{{ output }} {{ txet }}", "{{ group_context }}"]
)
def test_an_unknown_name_in_the_judges_prompt_is_told_before_any_call(prompt):
    """The judge's prompt is checked like any other, and the error names its file."""
    with pytest.raises(ConfigError, match=r"'j\.yaml' uses .*nothing was sent"):
        build_judged_step(prompt=prompt)


SETTINGS = st.fixed_dictionaries(
    {
        "attempts": st.integers(1, 3),
        "retries": st.integers(0, 2),
        "retry_failed": st.booleans(),
    }
)
TRIES = st.integers(1, 3)
WRITES = st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=6)
JUDGES = st.lists(st.sampled_from(sorted(VERDICTS)), min_size=1, max_size=8)


def build_any_step(settings, tries):
    judge = {"retries": settings["retries"], "attempts": tries}
    return build_step_with(
        judge, attempts=settings["attempts"], retry_failed=settings["retry_failed"]
    )


def build_step_with(judge, *, attempts, retry_failed):
    step = build_judged_step(attempts=attempts, retry_failed=retry_failed)
    assert step.judge
    rules = step.judge.rules.model_copy(update=judge)
    return replace(step, judge=replace(step.judge, rules=rules))


@given(SETTINGS, TRIES, WRITES, JUDGES)
def test_every_run_ends_within_its_bounds(settings, tries, writes, judges):
    """Whatever answers and verdicts come, a run has so many attempts and retries, and so many tries for each verdict."""
    step, ledger, bench = build_any_step(settings, tries), Ledger(), Bench(writes, judges)
    for n_runs in range(1, 4):
        (output,) = ledger.run(step, [ITEM], bench.answer)
        n_written = bench.models.count("writer")
        n_judged = bench.models.count("judge")
        n_valid = sum(
            attempt.purpose == "generate" and attempt.problem is None for attempt in output.attempts
        )
        assert n_written <= n_runs * (settings["attempts"] + settings["retries"])
        assert n_judged <= tries * (n_valid + n_runs - 1)
        assert len(output.attempts) == len(bench.asked)
        assert len({request.build_key() for request in bench.asked}) == len(bench.asked)


@given(SETTINGS, TRIES, WRITES, JUDGES)
def test_only_accepted_ends_carry_an_output(settings, tries, writes, judges):
    """An output is there exactly where the judge's last word on it was yes; a rejected item's reason is the judge's."""
    bench = Bench(writes, judges)
    (output,) = Ledger().run(build_any_step(settings, tries), [ITEM], bench.answer)
    last = output.attempts[-1]
    is_accepted = output.outcome == "accepted"
    assert is_accepted is (last.verdict is True)
    assert is_accepted is (output.output is not None) is (output.verdict is not None)
    assert (output.outcome == "rejected") is (last.verdict is False)
    assert (output.reason is None) is is_accepted
    if output.outcome == "failed":
        assert (output.reason or "").startswith("The judge")


@given(SETTINGS, TRIES, WRITES, JUDGES)
def test_replay_from_any_prefix_asks_for_the_next_missing_call(settings, tries, writes, judges):
    """From any number of answers on record the loop goes on with the very call that a whole run made next."""
    step, ledger, bench = build_any_step(settings, tries), Ledger(), Bench(writes, judges)
    outputs = ledger.run(step, [ITEM], bench.answer)
    answers = [ledger.answers[request.build_key()] for request in bench.asked]
    for n_known, expected in enumerate(bench.asked):
        decided = advance(step, ITEM, answers[:n_known], n_known=n_known)
        assert isinstance(decided, Ask)
        assert decided.request == expected
    later = advance(step, ITEM, answers, n_known=len(answers))
    is_at_its_end = outputs[0].outcome == "accepted" or not settings["retry_failed"]
    assert isinstance(later, Done) is is_at_its_end
    if isinstance(later, Done):
        assert [later.output] == outputs
