"""The offline model as a server process of its own, which counts what it serves."""

import json
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.request import urlopen

from llm_assets_tests.end_to_end.tiny_project import COMMAND, build_environ


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A running server."""

    base_url: str

    def read_tally(self) -> dict[str, Any]:
        """What it has served so far."""
        with urlopen(f"{self.base_url}/_tally", timeout=10) as reply:  # noqa: S310 -- loopback
            return cast("dict[str, Any]", json.load(reply))

    def count_requests(self) -> int:
        """How many chat requests have come in."""
        return cast("int", self.read_tally()["n_requests"])


@contextmanager
def open_served_model(misbehave: str = "") -> Generator[ServedModel]:
    """Start a server at a free port of the loopback and stop it afterwards."""
    process = subprocess.Popen(
        [COMMAND, "offline-server", "--port", "0", "--misbehave", misbehave],
        env=build_environ({}),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    try:
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                yield ServedModel(f"{found.group()}/v1")
                return
        raise AssertionError(f"the server did not start: {''.join(lines)}")
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
