"""Whether processes that share a ledger on a server keep out of each other's way."""

import subprocess
import sys
from decimal import Decimal

import pytest

from llm_assets.core.spend import add_spends
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets_tests.postgresql.server import PostgreSQLServer
from llm_assets_tests.postgresql.stores import count_rows

N_PROCESSES = 8
N_SHARED = 40
CAP_USD = Decimal(1)
STEP_USD = Decimal("0.0300000000007")
SPENT_USD = Decimal("0.0123456789017")

WORK = f"""
import random, sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets_tests.fakes import NOON, build_answer, build_record, build_request, put_records

url, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
with open_ledger(url) as ledger:
    texts = [f"shared text {{n}}" for n in range({N_SHARED})]
    random.Random(name).shuffle(texts)
    records = [build_record(build_request(text)) for text in texts]
    put_records(ledger, [replace(record, run_id="shared") for record in records])
    n_spent = 0
    while True:
        reservation = ledger.try_to_reserve(
            run_id=name, reserved_usd=Decimal("{STEP_USD}"), cap_usd=Decimal("{CAP_USD}") + Decimal("0.01") * {N_SHARED * N_PROCESSES},
            now=NOON, expires_at=NOON + timedelta(hours=1),
        )
        if not reservation.is_granted:
            break
        request = build_request(f"{{name}} {{n_spent}}")
        answer = build_answer(request.build_key(), cost_usd=Decimal("{SPENT_USD}"))
        put_records(ledger, [replace(build_record(request, answer), run_id=name)])
        n_spent += 1
    ledger.release(run_id=name, kept_usd=Decimal(0), now=NOON)
print(n_spent)
"""


@pytest.mark.slow
def test_eight_processes_write_and_reserve_at_once(postgresql: PostgreSQLServer):
    """They begin without a ledger, share parts in every order, lose no call, and stay within one cap together."""
    url = postgresql.make_schema()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, url, f"run-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(N_PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [process.communicate() for process in processes]
    assert [error for _, error in ends] == [""] * N_PROCESSES
    n_spent = [int(output) for output, _ in ends]
    with open_ledger(url) as ledger:
        spends = {spend.name: spend for spend in ledger.history.sum_spend("run", since=None)}
        total = add_spends("total", spends.values())
    assert spends["shared"].n_calls == N_SHARED * N_PROCESSES
    assert [spends[f"run-{n}"].n_calls for n in range(N_PROCESSES)] == n_spent
    spent_usd = total.cost_usd - spends["shared"].cost_usd
    assert spent_usd == SPENT_USD * sum(n_spent)
    assert CAP_USD - N_PROCESSES * STEP_USD <= spent_usd <= CAP_USD
    assert count_rows(url, "requests") == N_SHARED + sum(n_spent)
    assert count_rows(url, "reservations") == 0
