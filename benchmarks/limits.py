"""How well a run keeps to an endpoint's limits: lost items, refused calls, and how much of what is allowed it uses.

    python benchmarks/limits.py minute [--llmock COMMAND]    a server with a true limit per minute, about 4 minutes
    python benchmarks/limits.py at-once [--latency 0.05]     a server that takes 20 at once, about 2 minutes

The first server is llmock, which is no part of this project: it is installed into a temporary folder where no
command is given, and has the last word on how its client behaved. The second one is the offline model, served.
Every server and every run is a process of its own; nothing leaves this machine.
"""

import argparse
import json
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from trial_project import BATCH, TASK, build_environ, write_trial

COMMAND = str(Path(sys.executable).with_name("llm-assets"))
LLMOCK = "llmock==0.2.2"
REQUESTS_PER_MINUTE = 600
MOST_AT_ONCE = 20
LONGEST_RUN_SECONDS = 500
START_SECONDS = 30

SETTINGS = """\
llm: {{endpoint: measured, model: {model}}}
limits: {{progress_seconds: 60{limits}}}
export: {{formats: [jsonl]}}
"""
ENDPOINTS = """\
endpoints:
  measured: {{base_url: "{base_url}", structured_output: json_schema, price: {{input_usd: 0, output_usd: 0}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of a run, by its own account and by the ledger's."""

    n_items: int
    n_accepted: int
    n_sent: int
    n_refused: int
    seconds: float
    """From the first call on record to the last."""

    @property
    def per_second(self) -> float:
        """Answered calls."""
        return (self.n_sent - self.n_refused) / self.seconds

    def render(self) -> str:
        """A line for people."""
        return (
            f"{self.n_accepted} of {self.n_items} items accepted, {self.n_sent} calls sent, "
            f"{self.n_refused} refused ({self.n_refused / self.n_sent:.2%}), "
            f"{self.per_second:.1f} answers/s in {self.seconds:.1f} s"
        )


def measure_run(base_url: str, *, model: str, n_items: int, limits: str = "") -> Figures:
    """Run the whole task against an endpoint, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_trial(root, mode="row", n_rows=n_items)
        with (root / "configs" / f"{TASK}.yaml").open("a", encoding="utf-8") as file:
            file.write(SETTINGS.format(model=model, limits=limits))
        endpoints = ENDPOINTS.format(base_url=base_url)
        (root / "configs" / "endpoints.yaml").write_text(endpoints, encoding="utf-8")
        done = subprocess.run(
            [COMMAND, "run", TASK, "--batch", BATCH, "--json"],
            cwd=root,
            env=build_environ(),
            stdout=subprocess.PIPE,
            timeout=LONGEST_RUN_SECONDS,
            check=False,
        )
        (batch,) = json.loads(done.stdout)["batches"]
        return _read_figures(root / "data" / "ledger.sqlite", batch["outcomes"], n_items)


def _read_figures(ledger: Path, outcomes: dict[str, int], n_items: int) -> Figures:
    query = (
        "select count(*), sum(fault_kind is not null and fault_kind = 'rate_limited'), "
        "(max(julianday(recorded_at)) - min(julianday(recorded_at))) * 86400 from calls"
    )
    with closing(sqlite3.connect(ledger)) as connection:
        n_sent, n_refused, seconds = connection.execute(query).fetchone()
    return Figures(
        n_items=n_items,
        n_accepted=outcomes.get("accepted", 0),
        n_sent=n_sent,
        n_refused=n_refused,
        seconds=seconds,
    )


def measure_minute(llmock: str, n_items: int) -> None:
    """A limit per minute: set by a person, then found in the server's headers."""
    limit = f", requests_per_minute: {REQUESTS_PER_MINUTE}"
    for name, limits in (("limit set", limit), ("limit announced by the server alone", "")):
        with open_llmock(llmock) as (address, port):
            found = measure_run(f"{address}/v1", model="gpt-4o", n_items=n_items, limits=limits)
            print(f"{REQUESTS_PER_MINUTE} requests a minute, {name}: {found.render()}")
            print(f"  {found.per_second * 60 / REQUESTS_PER_MINUTE:.1%} of the allowed rate used")
            verdict = [llmock, "report", "--url", f"http://127.0.0.1:{port}"]
            said = subprocess.run(verdict, check=False, capture_output=True, text=True)
            print(
                f"  the server's verdict, exit code {said.returncode}: {' '.join(said.stdout.split())}"
            )


def measure_at_once(latency_seconds: float, n_items: int) -> None:
    """A number at once that nobody tells: found by trying, against a run that was told."""
    told = f", max_in_flight: {MOST_AT_ONCE}"
    for retry_after_seconds in (0, 1):
        switches = (
            f"max_in_flight={MOST_AT_ONCE},latency_seconds={latency_seconds:g},"
            f"retry_after_seconds={retry_after_seconds}"
        )
        with open_offline_server(switches) as address:
            best, found = (
                measure_run(f"{address}/v1", model="echo", n_items=n_items, limits=limits)
                for limits in (told, "")
            )
        ideal = MOST_AT_ONCE / latency_seconds
        print(
            f"{MOST_AT_ONCE} at once, {latency_seconds:g} s each, Retry-After {retry_after_seconds}:"
        )
        print(f"  told:  {best.render()}, {best.per_second / ideal:.1%} of {ideal:.0f}/s")
        print(f"  found: {found.render()}, {found.per_second / ideal:.1%} of {ideal:.0f}/s")
        print(f"  found against told: {found.per_second / best.per_second:.1%}")


@contextmanager
def open_llmock(command: str) -> Generator[tuple[str, int]]:
    """Serve llmock with a limit per minute; its address and its port."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--rpm", str(REQUESTS_PER_MINUTE)]
    with _open_process([command, "serve", *options, "--log-level", "error"], subprocess.DEVNULL):
        address = f"http://127.0.0.1:{port}"
        _wait_until_served(f"{address}/v1/models")
        yield address, port


@contextmanager
def open_offline_server(switches: str) -> Generator[str]:
    """Serve the offline model; its address."""
    command = [COMMAND, "offline-server", "--port", "0", "--misbehave", switches]
    with _open_process(command, subprocess.PIPE) as process:
        for line in process.stderr or ():
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found.group()
                return
        raise SystemExit("The offline server did not start.")


@contextmanager
def _open_process(command: Sequence[str], stderr: int) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _wait_until_served(url: str) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(url, timeout=START_SECONDS):  # noqa: S310 -- loopback
                return
        except URLError:
            if time.monotonic() > give_up_at:
                raise


@contextmanager
def install_llmock() -> Generator[str]:
    """Install llmock into an environment of its own, which is gone afterwards; its command."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        scripts = Path(folder) / "bin"
        subprocess.run([scripts / "pip", "install", "--quiet", LLMOCK], check=True)
        yield str(scripts / "llmock")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("kind", choices=("minute", "at-once"))
    parser.add_argument("--items", type=int)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds, for at-once")
    parser.add_argument("--llmock", help="its command, where it is installed")
    options = parser.parse_args()
    if options.kind == "at-once":
        n_items = options.items or round(30 * MOST_AT_ONCE / options.latency)
        measure_at_once(options.latency, n_items)
    elif options.llmock:
        measure_minute(options.llmock, options.items or 2000)
    else:
        with install_llmock() as command:
            measure_minute(command, options.items or 2000)


if __name__ == "__main__":
    main()
