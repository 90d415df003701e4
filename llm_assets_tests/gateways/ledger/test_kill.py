"""Whether the ledger keeps its word when its process is killed."""

import random
import signal
import subprocess
import sys

import pytest

from llm_assets.gateways.ledger.ledger import open_ledger

WRITE = """
import asyncio, sys
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets_tests.fakes import build_answer, build_record, build_request

async def put(writer, worker):
    for n in range(10_000):
        request = build_request(f"{worker}/{n}")
        key = request.build_key()
        await writer.put(build_record(request, build_answer(key, text=f"answer {worker}/{n}")))
        print(key, f"answer {worker}/{n}", sep="\\t", flush=True)

async def main(ledger):
    with ledger.open_writer() as writer:
        await asyncio.gather(*(put(writer, worker) for worker in range(8)))

with open_ledger(sys.argv[1]) as ledger:
    asyncio.run(main(ledger))
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_what_was_acknowledged_is_there_after_a_kill(ledger_url, seed):
    """A process killed while it writes leaves every record whose `put` had returned, and a sound database."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, ledger_url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    n_lines = random.Random(seed).randint(1, 400)  # noqa: S311 -- a moment, no secret
    acknowledged = [process.stdout.readline() for _ in range(n_lines)]
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    whole = [line.rstrip("\n").split("\t") for line in acknowledged if line.endswith("\n")]
    assert len(whole) >= n_lines
    with open_ledger(ledger_url) as ledger:
        found = ledger.find_answers(key for key, _ in whole)
        if ledger_url.startswith("sqlite"):
            with ledger._read() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert {key: answer.text for key, answer in found.items()} == dict(whole)
