import asyncio
from collections import Counter

import pytest

from llm_assets.core.calls import Answer, CallRequest, Fault
from llm_assets.core.completions import Completion
from llm_assets.core.item_replay import replay_items
from llm_assets.errors import ProviderError, StorageError
from llm_assets.gateways.caller import Progress
from llm_assets.gateways.dispatcher import Dispatcher
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets_tests.core.builders import build_chains
from llm_assets_tests.fakes import (
    FakeEndpoint,
    MemoryRecorder,
    build_caller,
    build_completion,
    build_fault,
    build_items,
    build_reading_step,
    echo,
)

TEXTS = [f"note {n}" for n in range(40)]
BUSY = build_fault("server_error", message="Busy.", http_status=503)


def answer_by_kind(request: CallRequest) -> Completion | Fault:
    """Right, wrong, cut off, refused or never answered, by the number in the question."""
    number = int(request.messages[0].content.split()[1])
    match number % 5:
        case 1:
            return build_completion("no JSON") if request.attempt == 1 else echo(request)
        case 2:
            return build_completion('{"answer": "cut', finish_reason="length")
        case 3:
            return build_completion(refusal="I would rather not.")
        case 4 if number > 10:
            return build_fault("rejected_request", http_status=400)
        case _:
            return echo(request)


def build_due(texts, step=None):
    """Every item as due: nothing is on record."""
    replayed = replay_items(step or build_reading_step(), build_items(texts), lambda _: {})
    return list(enumerate(build_chains(replayed)))


def finish(endpoint, texts, *, max_in_flight=1, recorder=None, progress=None, step=None):
    step = step or build_reading_step()
    progress = progress or Progress(n_to_run=len(texts))
    caller = build_caller(
        endpoint, recorder=recorder, progress=progress, max_in_flight=max_in_flight
    )
    dispatcher = Dispatcher([step], caller=caller, progress=progress, find_answers=lambda _: {})
    due = build_due(texts, step)
    ends = asyncio.run(dispatcher.finish_items(due, max_in_flight=max_in_flight))
    return {place: output for place, (output,) in ends.items()}


@pytest.mark.parametrize("max_in_flight", [1, 2, 7, 40, 100])
def test_no_more_calls_than_allowed_are_under_way(max_in_flight):
    """The limit is reached and never passed."""
    endpoint = FakeEndpoint(echo, n_turns=5)
    finish(endpoint, TEXTS, max_in_flight=max_in_flight)
    assert endpoint.max_in_flight == min(max_in_flight, len(TEXTS))


def test_one_at_a_time_is_strictly_in_order():
    """With one place, items are asked one after the other, each with all its attempts."""
    endpoint = FakeEndpoint(answer_by_kind)
    finish(endpoint, TEXTS[:3], step=build_reading_step(attempts=2))
    first_words = [request.messages[0].content for request in endpoint.requests]
    assert first_words == ["note 0", "note 1", "note 1", "note 2", "note 2"]
    assert [request.attempt for request in endpoint.requests] == [1, 1, 2, 1, 2]


def test_every_item_has_its_output_at_its_place():
    """Outputs are complete and carry their own item's names, whichever call came back first."""
    endpoint = FakeEndpoint(echo, n_turns=3)
    outputs = finish(endpoint, TEXTS, max_in_flight=7)
    assert sorted(outputs) == list(range(len(TEXTS)))
    for place, output in outputs.items():
        assert (output.work_id, output.row_ids) == (f"w{place}", (f"r{place}",))
        assert output.output == {"answer": TEXTS[place]}


def test_results_do_not_depend_on_concurrency():
    """One, three and fifty at once give equal outputs, also for items that fail in every way."""
    results = [
        finish(FakeEndpoint(answer_by_kind, n_turns=3), TEXTS, max_in_flight=max_in_flight)
        for max_in_flight in (1, 3, 50)
    ]
    assert results[0] == results[1] == results[2]
    outcomes = Counter(output.outcome for output in results[0].values())
    assert outcomes == {"accepted": 18, "truncated": 8, "refused": 8, "failed": 6}


@pytest.mark.parametrize("max_in_flight", [1, 50])
def test_identical_calls_are_sent_once(max_in_flight):
    """Equal requests share one call while it is under way, and every item gets the answer under its own name."""
    texts = ["same", "other", "same", "same"]
    endpoint, recorder = FakeEndpoint(echo, n_turns=3), MemoryRecorder()
    outputs = finish(endpoint, texts, max_in_flight=max_in_flight, recorder=recorder)
    assert sorted(endpoint.questions) == ["other", "same"]
    assert len(recorder.records) == 2
    assert [outputs[place].work_id for place in range(4)] == ["w0", "w1", "w2", "w3"]
    assert [outputs[place].output for place in (0, 2, 3)] == [{"answer": "same"}] * 3
    assert outputs[0].attempts == outputs[2].attempts


def test_identical_rows_ask_for_themselves_where_the_task_says_so():
    """With `share_identical: false` each of two equal rows gets an answer of its own."""
    endpoint = FakeEndpoint(echo)
    finish(endpoint, ["same", "same"], step=build_reading_step(share_identical=False))
    assert endpoint.questions == ["same", "same"]


def test_identical_items_share_their_failure():
    """A call that brings no answer ends all items that wait for it, each at its own place."""
    endpoint = FakeEndpoint(
        lambda request: echo(request) if request.messages[0].content == "good" else BUSY
    )
    outputs = finish(endpoint, ["good", "bad", "bad"])
    assert [outputs[place].outcome for place in range(3)] == ["accepted", "failed", "failed"]
    assert [outputs[place].work_id for place in (1, 2)] == ["w1", "w2"]


def test_a_hopeless_endpoint_stops_all_items():
    """The first fault that dooms every call ends the run with one plain error; what was answered is on record."""

    def run_out(request: CallRequest) -> Completion | Fault:
        if int(request.messages[0].content.split()[1]) < 10:
            return echo(request)
        return build_fault("quota_exhausted", http_status=429)

    endpoint, recorder = FakeEndpoint(run_out, n_turns=3), MemoryRecorder()
    with pytest.raises(ProviderError, match="cannot serve model"):
        finish(endpoint, TEXTS, max_in_flight=4, recorder=recorder)
    assert len(endpoint.requests) < 20
    assert sum(isinstance(result, Answer) for result in recorder.results) == 10


def test_a_ledger_that_cannot_be_written_stops_all_items():
    """Without a record nothing is sent any more; the error is one that a person can read."""

    class FullRecorder(MemoryRecorder):
        async def put(self, record, /):
            raise StorageError("The ledger cannot be written: disk full.")

    endpoint = FakeEndpoint(echo, n_turns=3)
    with pytest.raises(StorageError, match="disk full"):
        finish(endpoint, TEXTS, max_in_flight=4, recorder=FullRecorder())
    assert len(endpoint.requests) <= 8


def test_an_interrupted_run_keeps_what_was_answered(tmp_path):
    """After a cancellation the ledger holds every answer that had come, and the rest is what a new run asks."""

    def answer_and_tell(request: CallRequest) -> Completion:
        if progress.n_answers >= 10:
            is_under_way.set()
        return echo(request)

    step, items = build_reading_step(), build_items(TEXTS)
    endpoint, progress = FakeEndpoint(answer_and_tell), Progress(n_to_run=len(TEXTS))
    is_under_way = asyncio.Event()

    async def run(ledger):
        with ledger.open_writer() as writer:
            caller = build_caller(endpoint, recorder=writer, progress=progress)
            dispatcher = Dispatcher(
                [step], caller=caller, progress=progress, find_answers=ledger.find_answers
            )
            running = asyncio.ensure_future(
                dispatcher.finish_items(build_due(TEXTS), max_in_flight=4)
            )
            await is_under_way.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        asyncio.run(run(ledger))
        replayed = replay_items(step, items, ledger.find_answers)
    n_kept = sum(state.output is not None for state in replayed)
    assert progress.n_answers <= n_kept <= len(endpoint.requests)
    assert len(endpoint.requests) < len(TEXTS)


def test_progress_counts_every_item():
    """Items that share a call are all counted as done."""
    progress = Progress(n_to_run=4)
    finish(FakeEndpoint(echo), ["a", "b", "a", "a"], progress=progress)
    assert (progress.n_done, progress.n_sent) == (4, 2)


def test_nothing_to_do_is_nothing_done():
    """Without due items no call is sent and no output made."""
    endpoint = FakeEndpoint(echo)
    assert finish(endpoint, []) == {}
    assert endpoint.requests == []
