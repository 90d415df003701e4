import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llm_assets.config.task import LimitSettings
from llm_assets.core.calls import Answer, Fault, Usage
from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.errors import ProviderError
from llm_assets.gateways.caller import Progress
from llm_assets_tests.fakes import (
    CENT,
    NOON,
    FakeClock,
    FakeEndpoint,
    MemoryRecorder,
    answer_in_json,
    build_call,
    build_caller,
    build_completion,
    build_fault,
    echo,
)

CALL = build_call("What is it?")
LIMITS = LimitSettings(fault_retries=4, backoff_seconds=1, max_backoff_seconds=5)
BUSY = build_fault("server_error", message="Busy.", http_status=503)


def find(caller, call=CALL):
    return asyncio.run(caller.find_answer(call))


def build_answered_progress() -> Progress:
    """That of a run in which some call was answered already."""
    return Progress(n_to_run=5, answered={CALL.kind}, n_answers=1)


def test_an_answer_is_on_record_with_everything_about_it():
    """What was asked, by whom and for what, and what came back, how fast and for how much, is put in one record."""
    clock, recorder = FakeClock(), MemoryRecorder()
    endpoint = FakeEndpoint(echo, clock=clock, latency_seconds=1.5)
    answer = find(build_caller(endpoint, recorder=recorder, clock=clock))
    assert answer == Answer(
        key=CALL.key,
        text=answer_in_json("What is it?"),
        refusal=None,
        finish_reason="stop",
        model="model-of-the-server",
        usage=Usage(prompt_tokens=10, completion_tokens=5),
        cost_usd=CENT,
        answered_at=clock.get_now(),
        latency_seconds=1.5,
        request_id="req-1",
    )
    (record,) = recorder.records
    assert (record.key, record.request, record.result) == (CALL.key, CALL.request, answer)
    assert (record.task, record.batch, record.run_id) == ("triage", "march", "run-1")
    assert (record.origin, record.purpose, record.endpoint) == (CALL.origin, "generate", "office")
    assert (record.recorded_at, record.latency_seconds) == (clock.get_now(), 1.5)


def test_the_record_is_made_before_the_answer_counts():
    """Nothing is made of an answer that could not be put on record."""

    class FullRecorder(MemoryRecorder):
        async def put(self, record, /):
            raise OSError("disk full")

    progress = Progress(n_to_run=1)
    caller = build_caller(FakeEndpoint(echo), recorder=FullRecorder(), progress=progress)
    with pytest.raises(OSError, match="disk full"):
        find(caller)
    assert progress.n_answers == 0


def test_the_servers_clock_dates_the_answer():
    """An answer is dated by the server where it tells the time, so that a replay gives the same bytes."""
    endpoint = FakeEndpoint([build_completion(created_seconds=1_767_225_600)])
    answer = find(build_caller(endpoint))
    assert isinstance(answer, Answer)
    assert answer.answered_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_passing_fault_is_waited_out():
    """A call is sent again after ever longer waits, up to the longest one."""
    clock = FakeClock()
    endpoint = FakeEndpoint([BUSY] * 4 + [build_completion()])
    answer = find(
        build_caller(endpoint, limits=LIMITS, clock=clock, progress=build_answered_progress())
    )
    assert isinstance(answer, Answer)
    assert clock.waits == [1, 2, 4, 5]


def test_jitter_shortens_waits():
    """At most half of a wait is taken off, so that many calls do not come back at once."""
    clock = FakeClock(jitter=1.0)
    endpoint = FakeEndpoint([BUSY, BUSY, build_completion()])
    find(build_caller(endpoint, limits=LIMITS, clock=clock, progress=build_answered_progress()))
    assert clock.waits == [0.5, 1]


def test_a_wait_is_as_long_as_the_server_asks():
    """`Retry-After` is honoured where it is longer than our own wait."""
    clock = FakeClock()
    asks_for_long = build_fault("rate_limited", http_status=429, retry_after_seconds=30.0)
    asks_for_short = build_fault("rate_limited", http_status=429, retry_after_seconds=0.1)
    endpoint = FakeEndpoint([asks_for_long, asks_for_short, build_completion()])
    find(build_caller(endpoint, limits=LIMITS, clock=clock, progress=build_answered_progress()))
    assert clock.seconds == 32
    assert clock.waits == [30, 2]


def test_every_try_is_on_record():
    """Failed tries are recorded like answers, under the same key and run, in order."""
    recorder = MemoryRecorder()
    endpoint = FakeEndpoint([BUSY, build_fault("timed_out", http_status=None), build_completion()])
    find(
        build_caller(endpoint, limits=LIMITS, recorder=recorder, progress=build_answered_progress())
    )
    kinds = [result.kind if isinstance(result, Fault) else "answer" for result in recorder.results]
    assert kinds == ["server_error", "timed_out", "answer"]
    assert {(record.key, record.run_id) for record in recorder.records} == {(CALL.key, "run-1")}
    assert [record.result.request_id for record in recorder.records] == [None, None, "req-3"]


def test_patience_ends():
    """After so many tries as the limits say, the item is given up and the fault comes back."""
    endpoint, progress = FakeEndpoint(lambda _: BUSY), build_answered_progress()
    assert find(build_caller(endpoint, limits=LIMITS, progress=progress)) == BUSY
    assert len(endpoint.requests) == 1 + LIMITS.fault_retries
    assert progress.given_up.total() == 1


def test_a_rejected_item_is_not_sent_again():
    """A request that the server finds wrong is wrong the second time, too."""
    rejected = build_fault("rejected_request", http_status=400)
    endpoint = FakeEndpoint([rejected])
    assert find(build_caller(endpoint, progress=build_answered_progress())) == rejected


@pytest.mark.parametrize(
    ("kind", "status", "remedy"),
    [
        ("bad_key", 401, "Check the key"),
        ("no_credit", 402, "top it up"),
        ("quota_exhausted", 429, "top it up"),
        ("forbidden", 403, "ask its owner"),
        ("unknown_model", 404, "`llm.model`"),
        ("rejected_settings", 400, "parameters under `llm`"),
    ],
)
def test_a_fault_that_dooms_every_call_stops_at_once(kind, status, remedy):
    """One try and one sentence: endpoint, model, status, the server's words and what to do; it is on record."""
    recorder = MemoryRecorder()
    fault = build_fault(kind, message="No way.", http_status=status, request_id="r-1")
    endpoint = FakeEndpoint([fault])
    with pytest.raises(ProviderError) as caught:
        find(build_caller(endpoint, recorder=recorder))
    assert str(caught.value).startswith(
        f"Endpoint 'office' cannot serve model 'extractive' ({status}): No way. "
        "Stopped after 1 call; every answer so far is kept."
    )
    assert remedy in caught.value.remedy
    assert (caught.value.kind, caught.value.request_id) == (kind, "r-1")
    assert recorder.results == [fault]


def test_an_address_where_nothing_ever_answered_stops_the_run():
    """Silence from the beginning is a wrong address sooner than a busy server."""
    silence = build_fault("unreachable", message="Refused.", http_status=None)
    endpoint = FakeEndpoint(lambda _: silence)
    with pytest.raises(ProviderError, match=r"'extractive': Refused\. .*base_url"):
        find(build_caller(endpoint, limits=LIMITS))
    assert len(endpoint.requests) == 3


def test_tokens_that_nobody_counted_are_estimated_and_marked():
    """Where the server gives no usage, our own count stands in its place and says so."""
    usages: list[Usage] = []

    def compute_cost(usage: Usage) -> Decimal:
        usages.append(usage)
        return CENT

    endpoint = FakeEndpoint([build_completion("Four words of text.", usage=None)])
    answer = find(build_caller(endpoint, compute_cost=compute_cost))
    assert isinstance(answer, Answer)
    assert answer.usage == Usage(
        prompt_tokens=count_tokens_approximately("What is it?"),
        completion_tokens=count_tokens_approximately("Four words of text."),
        is_approximate=True,
    )
    assert usages == [answer.usage]


def test_an_unknown_price_is_not_nothing():
    """A call without a known price costs None, and the run's sum says that it is a lower bound."""
    progress = Progress(n_to_run=2)
    caller = build_caller(FakeEndpoint(echo), progress=progress, compute_cost=lambda _: None)
    answer = find(caller)
    assert isinstance(answer, Answer)
    assert answer.cost_usd is None
    assert (progress.cost_usd, progress.cost_is_known) == (0, False)


def test_a_runs_account_adds_up():
    """Calls, faults, tokens, dollars and latencies are those of the calls that were sent."""
    clock, progress = FakeClock(), build_answered_progress()
    endpoint = FakeEndpoint(
        [BUSY, build_completion(), build_completion()], clock=clock, latency_seconds=2
    )
    caller = build_caller(endpoint, limits=LIMITS, clock=clock, progress=progress)
    find(caller)
    assert progress.waiting_for is None
    find(caller, build_call("And that?"))
    assert (progress.n_sent, progress.n_in_flight) == (3, 0)
    assert progress.faults == {"server_error": 1}
    assert (progress.prompt_tokens, progress.completion_tokens) == (20, 10)
    assert progress.cost_usd == 2 * CENT
    assert progress.latencies_seconds == [2, 2]


def test_a_wait_is_said():
    """While a call waits to be sent again, the progress says why and for how long."""
    said: list[str | None] = []

    class WatchedClock(FakeClock):
        async def wait(self, wait_seconds: float) -> None:
            said.append(progress.waiting_for)
            await super().wait(wait_seconds)

    progress = build_answered_progress()
    busy = build_fault("rate_limited", http_status=429, retry_after_seconds=12.0)
    endpoint = FakeEndpoint([busy, build_completion()])
    find(build_caller(endpoint, clock=WatchedClock(), progress=progress))
    assert said[0] == "429, resumes in 12 s"
    assert progress.waiting_for is None


def test_a_cancelled_call_is_no_longer_in_flight():
    """A call that is interrupted while it is under way leaves the count right and no record."""
    progress, recorder = Progress(n_to_run=1), MemoryRecorder()

    class SilentEndpoint(FakeEndpoint):
        async def send(self, request, /):
            is_asked.set()
            return await asyncio.get_running_loop().create_future()

    is_asked = asyncio.Event()

    async def run():
        caller = build_caller(SilentEndpoint([]), recorder=recorder, progress=progress)
        asking = asyncio.ensure_future(caller.find_answer(CALL))
        await is_asked.wait()
        assert progress.n_in_flight == 1
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(run())
    assert (progress.n_in_flight, recorder.records) == (0, [])


def test_the_time_of_the_record_is_the_clocks():
    """Records are dated in UTC by the run's own clock."""
    recorder = MemoryRecorder()
    find(build_caller(FakeEndpoint(echo), recorder=recorder))
    assert recorder.records[0].recorded_at == NOON
