import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from llm_assets.defs.project_definitions import build_scope
from llm_assets.defs.reloading import MODULE, reload_shown_code
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task, load_task_file
from llm_assets.gateways.ui_server import UI_VARIABLE
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

GREETING = {"dagster_webserver_version": "1", "dagster_version": "1"}


@dataclass
class FakeUi:
    """Answers as Dagster's server does, for one location; remembers what it was asked."""

    folder: Path
    versions: dict[str, str]
    known_run: str
    module: str = MODULE
    greeting: object = field(default_factory=lambda: GREETING)
    loads: bool = True
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> object:
        if method == "GET":
            self.asked.append(path)
            return self.greeting
        if "mutation" in body["query"]:
            self.asked.append(f"reload {body['variables']['name']}")
            state = "RepositoryLocation" if self.loads else "PythonError"
            entry = {"locationOrLoadError": {"__typename": state}}
            return {"data": {"reloadRepositoryLocation": entry}}
        self.asked.append("look")
        is_known = body["variables"]["run"] == self.known_run
        origin = {"module_name": self.module, "working_directory": str(self.folder)}
        metadata = [{"key": key, "value": value} for key, value in origin.items()]
        nodes = [
            {
                "assetKey": {"path": key.split("/")},
                "opVersion": version,
                "repository": {"location": {"name": "here"}},
            }
            for key, version in self.versions.items()
        ]
        return {
            "data": {
                "runOrError": {"__typename": "Run" if is_known else "RunNotFoundError"},
                "assetNodes": nodes,
                "workspaceOrError": {
                    "locationEntries": [{"name": "here", "displayMetadata": metadata}]
                },
            }
        }


@contextmanager
def serve(ui: FakeUi) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(b"{}")

        def do_POST(self) -> None:
            self.reply(self.rfile.read(int(self.headers["Content-Length"])))

        def reply(self, body: bytes) -> None:
            answer = ui.answer(self.command, self.path, json.loads(body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    return build_project(tmp_path)


@pytest.fixture
def history() -> Iterator[dg.DagsterInstance]:
    """A history with one run in it."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.create_run_for_job(dg.job(name="any")(lambda: None))
        yield instance


def open_scope(tiny: TinyProject, url: str) -> TaskScope:
    project = Project(root=tiny.root, environ={UI_VARIABLE: url})
    return build_scope(project, load_task(project, "notes"), observers=())


def read_versions(tiny: TinyProject) -> dict[str, str]:
    nodes = build_task_graph(open_scope(tiny, "")).nodes
    return {f"notes/{node.name}": node.code_version for node in nodes}


@pytest.fixture
def ui(tiny: TinyProject, history: dg.DagsterInstance) -> FakeUi:
    """Shows the project as it is now."""
    return FakeUi(
        folder=tiny.root, versions=read_versions(tiny), known_run=history.get_runs()[0].run_id
    )


def reload(tiny: TinyProject, history: dg.DagsterInstance, ui: FakeUi) -> str | None:
    with serve(ui) as url:
        said = reload_shown_code(open_scope(tiny, url), history)
    return None if said is None else said.replace(url, "<ui>")


def edit_prompt(tiny: TinyProject) -> None:
    tiny.edit("prompts/notes.yaml", "You sort", "You file")


def test_a_ui_that_shows_older_settings_loads_those_of_now(tiny, history, ui):
    """After an edit the location is reloaded, and a person is told in one line."""
    edit_prompt(tiny)
    assert reload(tiny, history, ui) == "The UI at <ui> has loaded the current settings."
    assert ui.asked == ["/server_info", "look", "reload here"]


def test_a_ui_that_is_up_to_date_is_left_alone(tiny, history, ui):
    """Where nothing differs, nothing is reloaded and nothing said."""
    assert reload(tiny, history, ui) is None
    assert ui.asked == ["/server_info", "look"]


def test_a_ui_without_the_task_loads_it(tiny, history, ui):
    """A task that was added, or whose file could not be read when the UI started, appears."""
    ui.versions = {}
    assert "has loaded" in str(reload(tiny, history, ui))


def test_a_ui_of_another_history_is_left_alone(tiny, history, ui):
    """A server that does not know the run keeps another history, whatever it shows."""
    edit_prompt(tiny)
    ui.known_run = "another"
    assert reload(tiny, history, ui) is None
    assert ui.asked == ["/server_info", "look"]


@pytest.mark.parametrize("change", [{"module": "warehouse.definitions"}, {"folder": Path("/")}])
def test_code_of_others_is_not_reloaded(tiny, history, ui, change):
    """A location that is not this project's may be in the middle of an edit: a person is told to reload it."""
    for name, value in change.items():
        setattr(ui, name, value)
    edit_prompt(tiny)
    said = reload(tiny, history, ui)
    assert said == "The UI at <ui> shows here as it was before the last edit; reload it there."
    assert ui.asked == ["/server_info", "look"]
    ui.versions = {}
    assert reload(tiny, history, ui) is None


def test_a_task_from_elsewhere_is_not_expected_in_the_ui(tiny, history, ui, tmp_path_factory):
    """A config outside of the project is no part of its graph, so its absence is no reason to reload."""
    other = build_project(tmp_path_factory.mktemp("elsewhere"))
    ui.versions = {}
    with serve(ui) as url:
        project = Project(root=tiny.root, environ={UI_VARIABLE: url})
        task = load_task_file(other.root / "configs" / "notes.yaml", project)
        assert reload_shown_code(build_scope(project, task, observers=()), history) is None


def test_a_location_that_cannot_be_loaded_is_told(tiny, history, ui):
    """The run is done; where the reason stands is said."""
    edit_prompt(tiny)
    ui.loads = False
    said = str(reload(tiny, history, ui))
    assert "could not load here anew" in said


@pytest.mark.parametrize("greeting", [b"<html>", {}, [], {"version": "1"}, b"\xff"])
def test_something_else_at_the_port_is_told_nothing(tiny, history, ui, greeting):
    """A server that does not greet as Dagster's does gets no query."""
    edit_prompt(tiny)
    ui.greeting = greeting
    assert reload(tiny, history, ui) is None
    assert ui.asked == ["/server_info"]


@pytest.mark.parametrize("answer", [b"<html>", {"data": None}, {"errors": []}, [], b""])
def test_an_answer_of_another_shape_is_none(tiny, history, ui, answer, monkeypatch):
    """Whatever a server says, it fails no run."""
    edit_prompt(tiny)
    known = ui.answer
    monkeypatch.setattr(ui, "answer", lambda *args: known(*args) if args[0] == "GET" else answer)
    assert reload(tiny, history, ui) is None


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1", "file:///etc/passwd", "ui", "http://x:y"],
)
def test_a_ui_that_is_not_there_is_none(tiny, history, url):
    """Nobody at the address, or no address at all: there is nothing to reload and nothing to say."""
    assert reload_shown_code(open_scope(tiny, url), history) is None


def test_without_a_run_there_is_nothing_to_show(tiny, ui):
    """An empty history belongs to no server that could be told from others."""
    with dg.DagsterInstance.ephemeral() as history:
        assert reload(tiny, history, ui) is None
    assert ui.asked == []
