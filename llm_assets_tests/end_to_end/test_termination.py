"""What the UI's button that ends a run leaves behind."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from llm_assets_tests.end_to_end.served_model import open_served_model
from llm_assets_tests.end_to_end.test_interruptions import (
    MAX_IN_FLIGHT,
    N_ITEMS,
    build_long_project,
    let_pass,
)
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_environ

DAGSTER = str(Path(sys.executable).parent / "dagster")
PATIENCE = 600
"""So many looks, a tenth of a second apart."""
LOCATION = "llm_assets.definitions"
LAUNCH = """mutation($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]!) {
  launchRun(executionParams: {selector: $selector, executionMetadata: {tags: $tags}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class Ui:
    """Says to the server what the pages say."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"
        self._process = process

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(self._url, body, {"Content-Type": "application/json"})  # noqa: S310 -- loopback
        with urlopen(request, timeout=60) as reply:  # noqa: S310 -- loopback
            return json.load(reply)["data"]

    def is_up(self) -> bool:
        try:
            self.ask("{ version }")
        except (URLError, ConnectionError, TimeoutError):
            return False
        return True

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(PATIENCE):
            if is_so():
                return
            let_pass(self._process, seconds=0.1)
        raise AssertionError("it took too long")


@contextmanager
def open_ui(project: TinyProject) -> Generator[Ui]:
    """`dagster dev` on the project's history."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (project.root / "dev.log").open("wb")
    process = subprocess.Popen(
        [DAGSTER, "dev", "-m", LOCATION, "-h", "127.0.0.1", "-p", str(port)],
        cwd=project.root,
        env=build_environ({"DAGSTER_HOME": str(project.root / ".dagster")}),
        stdout=log,
        stderr=log,
        text=True,
    )
    try:
        ui = Ui(port, process)
        ui.wait_until(ui.is_up)
        yield ui
    finally:
        process.terminate()
        process.wait(timeout=60)
        log.close()


@pytest.mark.slow
def test_a_run_ended_from_the_ui_keeps_every_answer(tmp_path):
    """A run that the UI ends is canceled within seconds, and the next one asks for the rest alone."""
    with open_served_model("latency_seconds=0.3") as served_model:
        project = build_long_project(tmp_path / "project", served_model)
        first = project.run_process("run", "notes", "--limit", "1")  # makes the batch known
        assert first.exit_code == 0, first.stderr
        with open_ui(project) as ui:
            selector = {
                "repositoryLocationName": LOCATION,
                "repositoryName": "__repository__",
                "pipelineName": "notes_batch",
            }
            launched = ui.ask(
                LAUNCH, selector=selector, tags=[{"key": "dagster/partition", "value": "may"}]
            )["launchRun"]
            run_id = launched["run"]["runId"]
            ui.wait_until(lambda: served_model.count_requests() >= 40)
            ui.ask(TERMINATE, id=run_id)
            ui.wait_until(lambda: ui.ask(STATUS, id=run_id)["runOrError"]["status"] == "CANCELED")
        n_before = served_model.count_requests()
        assert n_before < N_ITEMS
        last = project.run_process("run", "notes", "--json")
        assert last.batch["outcomes"] == {"accepted": N_ITEMS}, last.stderr
        assert last.batch["calls_reused"] >= n_before - MAX_IN_FLIGHT
        assert served_model.count_requests() <= N_ITEMS + MAX_IN_FLIGHT
