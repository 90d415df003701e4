import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from llm_assets.errors import ConfigError, InputError, ProviderError
from llm_assets.gateways.project import Project
from llm_assets.gateways.schema_generation import EnsuredSchema, ensure_schema
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.fakes import FakeClock

PROMPT = Path(__file__).parents[2] / "prompts" / "schema_generation.yaml"
CONFIG = """\
prompt: prompts/notes.yaml
schema:
  force: {force}
  generate:
    description: Say whether the note is urgent.
    sample_rows: 1
llm:
  endpoint: scripted
  model: m
"""
ENDPOINTS = (
    "endpoints:\n  scripted:\n    base_url: {base_url}\n    structured_output: json_schema\n"
)
GOOD_SCHEMA = {
    "type": "object",
    "description": "A note.",
    "properties": {"is_urgent": {"type": "boolean", "description": "Whether to hurry."}},
    "required": ["is_urgent"],
    "additionalProperties": False,
}
GOOD = f"Here it is:\n```json\n{json.dumps(GOOD_SCHEMA)}\n```\n"
OTHER = GOOD.replace("is_urgent", "is_calm")


@dataclass(slots=True)
class ScriptedServer:
    """Answers chat requests with the texts it was given, in turn; a number is an error status."""

    answers: list[str | int]
    base_url: str = ""
    bodies: list[Any] = field(default_factory=list[Any])

    def reply(self) -> tuple[int, bytes]:
        said = self.answers[len(self.bodies) - 1]
        if isinstance(said, int):
            return said, b'{"error": {"message": "No."}}'
        choice = {"message": {"content": said}, "finish_reason": "stop"}
        return 200, json.dumps({"model": "m", "choices": [choice]}).encode()


@contextmanager
def serve(*answers: str | int) -> Generator[ScriptedServer]:
    server = ScriptedServer(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            server.bodies.append(json.loads(self.rfile.read(length)))
            status, body = server.reply()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.base_url = f"http://127.0.0.1:{listening.server_port}/v1"
        thread = Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def build_files(root: Path, server: ScriptedServer, *, force: bool = False) -> Project:
    write(root / "configs" / "notes.yaml", CONFIG.format(force=str(force).lower()))
    write(root / "configs" / "endpoints.yaml", ENDPOINTS.format(base_url=server.base_url))
    write(
        root / "data" / "inputs" / "notes" / "may.csv", "topic,text\nlathe,It hums.\ndoor,Shut.\n"
    )
    (root / "prompts").mkdir(exist_ok=True)
    shutil.copy(PROMPT, root / "prompts" / PROMPT.name)
    return Project(root=root, environ={})


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def ensure(project: Project, *, clock: FakeClock | None = None) -> EnsuredSchema:
    task = load_task(project, "notes")
    return ensure_schema(task, project, run_id="run-1", clock=clock or FakeClock())


def test_a_missing_module_is_proposed_printed_and_imported(tmp_path):
    """A model's JSON Schema becomes a strict module of our own printing, which is there and can be used."""
    with serve(GOOD) as server:
        project = build_files(tmp_path, server)
        ensured = ensure(project)
    path = tmp_path / "configs" / "schemas" / "notes.py"
    assert ensured.is_new
    assert ensured.archived_path is None
    assert "class LLMOutput(BaseModel):" in path.read_text()
    model = ensured.module.output_model
    assert model.model_validate({"is_urgent": True}).model_dump() == {"is_urgent": True}
    assert model.model_config.get("extra") == "forbid"


def test_the_question_holds_the_table_and_the_wish(tmp_path):
    """The model sees the columns, as many rows as configured, and the person's words; a fence is asked for, no format."""
    with serve(GOOD) as server:
        ensure(build_files(tmp_path, server))
    (body,) = server.bodies
    question = body["messages"][-1]["content"]
    for part in ("Say whether the note is urgent.", "topic, text", "It hums.", "LLMOutput"):
        assert part in question
    assert "Shut." not in question
    assert "response_format" not in body


def test_the_question_holds_no_expected_answers(tmp_path):
    """A column of labels is named nowhere in it, nor are its values: the schema must not be made to fit them."""
    with serve(GOOD) as server:
        project = build_files(tmp_path, server)
        config = tmp_path / "configs" / "notes.yaml"
        write(config, config.read_text() + "expected: {fields: {is_urgent: topic}}\n")
        ensure(project)
    question = server.bodies[0]["messages"][-1]["content"]
    assert "It hums." in question
    assert "topic" not in question
    assert "lathe" not in question


def test_a_second_run_asks_nothing(tmp_path):
    """A module that exists is loaded as it is."""
    with serve(GOOD) as server:
        project = build_files(tmp_path, server)
        first = ensure(project)
        second = ensure(project)
    assert not second.is_new
    assert second.module.source_sha256 == first.module.source_sha256
    assert len(server.bodies) == 1


def test_a_lost_module_is_printed_again_from_the_record(tmp_path):
    """The proposal was paid for: the same question is answered from the ledger, with the same bytes."""
    path = tmp_path / "configs" / "schemas" / "notes.py"
    with serve(GOOD, OTHER) as server:
        project = build_files(tmp_path, server)
        ensure(project)
        source = path.read_bytes()
        path.unlink()
        assert ensure(project).is_new
    assert path.read_bytes() == source
    assert len(server.bodies) == 1


def test_a_changed_wish_is_another_question(tmp_path):
    """Forced with other words, the old module is archived under the time and the new one stands in its place."""
    path = tmp_path / "configs" / "schemas" / "notes.py"
    with serve(GOOD, OTHER) as server:
        project = build_files(tmp_path, server, force=True)
        ensure(project)
        source = path.read_bytes()
        config = tmp_path / "configs" / "notes.yaml"
        config.write_text(config.read_text().replace("urgent", "calm"))
        ensured = ensure(project)
    archived = path.parent / "archive" / "notes_20261120_120000.py"
    assert ensured.archived_path == archived
    assert archived.read_bytes() == source
    assert "is_calm" in path.read_text()
    assert len(server.bodies) == 2


def test_forcing_the_same_question_costs_nothing(tmp_path):
    """The old module is archived, and the proposal on record is printed again; only another question asks anew."""
    path = tmp_path / "configs" / "schemas" / "notes.py"
    with serve(GOOD) as server:
        project = build_files(tmp_path, server, force=True)
        ensure(project)
        path.write_text(path.read_text() + "# edited by hand\n")
        ensured = ensure(project)
    assert ensured.archived_path is not None
    assert "# edited by hand" in ensured.archived_path.read_text()
    assert "# edited by hand" not in path.read_text()
    assert len(server.bodies) == 1


@pytest.mark.parametrize("useless", ["I cannot do that.", '{"type": "string"}', GOOD[:60]])
def test_a_useless_proposal_is_not_for_ever(tmp_path, useless):
    """No file is written from it, and the next run asks once more instead of reading it from the record again."""
    path = tmp_path / "configs" / "schemas" / "notes.py"
    with serve(useless, GOOD) as server:
        project = build_files(tmp_path, server)
        with pytest.raises(ConfigError):
            ensure(project)
        assert not path.exists()
        assert ensure(project).is_new
        path.unlink()
        ensure(project)
    assert len(server.bodies) == 2


def test_an_existing_module_needs_no_endpoint(tmp_path):
    """Where the module exists, neither a server nor a table is asked for."""
    with serve() as server:
        project = build_files(tmp_path, server)
    write(
        tmp_path / "configs" / "schemas" / "notes.py",
        "from pydantic import BaseModel\n\n\nclass LLMOutput(BaseModel):\n    a: str\n",
    )
    assert not ensure(project).is_new


def test_a_missing_module_without_a_wish_is_told(tmp_path):
    """Nothing is invented: the message names the file and both ways out."""
    with serve() as server:
        project = build_files(tmp_path, server)
    write(tmp_path / "configs" / "notes.yaml", "prompt: p\n")
    with pytest.raises(ConfigError, match=r"configs/schemas/notes\.py of task 'notes'") as caught:
        ensure(project)
    assert "schema.generate" in caught.value.remedy


def test_a_task_without_a_table_is_told(tmp_path):
    """A proposal needs a table to look at."""
    with serve() as server:
        project = build_files(tmp_path, server)
    (tmp_path / "data" / "inputs" / "notes" / "may.csv").unlink()
    with pytest.raises(InputError, match="has no batches"):
        ensure(project)


def test_an_endpoint_that_refuses_is_told(tmp_path):
    """A bad key stops with the endpoint's sentence; no module is written."""
    with serve(401) as server:
        project = build_files(tmp_path, server)
        with pytest.raises(ProviderError, match=r"'scripted'.*401.*No\."):
            ensure(project)
    assert not (tmp_path / "configs" / "schemas").exists()


def test_a_question_that_is_rejected_is_told(tmp_path):
    """A request that the server finds wrong ends with a sentence about the schema."""
    with serve(400) as server:
        project = build_files(tmp_path, server)
        with pytest.raises(ProviderError, match=r"No schema was proposed for task 'notes': No\."):
            ensure(project)
