from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from llm_assets.config.endpoint import PRESETS, EndpointSettings
from llm_assets.config.task import LLMSettings
from llm_assets.core.findings import Finding
from llm_assets.gateways.doctor.endpoints import Uses, examine_endpoints, list_uses
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import build_project

KEY = "sk-very-secret-0123456789"
LIST = b'{"data": [{"id": "good-model"}]}'


@contextmanager
def serve(status: int, body: bytes) -> Generator[tuple[str, list[str]]]:
    """A server that says the same to everything, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization')}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def use(endpoint: EndpointSettings, *models: str, name: str = "office") -> Uses:
    return {(name, model): (LLMSettings(endpoint=name, model=model), endpoint) for model in models}


def examine(uses: Uses, environ: dict[str, str], root: Path) -> tuple[Finding, ...]:
    return examine_endpoints(uses, Project(root=root, environ=environ))


def test_an_endpoint_is_asked_once_for_its_models_and_for_nothing_else(tmp_path: Path):
    """Each model is looked for in one list, which is asked for with the key; the key is never shown."""
    with serve(200, LIST) as (base_url, asked):
        endpoint = EndpointSettings(
            base_url=base_url, api_key_env="OFFICE_KEY", structured_output="json_object"
        )
        uses = use(endpoint, "good-model", "god-model")
        found = examine(uses, {"OFFICE_KEY": KEY}, tmp_path)
    assert asked == [f"/v1/models Bearer {KEY}"]
    assert [finding.level for finding in found] == ["ok", "warning"]
    assert found[0].text == (
        "answers, takes the key in OFFICE_KEY, knows good-model; structured output: json_object"
    )
    assert "Did you mean 'good-model'?" in found[1].remedy
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("status", "body", "level", "words"),
    [
        (401, f'{{"error": {{"message": "Bad key {KEY}."}}}}'.encode(), "problem", "OFFICE_KEY"),
        (403, b"{}", "warning", "no list of models"),
        (404, b"{}", "warning", "no list of models"),
        (500, b"{}", "problem", "not with a list"),
        (200, b"<html>Please log in</html>", "problem", "not with a list"),
    ],
)
def test_what_an_endpoint_says_is_told_with_a_remedy(
    tmp_path: Path, status: int, body: bytes, level: str, words: str
):
    """A refused key is a problem; a server that merely shows no list may still answer calls."""
    with serve(status, body) as (base_url, _):
        endpoint = EndpointSettings(base_url=base_url, api_key_env="OFFICE_KEY")
        (finding,) = examine(use(endpoint, "good-model"), {"OFFICE_KEY": KEY}, tmp_path)
    assert finding.level == level
    assert words in f"{finding.text} {finding.remedy}"
    assert finding.remedy
    assert KEY not in repr(finding)


def test_a_server_that_is_not_there_is_a_problem(tmp_path: Path):
    """Nobody listens: the line says so, with what to look at."""
    with serve(200, LIST) as (base_url, _):
        pass
    (finding,) = examine(use(EndpointSettings(base_url=base_url), "m"), {}, tmp_path)
    assert (finding.level, "does not answer" in finding.text) == ("problem", True)


def test_a_missing_key_is_told_without_asking_anybody(tmp_path: Path):
    """The variable is named once, however many models go by it."""
    uses = use(PRESETS["openai"], "a", "b", name="openai")
    (finding,) = examine(uses, {}, tmp_path)
    assert finding.level == "problem"
    assert "OPENAI_API_KEY" in finding.text


def test_the_offline_model_needs_no_key_and_knows_its_names(tmp_path: Path):
    """A name that it does not have would stop every run, so it is a problem."""
    uses = use(PRESETS["offline"], "extractive", "extractiv", name="offline")
    good, bad = examine(uses, {}, tmp_path)
    assert (good.level, "needs no key" in good.text) == ("ok", True)
    assert (bad.level, "Did you mean 'extractive'?" in bad.remedy) == ("problem", True)


def test_the_model_that_makes_vectors_is_looked_for_too(tmp_path: Path):
    """A task's `embed` block is one more use of an endpoint."""
    tiny = build_project(tmp_path)
    tiny.write(
        "configs/notes.yaml",
        f"{tiny.read('configs/notes.yaml')}gate: {{field: score, at_least: 0}}\nembed: {{}}\n",
    )
    project = Project(root=tmp_path, environ={})
    uses = list_uses([load_task(project, "notes")])
    texts = [finding.text for finding in examine_endpoints(uses, project)]
    assert len(texts) == 2
    assert "knows extractive; structured output" in texts[0]
    assert "knows hashed-words; it makes vectors" in texts[1]
