"""Whether first calls fill a provider's cache for the others, at no further call and with nobody kept waiting."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import TaskSettings
from llm_assets.core.calls import CallRequest, Fault, Usage
from llm_assets.core.completions import Completion
from llm_assets.core.ids import GroupContextId, GroupKey, RowId, WorkId
from llm_assets.core.item_replay import replay_items
from llm_assets.core.items import Item
from llm_assets.core.steps import PromptNames, build_step
from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.core.work_items import WorkItem
from llm_assets.gateways.budget import NoBudget
from llm_assets.gateways.caller import Caller, Route
from llm_assets.gateways.departures import MAX_FIRST_TRIES
from llm_assets.gateways.dispatcher import Dispatcher
from llm_assets.gateways.endpoint_client import Reply
from llm_assets.gateways.progress import Progress
from llm_assets_tests.core.builders import build_chains
from llm_assets_tests.fakes import (
    CENT,
    IDENTITY,
    MemoryRecorder,
    OneRoute,
    Reading,
    build_completion,
    build_fault,
    build_gate,
)
from llm_assets_tests.virtual_time import VirtualClock, run_virtually

MIN_TOKENS = 1024
LONG = "A rule that every one of these notes is read by. " * 150
LATENCY_SECONDS = 2.0
IN_FLIGHT = 16


@dataclass
class CachingServer:
    """Answers after a while; reads what an answered prompt began with from its cache, from 1,024 tokens on."""

    faults: dict[int, Fault] = field(default_factory=dict[int, Fault])
    """What comes of the first so many requests, by their number."""
    requests: list[str] = field(default_factory=list[str])
    left_at: list[float] = field(default_factory=list[float])
    cached_tokens: int = 0
    prompt_tokens: int = 0
    _known: list[str] = field(default_factory=list[str])

    async def send(self, request: CallRequest, /) -> Reply:
        text = "".join(message.content for message in request.messages)
        number = len(self.requests)
        self.requests.append(text)
        self.left_at.append(asyncio.get_running_loop().time())
        n_cached = max((count_shared_tokens(text, known) for known in self._known), default=0)
        await asyncio.sleep(LATENCY_SECONDS)
        fault = self.faults.get(number)
        return Reply(result=fault or self._answer(text, n_cached), request_id=None, announced=None)

    def _answer(self, text: str, n_cached: int) -> Completion:
        self._known.append(text)
        usage = Usage(
            prompt_tokens=count_tokens_approximately(text),
            completion_tokens=5,
            cached_tokens=n_cached,
        )
        self.cached_tokens += usage.cached_tokens
        self.prompt_tokens += usage.prompt_tokens
        return build_completion(usage=usage)

    @property
    def cached_share(self) -> float:
        return self.cached_tokens / self.prompt_tokens


def count_shared_tokens(one: str, other: str) -> int:
    """As providers do: nothing below 1,024 tokens, then in steps of 128."""
    pairs = enumerate(zip(one, other, strict=False))
    n_chars = next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
    n_tokens = count_tokens_approximately(one[:n_chars])
    return n_tokens // 128 * 128 if n_tokens >= MIN_TOKENS else 0


def build_items(groups: dict[str, int], *, context: str = LONG) -> list[Item]:
    """So many rows of each group, one group after the other."""
    return [
        Item(
            work=WorkItem(
                work_id=WorkId(f"{group}-{number}"),
                row_ids=(RowId(f"{group}-{number}"),),
                group_key=GroupKey(group),
                group_context_id=GroupContextId(group),
                values={"text": f"{group} {number}"},
                occurrence=0,
                cuts=(),
            ),
            group_context=f"{group}: {context}",
            epoch=0,
        )
        for group, n_rows in groups.items()
        for number in range(n_rows)
    ]


@dataclass(frozen=True, kw_only=True)
class End:
    outputs: dict
    recorder: MemoryRecorder
    progress: Progress
    seconds: float


def finish(
    server,
    items,
    *,
    system="Sort.",
    user="{{ group_context }} {{ text }}",
    min_prefix_tokens: int | None = MIN_TOKENS,
    max_in_flight=IN_FLIGHT,
) -> End:
    step = build_step(
        TaskSettings.model_validate(
            {
                "prompt": "p",
                "grouping": {"mode": "row_output_with_group_context", "column": "group"},
            }
        ).chain[0],
        prompt=PromptSettings(system=system, user=user),
        prompt_path="p",
        endpoint=PRESETS["offline"],
        base_url="http://offline.invalid/v1",
        output_model=Reading,
        schema_text="{}",
        names=PromptNames(mode="row_output_with_group_context", columns=("text",)),
        judge=None,
    )
    clock, progress, recorder = VirtualClock(), Progress(n_to_run=len(items)), MemoryRecorder()

    async def run():
        gate = build_gate(clock, progress, max_in_flight=max_in_flight)
        route = Route(name="caching", endpoint=server, compute_cost=lambda _: CENT, gate=gate)
        caller = Caller(
            identity=IDENTITY,
            routes=OneRoute(route),
            recorder=recorder,
            limits=TaskSettings(prompt="p").limits,
            clock=clock,
            progress=progress,
            budget=NoBudget(),
        )
        dispatcher = Dispatcher(
            [step],
            caller=caller,
            progress=progress,
            find_answers=lambda _: {},
            min_prefix_tokens=min_prefix_tokens,
        )
        due = list(enumerate(build_chains(replay_items(step, items, lambda _: {}))))
        ends = await dispatcher.finish_items(due, max_in_flight=max_in_flight)
        outputs = {place: output for place, (output,) in ends.items()}
        return outputs, clock.get_monotonic_seconds()

    outputs, seconds = run_virtually(run())
    return End(outputs=outputs, recorder=recorder, progress=progress, seconds=seconds)


def test_more_of_a_common_beginning_is_read_from_the_cache():
    """With long rules for all, one call goes first and all others find them: 48 rows, 16 at once."""
    items = build_items({"a": 48}, context="")
    with_warm_up, without = CachingServer(), CachingServer()
    finish(with_warm_up, items, system=LONG)
    finish(without, items, system=LONG, min_prefix_tokens=None)
    assert with_warm_up.left_at.count(0.0) == 1
    assert without.left_at.count(0.0) == IN_FLIGHT
    assert Counter(with_warm_up.requests) == Counter(without.requests)
    assert round(without.cached_share, 2) == 0.63
    assert round(with_warm_up.cached_share, 2) == 0.93


def test_more_of_each_group_is_read_from_the_cache():
    """With a long text for each of 32 groups of 5 rows, cached tokens rise from nothing to most, at full speed."""
    items = build_items({f"group {number}": 5 for number in range(32)})
    with_warm_up, without = CachingServer(), CachingServer()
    one = finish(with_warm_up, items)
    other = finish(without, items, min_prefix_tokens=None)
    assert Counter(with_warm_up.requests) == Counter(without.requests)
    assert without.cached_share < 0.35
    assert with_warm_up.cached_share > 0.7
    assert one.outputs.keys() == other.outputs.keys()
    assert {key: out.output for key, out in one.outputs.items()} == {
        key: out.output for key, out in other.outputs.items()
    }
    # 160 calls at 16 at once are ten rounds; the last group's others wait for its first one.
    assert other.seconds == 10 * LATENCY_SECONDS
    assert one.seconds <= 12 * LATENCY_SECONDS


def test_a_beginning_of_all_and_those_of_groups():
    """Where rules and groups are long, the first call of all goes alone, then the first of each group."""
    server = CachingServer()
    finish(server, build_items(dict.fromkeys("abc", 4)), system=LONG)
    assert [server.left_at.count(round_ * LATENCY_SECONDS) for round_ in range(4)] == [1, 5, 6, 0]
    firsts = [server.requests[0], *server.requests[4:6]]
    assert len({text[len(LONG) : len(LONG) + 2] for text in firsts}) == 3


@pytest.mark.parametrize(
    ("groups", "given"),
    [
        ({f"g{number}": 1 for number in range(12)}, {}),
        ({"a": 6, "b": 6}, {"user": "{{ text }} {{ group_context }}"}),
        ({"a": 12}, {"min_prefix_tokens": 10**6}),
        ({"a": 1}, {"system": LONG}),
    ],
)
def test_nobody_waits_for_nothing(groups, given):
    """Items that share no long beginning with another one leave at once, all together."""
    server = CachingServer()
    end = finish(server, build_items(groups), **given)
    assert set(server.left_at) == {0.0}
    assert end.seconds == LATENCY_SECONDS
    assert end.progress.waiting_for is None


def test_a_first_call_that_fails_loses_nothing():
    """A refused item ends as failed, the next one goes first, and every other item has its answer."""
    server = CachingServer(faults={0: build_fault("rejected_request", http_status=400)})
    end = finish(server, build_items({"a": 10}))
    assert [end.outputs[place].outcome for place in range(10)] == ["failed"] + ["accepted"] * 9
    assert [server.left_at.count(round_ * LATENCY_SECONDS) for round_ in range(3)] == [1, 1, 8]
    assert len(end.recorder.records) == 10


def test_others_do_not_wait_for_one_that_is_sent_again():
    """After a passing fault another item goes first at once, while the first one waits to be sent again."""
    server = CachingServer(faults={0: build_fault("server_error")})
    end = finish(server, build_items({"a": 10}))
    assert {output.outcome for output in end.outputs.values()} == {"accepted"}
    assert server.left_at[:2] == [0.0, LATENCY_SECONDS]
    assert server.left_at.count(2 * LATENCY_SECONDS) >= 8
    assert len(server.requests) == 11


def test_nobody_waits_for_ever():
    """Where first calls fail again and again, all others leave as if there were no cache."""
    faults = {n: build_fault("rejected_request", http_status=400) for n in range(MAX_FIRST_TRIES)}
    server = CachingServer(faults=faults)
    end = finish(server, build_items({"a": 12, "b": 1}))
    outcomes = Counter(output.outcome for output in end.outputs.values())
    assert outcomes == {"failed": MAX_FIRST_TRIES, "accepted": 13 - MAX_FIRST_TRIES}
    assert end.seconds <= (MAX_FIRST_TRIES + 1) * LATENCY_SECONDS


@pytest.mark.parametrize("max_in_flight", [1, 2, 5, 100])
def test_every_item_is_answered_whatever_is_in_flight(max_in_flight):
    """One at a time or all at once, each call is sent once and each item has its output."""
    items = build_items({"a": 4, "b": 1, "c": 3, "d": 2})
    server = CachingServer()
    end = finish(server, items, system=LONG, max_in_flight=max_in_flight)
    assert sorted(end.outputs) == list(range(10))
    assert len(server.requests) == len(set(server.requests)) == 10


def test_what_is_waited_for_is_said(monkeypatch: pytest.MonkeyPatch):
    """Who watches a run with one call under way reads why."""
    waits: list[str] = []
    monkeypatch.setattr(Progress, "note_wait", lambda _, reason: waits.append(reason))
    finish(CachingServer(), build_items({"a": 3}))
    assert set(waits) == {"a first answer, so that others find what they begin with cached"}
