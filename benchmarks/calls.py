"""What an item costs beside the model: CPU per item, wall time against the ideal, memory per item.

    python benchmarks/calls.py                      CPU ratio to the plain SDK loop, median of 5 pairs
    python benchmarks/calls.py --latency 0.5 --items 5000     wall time against N x latency / in flight

Ours is everything an item goes through: render, key, look-up, call, validate, durable ledger write, output.
The plain loop is `chat.completions.create` over the aiohttp transport, with nothing stored and nothing validated.
Each measurement is a process of its own, against a server that is another one.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median

FOLDER = Path(__file__).parent
SYSTEM = """You sort support tickets. Answer with one JSON object by this schema:
{{ llm_schema }}"""
USER = """Sort this ticket.

<ticket>
{{ row_block }}
</ticket>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One run over all items, start-up left out."""

    n_items: int
    cpu_ms_per_item: float
    wall_seconds: float
    memory_growth_bytes_per_item: float
    p50_seconds: float | None
    p95_seconds: float | None
    max_seconds: float | None
    n_refused: int


def build_values(index: int) -> dict[str, str]:
    """A row of five columns and about 400 characters, unlike every other."""
    words = f"ticket {index} says that the thermostat in room {index % 97} shows {index * 7919 % 10007} "
    return {
        "ticket_id": f"T-{index:06}",
        "product": ("hub", "thermostat", "valve")[index % 3],
        "subject": f"Problem {index} with the heating",
        "body": words * 4,
        "note": f"seen {index % 13} times before, last on day {index % 365}",
    }


def measure_plain(base_url: str, n_items: int, in_flight: int) -> Measurement:
    """The loop a person would write with the SDK."""
    from openai import AsyncOpenAI, DefaultAioHttpClient

    async def run() -> list[float]:
        latencies: list[float] = []
        queue = iter(range(n_items))

        async def work(client: AsyncOpenAI) -> None:
            for index in queue:
                text = "\n".join(f"{name}: {value}" for name, value in build_values(index).items())
                started = time.perf_counter()
                completion = await client.chat.completions.create(
                    model="benchmark",
                    messages=[
                        {"role": "system", "content": SYSTEM},
                        {"role": "user", "content": text},
                    ],
                    temperature=0,
                )
                latencies.append(time.perf_counter() - started)
                assert completion.choices[0].message.content  # noqa: S101 -- the answer is there

        client = AsyncOpenAI(
            api_key="k", base_url=base_url, http_client=DefaultAioHttpClient(), max_retries=0
        )
        async with client, asyncio.TaskGroup() as workers:
            for _ in range(in_flight):
                workers.create_task(work(client))
        return latencies

    with _measure(n_items) as figures:
        latencies = sorted(asyncio.run(run()))
    shares = (0.5, 0.95, 1.0)
    figures.quantiles_seconds = tuple(latencies[int((len(latencies) - 1) * at)] for at in shares)
    return figures.build()


def measure_ours(base_url: str, n_items: int, in_flight: int) -> Measurement:
    """The whole way of an item, from its work item to its output in a file."""
    # Imports are start-up and left out, as in the plain loop; the run itself imports what it uses when it needs it.
    import openai
    import requests
    import tiktoken
    from upath import UPath

    from llm_assets.config.task import BudgetSettings, LimitSettings
    from llm_assets.core.ids import BatchKey, TaskName
    from llm_assets.core.llm_outputs import LLMOutputs, LLMOutputsMeta, build_totals
    from llm_assets.core.run_choice import RunChoice
    from llm_assets.gateways.artifacts import write_records
    from llm_assets.gateways.caller import RunIdentity
    from llm_assets.gateways.clock import SystemClock
    from llm_assets.gateways.connections import Connection
    from llm_assets.gateways.ledger.ledger import open_ledger
    from llm_assets.gateways.llm_run import LLMRun, Observer
    from llm_assets.gateways.task_steps import ConnectedStep

    _ = (openai.AsyncOpenAI, openai.DefaultAioHttpClient, requests, tiktoken.encoding_for_model)
    step, endpoint = _build_step(base_url)
    connection = Connection(
        name="benchmark",
        endpoint=endpoint,
        base_url=base_url,
        api_key="k",
        compute_cost=lambda _usage: Decimal("0.0001"),
    )
    items = _build_items(n_items)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_ledger(f"sqlite:///{folder}/l.sqlite") as ledger,
    ):
        run = LLMRun(
            steps=[ConnectedStep(step=step, connections={"generate": connection})],
            identity=RunIdentity(task=TaskName("t"), batch=BatchKey("b"), run_id="r"),
            limits=LimitSettings(max_in_flight=in_flight),
            budget=BudgetSettings(),
            ledger=ledger,
            clock=SystemClock(),
            observer=Observer(),
        )
        with _measure(n_items) as figures:
            result = run.finish_batch(items, RunChoice(limit=None, is_forced=False))
            meta = LLMOutputsMeta(
                endpoint="benchmark",
                model="benchmark",
                is_rehearsal=False,
                prompt_path="p",
                prompt_sha256=step.prompt.sha256,
                schema_sha256=step.schema_sha256,
                judge_model=None,
                judge_prompt_sha256=None,
                structured_output="json_object",
                parameters={},
                totals=build_totals(result.outputs),
            )
            outputs = LLMOutputs(meta=meta, records=result.outputs)
            write_records(UPath(folder) / "outputs.jsonl", outputs)
        assert result.summary.outcomes["accepted"] == n_items  # noqa: S101 -- else it measured something else
        summary = result.summary
        figures.quantiles_seconds = (
            summary.latency_p50_seconds,
            summary.latency_p95_seconds,
            summary.latency_max_seconds,
        )
        figures.n_refused = result.summary.faults.get("rate_limited", 0)
        return figures.build()


def _build_step(base_url: str):  # noqa: ANN202 -- two values of a long name
    from typing import Literal

    from pydantic import BaseModel, ConfigDict, Field

    from llm_assets.config.endpoint import EndpointSettings
    from llm_assets.config.prompt import PromptSettings
    from llm_assets.config.task import TaskSettings
    from llm_assets.core.schema_text import build_schema_text
    from llm_assets.core.steps import PromptNames, build_step

    class LLMOutput(BaseModel):
        model_config = ConfigDict(extra="forbid")
        category: Literal["billing", "delivery", "other"]
        urgency: Literal["low", "medium", "high"]
        summary: str = Field(max_length=240)
        confidence: float = Field(ge=0, le=1)

    settings = TaskSettings.model_validate(
        {"prompt": "p", "llm": {"endpoint": "b", "model": "benchmark", "temperature": 0}}
    )
    endpoint = EndpointSettings(base_url=base_url, structured_output="json_object")
    step = build_step(
        settings.chain[0],
        prompt=PromptSettings(system=SYSTEM, user=USER),
        prompt_path="p",
        endpoint=endpoint,
        base_url=base_url,
        output_model=LLMOutput,
        schema_text=build_schema_text({"LLMOutput": LLMOutput}),
        names=PromptNames(mode="row", columns=tuple(build_values(0))),
        judge=None,
    )
    return step, endpoint


def _build_items(n_items: int):  # noqa: ANN202 -- imported where it is used
    from llm_assets.core.ids import RowId, WorkId
    from llm_assets.core.items import Item
    from llm_assets.core.work_items import WorkItem

    return tuple(
        Item(
            work=WorkItem(
                work_id=WorkId(f"w{index}"),
                row_ids=(RowId(f"r{index}"),),
                group_key=None,
                group_context_id=None,
                values=dict(build_values(index)),
                occurrence=0,
                cuts=(),
            ),
            group_context=None,
            epoch=0,
        )
        for index in range(n_items)
    )


class _Figures:
    def __init__(self, n_items: int) -> None:
        self.n_items = n_items
        self.cpu_seconds = 0.0
        self.wall_seconds = 0.0
        self.memory_bytes = 0
        self.quantiles_seconds: tuple[float | None, ...] = ()
        self.n_refused = 0

    def build(self) -> Measurement:
        p50_seconds, p95_seconds, max_seconds = self.quantiles_seconds
        return Measurement(
            n_items=self.n_items,
            cpu_ms_per_item=self.cpu_seconds * 1000 / self.n_items,
            wall_seconds=self.wall_seconds,
            memory_growth_bytes_per_item=self.memory_bytes / self.n_items,
            p50_seconds=p50_seconds,
            p95_seconds=p95_seconds,
            max_seconds=max_seconds,
            n_refused=self.n_refused,
        )


@contextmanager
def _measure(n_items: int) -> Generator[_Figures]:
    figures = _Figures(n_items)
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    yield figures
    figures.wall_seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    figures.cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures.memory_bytes = (after.ru_maxrss - before.ru_maxrss) * 1024


@contextmanager
def open_server(latency_seconds: float) -> Generator[str]:
    """The server in its own process; its address."""
    command = [sys.executable, str(FOLDER / "fast_server.py"), str(latency_seconds)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        port = server.stdout.readline().strip() if server.stdout else ""
        yield f"http://127.0.0.1:{port}/v1"
        server.communicate()


def measure_in_process(kind: str, base_url: str, n_items: int, in_flight: int) -> Measurement:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, "--child", kind, base_url, str(n_items), str(in_flight)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measurement(**json.loads(found.stdout.splitlines()[-1]))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--child", nargs=4)
    options = parser.parse_args()
    if options.child:
        kind, base_url, n_items, in_flight = options.child
        measure = measure_ours if kind == "ours" else measure_plain
        print(json.dumps(asdict(measure(base_url, int(n_items), int(in_flight)))))
        return
    ratios: list[float] = []
    with open_server(options.latency) as base_url:
        for _ in range(options.pairs):
            plain = measure_in_process("plain", base_url, options.items, options.in_flight)
            ours = measure_in_process("ours", base_url, options.items, options.in_flight)
            ratios.append(ours.cpu_ms_per_item / plain.cpu_ms_per_item)
            _print_pair(plain, ours, options.latency, options.in_flight)
    print(
        f"CPU per item, ours to the plain SDK loop: median {median(ratios):.2f} of {options.pairs} pairs"
    )


def _print_pair(
    plain: Measurement, ours: Measurement, latency_seconds: float, in_flight: int
) -> None:
    ideal = ours.n_items * latency_seconds / in_flight
    for name, found in (("plain", plain), ("ours", ours)):
        against = f", {found.wall_seconds / ideal:.2f} x ideal" if ideal else ""
        tail = f", p50 {found.p50_seconds or 0:.3f} p95 {found.p95_seconds or 0:.3f} max {found.max_seconds or 0:.3f} s"
        print(
            f"{name:>6}: {found.cpu_ms_per_item:.2f} ms CPU an item, {found.wall_seconds:.2f} s wall{against}"
            f"{tail}, {found.memory_growth_bytes_per_item / 1000:.2f} kB an item, {found.n_refused} refused"
        )


if __name__ == "__main__":
    main()
