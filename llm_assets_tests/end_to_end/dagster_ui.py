"""`dagster dev` on a project's history: started, told what its pages tell it, and stopped with all its children."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from llm_assets_tests.end_to_end.tiny_project import DAGSTER, TinyProject, build_environ

LOCATION = "llm_assets.definitions"
PATIENCE_SECONDS = 240.0
"""A busy machine starts the UI's four processes ten times as slowly as a quiet one."""
INTERVAL_SECONDS = 0.1
LAUNCH = """mutation($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]!) {
  launchRun(executionParams: {selector: $selector, executionMetadata: {tags: $tags}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
RUNS = "query($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results { runId } } } }"
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class Ui:
    """Says to the server what the pages say."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = url
        self._process = process
        self._log = log

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The answer to a query or mutation."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/graphql", body, headers)  # noqa: S310 -- loopback
        with urlopen(request, timeout=60) as reply:  # noqa: S310 -- loopback
            return json.load(reply)["data"]

    def launch(self, job: str, *, partition: str) -> str:
        """Start a job on a batch; the run's id."""
        selector = {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "pipelineName": job,
        }
        tags = [{"key": "dagster/partition", "value": partition}]
        launched = self.ask(LAUNCH, selector=selector, tags=tags)["launchRun"]
        return launched["run"]["runId"]

    def terminate(self, run_id: str) -> None:
        """End a run."""
        self.ask(TERMINATE, id=run_id)

    def list_runs(self, job: str) -> list[str]:
        """The ids of a job's runs, the latest first."""
        found = self.ask(RUNS, filter={"pipelineName": job})["runsOrError"]["results"]
        return [run["runId"] for run in found]

    def read_status(self, run_id: str) -> str:
        """How a run stands, such as STARTED."""
        return self.ask(STATUS, id=run_id)["runOrError"]["status"]

    def is_up(self) -> bool:
        """Whether the server answers."""
        try:
            self.ask("{ version }")
        except (URLError, ConnectionError, TimeoutError):
            return False
        return True

    def wait_until(
        self, is_so: Callable[[], bool], *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Look again and again, until it is so."""
        end = monotonic() + patience_seconds
        while not is_so():
            assert self._process.poll() is None, f"`dagster dev` has ended:\n{self._read_log()}"
            assert monotonic() < end, f"it took too long:\n{self._read_log()}"
            Event().wait(INTERVAL_SECONDS)

    def _read_log(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-40:])


@contextmanager
def open_ui(project: TinyProject) -> Generator[Ui]:
    """`dagster dev` on the project's history."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log_path = project.root / "dev.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [DAGSTER, "dev", "-m", LOCATION, "-h", "127.0.0.1", "-p", str(port)],
            cwd=project.root,
            env=build_environ({"DAGSTER_HOME": str(project.root / ".dagster")}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            ui = Ui(f"http://127.0.0.1:{port}", process, log_path)
            ui.wait_until(ui.is_up)
            yield ui
        finally:
            stop_with_children(process)


def stop_with_children(process: subprocess.Popen[bytes]) -> None:
    """Stop what leads a session of its own, as Ctrl-C in its terminal does, and see to it that nothing is left.

    `dagster dev` leaves its servers, its daemon and the runs behind where it is killed or stopped alone.
    """
    for number, patience_seconds in (
        (signal.SIGINT, 20),
        (signal.SIGTERM, 10),
        (signal.SIGKILL, 30),
    ):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        end = monotonic() + patience_seconds
        while _has_members(process.pid) and monotonic() < end:
            process.poll()  # one that has ended stays a member until it is asked how
            Event().wait(INTERVAL_SECONDS)
    process.wait()
    assert not _has_members(process.pid), "a child outlived `dagster dev`"


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
