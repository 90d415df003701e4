import asyncio
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.calls import Answer, CallRequest, Fault
from llm_assets.core.completions import Completion
from llm_assets.core.ids import RowId, WorkId
from llm_assets.core.item_replay import replay_items
from llm_assets.core.items import Item
from llm_assets.core.work_items import WorkItem
from llm_assets.gateways.dispatcher import Dispatcher
from llm_assets.gateways.progress import Progress
from llm_assets_tests.core.builders import Ledger, build_answer, build_chains
from llm_assets_tests.core.judges import build_judged_step
from llm_assets_tests.fakes import (
    FakeEndpoint,
    MemoryRecorder,
    build_caller,
    build_completion,
    build_fault,
)

SAME = '{"label": "same", "score": 1}'


def build_items(rows):
    return [
        Item(
            work=WorkItem(
                work_id=WorkId(f"w{number}"),
                row_ids=(RowId(f"r{number}"),),
                group_key=None,
                group_context_id=None,
                values={"text": text, "team": team},
                occurrence=0,
                cuts=(),
            ),
            group_context=None,
            epoch=0,
        )
        for number, (text, team) in enumerate(rows)
    ]


class Office:
    """A model and a judge behind one dispatcher, with a record that lasts from run to run."""

    def __init__(self, script) -> None:
        self.recorder = MemoryRecorder()
        self.endpoint = FakeEndpoint(script, n_turns=3)

    def find_answers(self, keys):
        wanted = set(keys)
        found = [result for result in self.recorder.results if isinstance(result, Answer)]
        return {answer.key: answer for answer in reversed(found) if answer.key in wanted}

    def run(self, step, rows, *, max_in_flight=8):
        replayed = replay_items(step, build_items(rows), self.find_answers)
        chains = build_chains(replayed)
        due = [(place, chain) for place, chain in enumerate(chains) if chain.next_keys]
        progress = Progress(n_to_run=len(due))
        caller = build_caller(self.endpoint, recorder=self.recorder, progress=progress)
        dispatcher = Dispatcher(
            [step], caller=caller, progress=progress, find_answers=self.find_answers
        )
        finished = asyncio.run(dispatcher.finish_items(due, max_in_flight=max_in_flight))
        outputs = [
            finished[place][0] if place in finished else state.output
            for place, state in enumerate(replayed)
        ]
        return [output for output in outputs if output is not None]

    @property
    def asked(self):
        """Who was asked what, in order."""
        return [(r.settings.model, r.messages[0].content) for r in self.endpoint.requests]


def judge_by(decide):
    """A script in which every answer is the same and the judge decides by its prompt."""

    def script(request: CallRequest) -> Completion | Fault:
        if request.settings.model == "writer":
            return build_completion(SAME)
        is_right = decide(request.messages[0].content)
        return build_completion(json.dumps({"reason": "because", "verdict": is_right}))

    return script


@pytest.mark.parametrize("max_in_flight", [1, 8])
def test_a_verdict_is_reused_where_two_items_have_the_same_answer(max_in_flight):
    """A judge that sees the answer alone is asked once about answers that are equal, also while it thinks."""
    office = Office(judge_by(lambda _: True))
    step = build_judged_step(prompt="{{ output_json }}")
    outputs = office.run(step, [("a", "x"), ("b", "x"), ("c", "x")], max_in_flight=max_in_flight)
    assert sorted(model for model, _ in office.asked) == ["judge", "writer", "writer", "writer"]
    assert [output.outcome for output in outputs] == ["accepted"] * 3


def test_a_repeated_answer_brings_no_second_verdict():
    """A model that insists on a rejected answer is rejected by the verdict on record."""
    office = Office(judge_by(lambda _: False))
    (output,) = office.run(build_judged_step(retries=2), [("a", "x")])
    assert [model for model, _ in office.asked] == ["writer", "judge", "writer", "writer"]
    assert (output.outcome, len(output.attempts)) == ("rejected", 6)


def test_rows_that_share_an_answer_have_their_own_verdicts():
    """What only the judge sees parts two rows: one call answers both, and each is judged for itself."""
    office = Office(judge_by(lambda prompt: prompt.endswith("sales")))
    step = build_judged_step(prompt="{{ output_json }} for {{ team }}", retries=0)
    outputs = office.run(step, [("a", "sales"), ("a", "service"), ("a", "sales")])
    assert sorted(model for model, _ in office.asked) == ["judge", "judge", "writer"]
    assert [output.outcome for output in outputs] == ["accepted", "rejected", "accepted"]
    assert [output.work_id for output in outputs] == ["w0", "w1", "w2"]


def test_items_that_meet_at_the_judge_part_again():
    """After a shared rejection each row is asked again with its own prompt, and gets its own answer."""

    def script(request: CallRequest) -> Completion | Fault:
        question = request.messages[0].content
        if request.settings.model == "judge":
            reply = {"reason": "too vague", "verdict": "vague" not in question}
        else:
            label = "vague" if request.attempt == 1 else f"about {question}"
            reply = {"label": label, "score": 1}
        return build_completion(json.dumps(reply))

    office = Office(script)
    rows = [("a", "x"), ("b", "x")]
    office.run(build_judged_step(prompt="New? {{ output_json }}"), rows)
    outputs = office.run(build_judged_step(prompt="{{ output_json }}"), rows)
    assert [output.output for output in outputs] == [
        {"label": "about a", "score": 1},
        {"label": "about b", "score": 1},
    ]


def test_another_judge_that_agrees_finds_the_later_answers_too():
    """With another judge prompt only the judge is asked, also where it sends items down the same way again."""

    def script(request: CallRequest) -> Completion | Fault:
        if request.settings.model == "judge":
            is_right = '"score":2' in request.messages[0].content
            return build_completion(json.dumps({"reason": "too low", "verdict": is_right}))
        return build_completion(json.dumps({"label": "x", "score": request.attempt}))

    office = Office(script)
    office.run(build_judged_step(), [("a", "x")])
    n_before = len(office.asked)
    (output,) = office.run(build_judged_step(prompt="New: {{ output_json }}"), [("a", "x")])
    assert [model for model, _ in office.asked[n_before:]] == ["judge", "judge"]
    assert (output.outcome, output.output) == ("accepted", {"label": "x", "score": 2})


def test_items_that_wait_for_one_verdict_share_its_failure():
    """A call to the judge that brings no answer ends all items that wait for it, and is not sent once more for each."""

    def script(request: CallRequest) -> Completion | Fault:
        if request.settings.model == "judge":
            return build_fault("rejected_request", message="Too long.", http_status=400)
        return build_completion(SAME)

    office = Office(script)
    outputs = office.run(build_judged_step(prompt="{{ output_json }}"), [("a", "x"), ("b", "x")])
    assert sorted(model for model, _ in office.asked) == ["judge", "writer", "writer"]
    assert [output.reason for output in outputs] == ["The judge did not answer: Too long."] * 2
    assert [output.attempts[0].call_key for output in outputs] == [
        result.key for result in office.recorder.results if isinstance(result, Answer)
    ]


PROMPTS = st.sampled_from(
    ["{{ output_json }}", "{{ output_json }} {{ team }}", "{{ output.label }}"]
)
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=6)


def decide_by_hash(request: CallRequest) -> str:
    """A reply that depends on the request alone; few different ones, so that answers meet."""
    turn = hashlib.sha256(request.build_key().encode()).digest()[0] % 4
    if request.settings.model == "judge":
        return [
            "no verdict",
            '{"reason": "r", "verdict": true}',
            '{"reason": "r", "verdict": false}',
        ][turn % 3]
    return ["no JSON", '{"label": "p", "score": 1}', '{"label": "q", "score": 1}', SAME][turn]


@given(ROWS, PROMPTS, st.integers(1, 4))
def test_every_item_ends_as_it_would_alone_and_no_call_is_sent_twice(rows, prompt, max_in_flight):
    """Sharing calls changes no outcome: each item's end is that of a run of its own, and each call is paid once."""
    step = build_judged_step(prompt=prompt, attempts=2)
    office = Office(lambda request: build_completion(decide_by_hash(request)))
    outputs = office.run(step, rows, max_in_flight=max_in_flight)
    keys = [request.build_key() for request in office.endpoint.requests]
    assert len(set(keys)) == len(keys)
    for item, output in zip(build_items(rows), outputs, strict=True):
        (alone,) = Ledger().run(step, [item], answer_alone)
        assert describe(output) == describe(alone)


def answer_alone(request: CallRequest) -> Answer:
    return build_answer(decide_by_hash(request), key=request.build_key())


def describe(output):
    keys = [attempt.call_key for attempt in output.attempts]
    return (output.work_id, output.outcome, output.output, output.verdict, output.reason, keys)
