"""What stands in for the clock, the endpoint and the record in tests, and the values that many tests begin with."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import LimitSettings, TaskSettings
from llm_assets.core.calls import (
    Answer,
    CallKind,
    CallOrigin,
    CallRequest,
    CallSettings,
    Fault,
    Message,
    Usage,
)
from llm_assets.core.completions import Completion
from llm_assets.core.concurrency import build_concurrency
from llm_assets.core.ids import BatchKey, CallKey, RowId, Sha256, TaskName, WorkId
from llm_assets.core.items import Item
from llm_assets.core.plan import Plan
from llm_assets.core.rate_limit import RateLimit
from llm_assets.core.step import Step
from llm_assets.core.steps import PromptNames, build_step
from llm_assets.core.work_items import WorkItem
from llm_assets.gateways.budget import NoBudget
from llm_assets.gateways.caller import Call, Caller, Progress, Route, RunIdentity
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.endpoint_client import Reply
from llm_assets.gateways.gate import Gate
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.ledger.records import CallRecord
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.price_catalog import ComputeCost

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
IDENTITY = RunIdentity(task=TaskName("triage"), batch=BatchKey("march"), run_id="run-1")
ORIGIN = CallOrigin(
    work_id=WorkId("w1"),
    row_id=RowId("r1"),
    group_context_id=None,
    prompt_sha256=Sha256("p"),
    schema_sha256=Sha256("s"),
    settings_sha256=Sha256("c"),
)
CENT = Decimal("0.01")
USAGE = Usage(prompt_tokens=10, completion_tokens=5)

Result = Completion | Fault
Script = Callable[[CallRequest], Result]


class FakeClock:
    """A clock that stands still until somebody waits; then the wait is over at once and time has passed.

    Waits of one of `held_seconds` never end, so that a task which only ticks does not run away with the time.
    """

    def __init__(self, *, held_seconds: Collection[float] = (), jitter: float = 0.0) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []
        self._held_seconds = held_seconds
        self._jitter = jitter

    def get_now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def get_monotonic_seconds(self) -> float:
        return self.seconds

    def draw_jitter(self) -> float:
        return self._jitter

    async def wait(self, wait_seconds: float) -> None:
        self.waits.append(wait_seconds)
        if wait_seconds in self._held_seconds:
            await asyncio.get_running_loop().create_future()
        self.seconds += wait_seconds
        await asyncio.sleep(0)


class FakeEndpoint:
    """Answers as scripted, after letting the others go first, and keeps what it was asked.

    A script is a function of the request, or results to be given in turn.
    """

    def __init__(
        self,
        script: Script | Iterable[Result],
        *,
        clock: FakeClock | None = None,
        latency_seconds: float = 0.0,
        n_turns: int = 1,
    ) -> None:
        self.requests: list[CallRequest] = []
        self.n_in_flight = 0
        self.max_in_flight = 0
        self._script = script if callable(script) else _build_script(script)
        self._clock = clock
        self._latency_seconds = latency_seconds
        self._n_turns = n_turns

    async def send(self, request: CallRequest, /) -> Reply:
        self.requests.append(request)
        self.n_in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.n_in_flight)
        try:
            for _ in range(self._n_turns):
                await asyncio.sleep(0)
            if self._clock:
                self._clock.seconds += self._latency_seconds
            result = self._script(request)
        finally:
            self.n_in_flight -= 1
        return Reply(result=result, request_id=f"req-{len(self.requests)}", announced=None)

    @property
    def questions(self) -> list[str]:
        """The last message of every request, in the order in which they came."""
        return [request.messages[-1].content for request in self.requests]


def _build_script(results: Iterable[Result]) -> Script:
    remaining = iter(results)
    return lambda _: next(remaining)


class MemoryRecorder:
    """Keeps records in a list."""

    def __init__(self) -> None:
        self.records: list[CallRecord] = []

    async def put(self, record: CallRecord, /) -> None:
        self.records.append(record)
        await asyncio.sleep(0)

    @property
    def results(self) -> list[Answer | Fault]:
        return [record.result for record in self.records]


class RecordingObserver(Observer):
    """Keeps what it is told, each with what an outside counter said at that moment."""

    def __init__(self, count: Callable[[], int] = lambda: 0) -> None:
        self.plans: list[Plan] = []
        self.counts_at_plan: list[int] = []
        self.done: list[tuple[int, int]] = []
        self._count = count

    def show_plan(self, plan: Plan, /) -> None:
        self.plans.append(plan)
        self.counts_at_plan.append(self._count())

    def show_progress(self, progress: Progress, /) -> None:
        self.done.append((progress.n_done, progress.n_to_run))


class Reading(BaseModel):
    """What a note says."""

    model_config = ConfigDict(extra="forbid")

    answer: str


def answer_in_json(text: str) -> str:
    return Reading(answer=text).model_dump_json()


def build_completion(
    text: str | None = None,
    *,
    refusal: str | None = None,
    finish_reason: str = "stop",
    usage: Usage | None = USAGE,
    created_seconds: int | None = None,
) -> Completion:
    return Completion(
        text=answer_in_json("fine") if text is None and not refusal else text,
        refusal=refusal,
        finish_reason=finish_reason,
        model="model-of-the-server",
        usage=usage,
        created_seconds=created_seconds,
    )


def echo(request: CallRequest) -> Completion:
    """A valid answer that depends on the question alone."""
    return build_completion(answer_in_json(request.messages[-1].content))


def build_request(
    text: str = "Hello.",
    *,
    messages: Sequence[Message] | None = None,
    attempt: int = 1,
    settings: CallSettings | None = None,
    max_output_tokens: int | None = None,
) -> CallRequest:
    return CallRequest(
        settings=settings or build_settings(),
        messages=tuple(messages or [Message(role="user", content=text)]),
        max_output_tokens=max_output_tokens,
        attempt=attempt,
        epoch=0,
        occurrence=0,
    )


def build_settings(**changes: object) -> CallSettings:
    given: dict[str, object] = {
        "endpoint": "http://offline.invalid/v1",
        "model": "extractive",
        "response_format": None,
        "parameters": {},
        "token_parameter": "max_tokens",
        **changes,
    }
    return CallSettings(**given)  # pyright: ignore[reportArgumentType] -- a test says which ones it changes


def build_call(text: str = "Hello.") -> Call:
    request = build_request(text)
    return Call(
        key=request.build_key(),
        request=request,
        purpose="generate",
        origin=ORIGIN,
        shared_texts=(),
    )


def build_answer(key: CallKey, text: str | None = "fine", **changes: object) -> Answer:
    given: dict[str, object] = {
        "key": key,
        "text": text,
        "refusal": None,
        "finish_reason": "stop",
        "model": "model-of-the-server",
        "usage": USAGE,
        "cost_usd": CENT,
        "answered_at": NOON,
        "latency_seconds": 0.5,
        "request_id": "req-1",
        **changes,
    }
    return Answer(**given)  # pyright: ignore[reportArgumentType] -- a test says which ones it changes


def build_fault(kind: str = "server_error", **changes: object) -> Fault:
    given: dict[str, object] = {"kind": kind, "message": "It broke.", "http_status": 500, **changes}
    return Fault(**given)  # pyright: ignore[reportArgumentType] -- a test says which ones it changes


def build_record(
    request: CallRequest,
    result: Answer | Fault | None = None,
    *,
    task: str = "triage",
    batch: str = "march",
    shared_texts: tuple[str, ...] = (),
) -> CallRecord:
    key = request.build_key()
    return CallRecord(
        key=key,
        request=request,
        purpose="generate",
        shared_texts=shared_texts,
        task=TaskName(task),
        batch=BatchKey(batch),
        run_id="run-1",
        origin=ORIGIN,
        endpoint="offline",
        recorded_at=NOON,
        latency_seconds=0.5,
        result=result or build_answer(key),
    )


def put_records(ledger: Ledger, records: Iterable[CallRecord]) -> None:
    """Put records on record all at once, as a run does."""

    async def put() -> None:
        with ledger.open_writer() as writer:
            await asyncio.gather(*map(writer.put, records))

    asyncio.run(put())


class OneRoute(dict[CallKind, Route]):
    """The same way for calls of every kind."""

    def __init__(self, route: Route) -> None:
        super().__init__()
        self._route = route

    def __missing__(self, kind: CallKind) -> Route:
        return self._route


def build_gate(clock: Clock, progress: Progress, *, max_in_flight: int) -> Gate:
    """A gate with so many places, and no limit per minute."""
    return Gate(
        concurrency=build_concurrency(ceiling=max_in_flight, is_fixed=True),
        rate=RateLimit(requests_per_minute=None, tokens_per_minute=None),
        clock=clock,
        note_wait=progress.note_wait,
    )


def build_caller(
    endpoint: FakeEndpoint,
    *,
    recorder: MemoryRecorder | None = None,
    limits: LimitSettings | None = None,
    clock: FakeClock | None = None,
    progress: Progress | None = None,
    compute_cost: ComputeCost = lambda _: CENT,
    max_in_flight: int = 1000,
) -> Caller:
    clock, progress = clock or FakeClock(), progress or Progress(n_to_run=1)
    gate = build_gate(clock, progress, max_in_flight=max_in_flight)
    route = Route(name="office", endpoint=endpoint, compute_cost=compute_cost, gate=gate)
    return Caller(
        identity=IDENTITY,
        routes=OneRoute(route),
        recorder=recorder or MemoryRecorder(),
        limits=limits or LimitSettings(),
        clock=clock,
        progress=progress,
        budget=NoBudget(),
    )


def build_reading_step(*, user: str = "{{ text }}", **attempts: object) -> Step:
    """A step that asks for a `Reading` of the column `text`."""
    settings = TaskSettings.model_validate({"prompt": "p.yaml", "attempts": attempts})
    return build_step(
        settings.chain[0],
        prompt=PromptSettings(user=user),
        prompt_path="p.yaml",
        endpoint=PRESETS["offline"],
        base_url="http://offline.invalid/v1",
        output_model=Reading,
        schema_text="{}",
        names=PromptNames(mode="row", columns=("text",)),
        judge=None,
    )


def build_items(texts: Sequence[str]) -> list[Item]:
    """Items of one row each, numbered in order; equal texts are counted like equal rows."""
    return [
        Item(
            work=WorkItem(
                work_id=WorkId(f"w{number}"),
                row_ids=(RowId(f"r{number}"),),
                group_key=None,
                group_context_id=None,
                values={"text": text},
                occurrence=list(texts[:number]).count(text),
                cuts=(),
            ),
            group_context=None,
            epoch=0,
        )
        for number, text in enumerate(texts)
    ]
