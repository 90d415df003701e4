import asyncio
import json
import os
import re
import subprocess
import sys

import pytest
from openai import APIConnectionError, AsyncOpenAI, DefaultAioHttpClient

SCRIPT = """
import sys
from llm_assets.gateways.offline_model.app import build_app
from llm_assets.gateways.offline_model.misbehaviour import parse_misbehaviour
from llm_assets.gateways.offline_model.serve import serve
serve(build_app(parse_misbehaviour(sys.argv[1])), "127.0.0.1", 0)
"""


@pytest.fixture
def start_server():
    """`start_server(switches)`: the base URL of a server process that is ready."""
    processes: list[subprocess.Popen[str]] = []

    def start(switches: str = "") -> str:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, switches],
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stderr is not None
        log = ""
        while (found := re.search(r"running on (\S+)", log)) is None:
            line = process.stderr.readline()
            assert line, log
            log += line
        return f"{found[1]}/v1"

    yield start
    for process in processes:
        process.terminate()
        process.communicate(timeout=10)


def ask(base_url: str, n_requests: int) -> list:
    async def run() -> list:
        async with AsyncOpenAI(
            api_key="k", base_url=base_url, http_client=DefaultAioHttpClient(), max_retries=0
        ) as client:
            calls = (
                client.chat.completions.create(
                    model="echo", messages=[{"role": "user", "content": f"body: Row {i}"}]
                )
                for i in range(n_requests)
            )
            replies = await asyncio.gather(*calls, return_exceptions=True)
            tally = await client.get("/_tally", cast_to=object)
            return [*replies, tally]

    return asyncio.run(run())


@pytest.mark.slow
def test_the_model_can_be_served_over_http(start_server):
    """Another process is asked by the same client, and its tally can be read."""
    *replies, tally = ask(start_server(), 20)
    texts = [reply.choices[0].message.content for reply in replies]
    assert texts == [f"Row {i}" for i in range(20)]
    assert json.loads(json.dumps(tally))["n_answered"] == 20


@pytest.mark.slow
def test_answers_do_not_depend_on_the_hash_seed():
    """Two processes that order sets differently give the same bytes."""
    script = """
import asyncio, httpx2
from llm_assets.gateways.offline_model.app import build_app
schema = '{"type": "object", "properties": {"tags": {"type": "array"}, "reason": {"type": "string"}}}'
body = '{"model": "extractive", "messages": [{"role": "user", "content": "body: Ants like bees, cats, dogs"},' \
    '{"role": "system", "content": ' + __import__("json").dumps(schema) + '}]}'
async def main():
    transport = httpx2.ASGITransport(build_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        print((await client.post("/v1/chat/completions", content=body)).text)
asyncio.run(main())
"""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert b"ants" in outputs[0]


@pytest.mark.slow
def test_a_reset_breaks_a_real_connection(start_server):
    """The client sees the connection break, and the server goes on serving."""
    *replies, tally = ask(start_server("resets=1"), 5)
    assert all(isinstance(reply, APIConnectionError) for reply in replies)
    assert tally["troubles"] == {"resets": 5}
