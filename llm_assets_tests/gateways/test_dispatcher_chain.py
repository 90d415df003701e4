import asyncio
import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.calls import Answer, CallRequest, Fault
from llm_assets.core.chain import replay_chain
from llm_assets.core.completions import Completion
from llm_assets.core.item_replay import replay_items
from llm_assets.errors import ProviderError
from llm_assets.gateways.dispatcher import Dispatcher
from llm_assets.gateways.endpoint_client import Reply
from llm_assets.gateways.progress import Progress, StepProgress
from llm_assets_tests.core.builders import build_item
from llm_assets_tests.core.chains import FIRST, LINE, PROMPTS, SECOND, THIRD, build_chain_steps
from llm_assets_tests.fakes import (
    FakeEndpoint,
    MemoryRecorder,
    build_caller,
    build_completion,
    build_fault,
)
from llm_assets_tests.virtual_time import run_virtually

CALL_SECONDS = 1.0
FORK = {FIRST: (), SECOND: (FIRST,), THIRD: (FIRST,)}
FORKED = {THIRD: "third: {{ steps.first.label }}"}


def answer(request: CallRequest) -> Completion | Fault:
    """A label that repeats the question; `bad` ones are never right, `lost` ones never answered."""
    question = request.messages[0].content
    if "bad" in question and question.startswith("first"):
        return build_completion("no JSON")
    if "lost" in question and question.startswith("second"):
        return build_fault("rejected_request", message="Too long.", http_status=400)
    return build_completion(json.dumps({"label": f"<{question}>"}))


@dataclass(kw_only=True)
class SlowEndpoint:
    """Answers each call after a second of the loop's own time, and notes when."""

    began: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    ended: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    n_at_once: int = 0
    most_at_once: int = 0

    async def send(self, request: CallRequest, /) -> Reply:
        question = request.messages[0].content
        now = asyncio.get_running_loop().time
        self.began.append((now(), question))
        self.n_at_once += 1
        self.most_at_once = max(self.most_at_once, self.n_at_once)
        await asyncio.sleep(CALL_SECONDS)
        self.n_at_once -= 1
        self.ended.append((now(), question))
        return Reply(result=answer(request), request_id=None, announced=None)


class Office:
    """A chain behind one dispatcher, with a record that lasts from run to run."""

    def __init__(self, endpoint, steps=None) -> None:
        self.steps = steps or build_chain_steps(attempts=2, retry_failed=False)
        self.endpoint = endpoint
        self.recorder = MemoryRecorder()
        self.progress = Progress(n_to_run=0)

    def find_answers(self, keys):
        wanted = set(keys)
        found = [result for result in self.recorder.results if isinstance(result, Answer)]
        return {each.key: each for each in reversed(found) if each.key in wanted}

    async def run(self, texts, *, max_in_flight=4, steps=None, given=()):
        steps = steps or self.steps
        items = [build_item(text, number=number) for number, text in enumerate(texts)]
        chains = replay_chain(
            steps,
            items,
            lambda step, each: replay_items(step, each, self.find_answers),
            given=given,
        )
        due = [(place, chain) for place, chain in enumerate(chains) if chain.next_keys]
        self.progress = Progress(
            n_to_run=len(due), steps={step.name: StepProgress() for step in steps if step.name}
        )
        dispatcher = Dispatcher(
            steps,
            caller=build_caller(
                self.endpoint,
                recorder=self.recorder,
                progress=self.progress,
                max_in_flight=max_in_flight,
            ),
            progress=self.progress,
            find_answers=self.find_answers,
        )
        return await dispatcher.finish_items(due, max_in_flight=max_in_flight)


def outcomes_of(ends):
    return [[end.outcome for end in ends[place]] for place in sorted(ends)]


def test_items_do_not_wait_for_each_other():
    """Long before the last item enters the first step, others have left the last one."""
    endpoint = SlowEndpoint()
    office = Office(endpoint)
    texts = [f"note {n}" for n in range(20)]
    run_virtually(office.run(texts, max_in_flight=2))
    last_begins = max(at for at, question in endpoint.began if question.startswith("first"))
    ends = [at for at, question in endpoint.ended if question.startswith("third")]
    assert min(ends) == 3 * CALL_SECONDS
    assert last_begins == 27 * CALL_SECONDS
    assert sum(at <= last_begins for at in ends) == 18
    assert endpoint.most_at_once == 2


def test_the_places_stay_filled():
    """Sixty calls of twenty items with four places take fifteen rounds: no place waits for a step to be over."""
    endpoint = SlowEndpoint()
    run_virtually(Office(endpoint).run([f"note {n}" for n in range(20)], max_in_flight=4))
    assert max(at for at, _ in endpoint.ended) == 15 * CALL_SECONDS


@pytest.mark.parametrize(("max_in_flight", "seconds"), [(4, 2), (1, 3)])
def test_an_items_own_steps_go_side_by_side(max_in_flight, seconds):
    """Two steps after the same one are asked at once, unless everything is to go strictly in order."""
    endpoint = SlowEndpoint()
    steps = build_chain_steps(after=FORK, prompts=FORKED)
    run_virtually(Office(endpoint, steps).run(["note"], max_in_flight=max_in_flight))
    assert max(at for at, _ in endpoint.ended) == seconds * CALL_SECONDS


def test_one_that_fails_stops_nobody_else():
    """A bad extraction blocks its own later steps, which send nothing; the other items are not touched."""
    endpoint = FakeEndpoint(answer, n_turns=2)
    ends = asyncio.run(Office(endpoint).run(["good", "bad", "lost", "fine"]))
    assert outcomes_of(ends) == [
        ["accepted", "accepted", "accepted"],
        ["invalid", "blocked", "blocked"],
        ["accepted", "failed", "blocked"],
        ["accepted", "accepted", "accepted"],
    ]
    sent = [question for question in endpoint.questions if "bad" in question]
    assert [question for question in sent if not question.startswith("first: bad")] == []
    assert len(endpoint.requests) == 3 + 2 + 2 + 3
    blocked = ends[2][2]
    assert (blocked.reason, blocked.attempts) == (
        "Step 'second' has no accepted output for this item: failed.",
        (),
    )


def test_a_second_run_sends_nothing():
    """All steps of all items are on record, those of failed items as well."""
    endpoint = FakeEndpoint(answer)
    office = Office(endpoint)
    asyncio.run(office.run(["good", "bad"]))
    n_before = len(endpoint.requests)
    assert asyncio.run(office.run(["good", "bad"])) == {}
    assert len(endpoint.requests) == n_before


def test_another_last_prompt_sends_only_its_calls():
    """What the steps before answered is read, and the last step is asked anew."""
    endpoint = FakeEndpoint(answer)
    office = Office(endpoint)
    asyncio.run(office.run(["a", "b"]))
    n_before = len(endpoint.requests)
    steps = build_chain_steps(prompts={THIRD: "third, again: {{ steps.second.label }}"})
    asyncio.run(office.run(["a", "b"], steps=steps))
    assert [question.split(":")[0] for question in endpoint.questions[n_before:]] == [
        "third, again"
    ] * 2


def test_another_first_prompt_with_the_same_answers_sends_only_its_calls():
    """Later steps are asked the same as before, so their answers are found on the way and counted as such."""
    endpoint = FakeEndpoint(lambda request: build_completion('{"label": "same"}'))
    office = Office(endpoint)
    asyncio.run(office.run(["a", "b"]))
    n_before = len(endpoint.requests)
    steps = build_chain_steps(prompts={FIRST: "first, again: {{ text }}"})
    ends = asyncio.run(office.run(["a", "b"], steps=steps))
    assert [question.split(":")[0] for question in endpoint.questions[n_before:]] == [
        "first, again"
    ] * 2
    assert len(office.progress.found) == 3
    assert outcomes_of(ends) == [["accepted"] * 3] * 2


def test_items_that_meet_in_a_later_step_share_its_calls():
    """Two notes with the same label ask the third step once, also while it is under way."""
    endpoint = FakeEndpoint(lambda request: build_completion('{"label": "same"}'), n_turns=3)
    ends = asyncio.run(Office(endpoint).run(["a", "b", "c"]))
    assert sorted(question.split(":")[0] for question in endpoint.questions) == [
        *["first"] * 3,
        *["second"] * 3,
        "third",
    ]
    assert outcomes_of(ends) == [["accepted"] * 3] * 3
    assert len({end[2].attempts[0].call_key for end in ends.values()}) == 1


@pytest.mark.parametrize("max_in_flight", [1, 8])
def test_a_failure_that_items_share_is_not_tried_once_more_for_each(max_in_flight):
    """Whoever comes to a failed call of this run later gets its end, as those do who wait for it."""

    def reply(request: CallRequest) -> Completion:
        is_third = request.messages[0].content.startswith("third")
        return build_completion("no JSON" if is_third else '{"label": "same"}')

    endpoint = FakeEndpoint(reply, n_turns=2)
    ends = asyncio.run(Office(endpoint).run(["a", "b", "c"], max_in_flight=max_in_flight))
    assert sum(request.settings.model == "third" for request in endpoint.requests) == 2
    assert [end[2].outcome for end in ends.values()] == ["invalid"] * 3


def test_a_hopeless_model_of_one_step_stops_the_run():
    """A later step whose model does not exist ends the run in one sentence; the answers before it are kept."""

    def reply(request: CallRequest) -> Completion | Fault:
        if request.settings.model == "second":
            return build_fault("unknown_model", http_status=404)
        return answer(request)

    office = Office(FakeEndpoint(reply, n_turns=2))
    with pytest.raises(ProviderError, match="cannot serve model 'second'"):
        asyncio.run(office.run(["a", "b", "c"]))
    assert any(isinstance(result, Answer) for result in office.recorder.results)


def test_progress_is_counted_step_by_step():
    """Each step knows how many items are through and what it sent; together they are the run."""
    office = Office(FakeEndpoint(answer))
    asyncio.run(office.run(["good", "bad", "fine"]))
    steps = office.progress.steps
    assert [(step.n_done, step.n_sent) for step in steps.values()] == [(3, 4), (3, 2), (3, 2)]
    assert sum(step.cost_usd for step in steps.values()) == office.progress.cost_usd
    assert (office.progress.n_done, office.progress.n_sent) == (3, 8)


@given(
    st.lists(st.sampled_from(["a", "b", "bad", "lost"]), min_size=1, max_size=6),
    st.integers(1, 5),
    st.booleans(),
)
def test_results_do_not_depend_on_concurrency(texts, max_in_flight, is_forked):
    """However many go at once, every item ends as in strict order, and no answered call is sent twice."""
    steps = build_chain_steps(
        after=FORK if is_forked else LINE,
        prompts=FORKED if is_forked else PROMPTS,
        attempts=2,
        retry_failed=False,
    )
    strict, loose = (Office(FakeEndpoint(answer, n_turns=2), steps) for _ in range(2))
    expected = asyncio.run(strict.run(texts, max_in_flight=1))
    found = asyncio.run(loose.run(texts, max_in_flight=max_in_flight))
    assert outcomes_of(found) == outcomes_of(expected)
    assert [[end.output for end in found[place]] for place in sorted(found)] == [
        [end.output for end in expected[place]] for place in sorted(expected)
    ]
    answers = [result.key for result in loose.recorder.results if isinstance(result, Answer)]
    assert len(answers) == len(set(answers))
