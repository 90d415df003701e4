"""What a person is told about a mistake, and what is left untouched by it."""

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO

import pytest

from llm_assets_tests.end_to_end.served_model import ServedModel
from llm_assets_tests.end_to_end.tiny_project import (
    COLUMNS,
    ENDPOINTS,
    NOTES,
    TinyProject,
    assert_told_plainly,
)

TABLE = "data/notes/may.csv"
CONFIG = "configs/notes.yaml"
SCHEMA = "configs/schemas/notes.py"
PROMPT = "prompts/notes.yaml"


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something a person gets wrong, and the words that must come back."""

    make: Callable[[TinyProject], object]
    names: tuple[str, ...]
    """File, place, the wrong thing and the remedy."""


def write_workbook(project: TinyProject, content: bytes) -> None:
    (project.root / TABLE).unlink()
    (project.root / TABLE).with_suffix(".xlsx").write_bytes(content)


def build_workbook() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    for row in (COLUMNS, *NOTES):
        sheet.append(row)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def protect_workbook(content: bytes) -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    stream = BytesIO()
    OOXMLFile(BytesIO(content)).encrypt("secret", stream)
    return stream.getvalue()


def add_lines(project: TinyProject, path: str, lines: str) -> None:
    project.write(path, project.read(path) + lines)


CONFIG_MISTAKES = {
    "unknown key": Mistake(
        lambda p: p.edit(CONFIG, "limits:", "limts:"),
        ("configs/notes.yaml:14:1", "limts", "unknown key", "Did you mean 'limits'?"),
    ),
    "key in the wrong block": Mistake(
        lambda p: p.edit(CONFIG, "temperature: 0", "temperature: 0\n  samples: 1"),
        ("configs/notes.yaml:12:3", "samples", "under `report`"),
    ),
    "missing key": Mistake(
        lambda p: p.edit(CONFIG, "prompt: prompts/notes.yaml\n", ""),
        ("configs/notes.yaml", "prompt", "missing", "Add `prompt:`"),
    ),
    "misspelt value": Mistake(
        lambda p: p.edit(CONFIG, "csv, jsonl", "csv, jsonl, tvs"),
        ("configs/notes.yaml:19:25", "tvs", "Did you mean 'tsv'?"),
    ),
    "bad indent": Mistake(
        lambda p: p.edit(CONFIG, "  model: extractive", "   model: extractive"),
        ("configs/notes.yaml:10:9", "indented", "same column"),
    ),
    "tab for an indent": Mistake(
        lambda p: p.edit(CONFIG, "  model: extractive", "\tmodel: extractive"),
        ("configs/notes.yaml:10:1", "tab", "spaces"),
    ),
    "key twice": Mistake(
        lambda p: add_lines(p, CONFIG, "llm:\n  model: echo\n"),
        ("configs/notes.yaml:22:1", "llm", "line 8"),
    ),
    "unknown endpoint": Mistake(
        lambda p: p.edit(CONFIG, "endpoint: offline", "endpoint: ofline"),
        ("configs/notes.yaml:9:13", "ofline", "Did you mean 'offline'?", "configs/endpoints.yaml"),
    ),
    "mistake in the endpoints": Mistake(
        lambda p: p.write("configs/endpoints.yaml", "endpoints:\n  mine:\n    base_uri: x\n"),
        ("configs/endpoints.yaml:3:5", "base_uri", "Did you mean 'base_url'?"),
    ),
    "several at once": Mistake(
        lambda p: (p.edit(CONFIG, "limits:", "limts:"), p.edit(CONFIG, "report:", "rapport:")),
        ("has 2 problems", "configs/notes.yaml:14:1", "configs/notes.yaml:20:1"),
    ),
}
STAGE_MISTAKES = {
    "prompt variable missing": Mistake(
        lambda p: p.edit(PROMPT, "{{ row_block }}", "{{ texxt }} {{ row_block }}"),
        ("prompts/notes.yaml", "texxt", "topic", "text"),
    ),
    "grouping column missing": Mistake(
        lambda p: p.edit(
            CONFIG, "context:", "grouping: {mode: group_output, column: machine}\ncontext:"
        ),
        ("machine", "topic"),
    ),
    "broken quote": Mistake(
        lambda p: p.edit(TABLE, "2,paint,New", '2,paint,"New'), ("data/notes/may.csv", "line 3")
    ),
    "row too long": Mistake(
        lambda p: p.edit(TABLE, "lovely.,b", "lovely.,b,c,d"),
        ("data/notes/may.csv", "line 3", "6", "4"),
    ),
    "empty file": Mistake(lambda p: p.write(TABLE, ""), ("data/notes/may.csv", "empty")),
    "protected workbook": Mistake(
        lambda p: write_workbook(p, protect_workbook(build_workbook())),
        ("data/notes/may.xlsx", "password"),
    ),
    "corrupt workbook": Mistake(
        lambda p: write_workbook(p, build_workbook()[:900]), ("data/notes/may.xlsx",)
    ),
    "schema without its import": Mistake(
        lambda p: p.edit(SCHEMA, "from typing", "import not_there_at_all\nfrom typing"),
        ("configs/schemas/notes.py", "not_there_at_all"),
    ),
    "key missing": Mistake(
        lambda p: p.edit(CONFIG, "endpoint: offline", "endpoint: openai"),
        ("OPENAI_API_KEY", "openai", ".env"),
    ),
}
RARER_STAGE_MISTAKES = {
    "prompt file missing": Mistake(
        lambda p: (p.root / PROMPT).unlink(), ("prompts/notes.yaml", "does not exist")
    ),
    "excluded column missing": Mistake(
        lambda p: p.edit(CONFIG, "internal]", "intern]"), ("intern", "internal")
    ),
    "id column missing": Mistake(
        lambda p: p.edit(CONFIG, "folder:", "id_column: nr\n  folder:"), ("nr", "topic")
    ),
    "exported column missing": Mistake(
        lambda p: p.edit(CONFIG, "export:", "export:\n  columns: [id, moood]"),
        ("moood", "mood"),
    ),
    "row too short": Mistake(
        lambda p: p.edit(TABLE, "lovely.,b", "lovely."), ("data/notes/may.csv", "line 3", "3", "4")
    ),
    "header twice": Mistake(
        lambda p: p.edit(TABLE, "id,topic,text", "id,text,text"),
        ("data/notes/may.csv", "line 1", "text"),
    ),
    "not UTF-8": Mistake(
        lambda p: (p.root / TABLE).write_bytes(
            p.read(TABLE).replace("blue", "bl\xfc").encode("latin-1")
        ),
        ("data/notes/may.csv", "line 3", "input.encoding"),
    ),
    "schema with a syntax error": Mistake(
        lambda p: p.edit(SCHEMA, "class LLMOutput(BaseModel):", "class LLMOutput(BaseModel:"),
        ("configs/schemas/notes.py", "line 6"),
    ),
    "schema without the model": Mistake(
        lambda p: p.edit(SCHEMA, "class LLMOutput", "class LLMOutputs"),
        ("configs/schemas/notes.py", "LLMOutput", "LLMOutputs"),
    ),
    "schema missing": Mistake(
        lambda p: (p.root / SCHEMA).unlink(), ("configs/schemas/notes.py", "schema.generate")
    ),
    "ledger damaged": Mistake(
        lambda p: (p.root / "data" / "ledger.sqlite").write_bytes(b"no database" * 1000),
        ("ledger",),
    ),
}


def read_ledger(project: TinyProject) -> object:
    """All calls on record; the raw bytes where the file is no database."""
    path = project.root / "data" / "ledger.sqlite"
    try:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("select call_key, text from calls order by id").fetchall()
    except sqlite3.DatabaseError:
        return path.read_bytes()


def assert_told_and_kept(project: TinyProject, mistake: Mistake) -> None:
    mistake.make(project)
    outputs, ledger = project.read_outputs(), read_ledger(project)
    run = project.run("run", "notes")
    assert_told_plainly(run, exit_code=2, names=mistake.names)
    assert project.read_outputs() == outputs
    assert read_ledger(project) == ledger


@pytest.mark.parametrize("name", CONFIG_MISTAKES)
def test_a_mistake_in_a_file_is_told_with_its_place(finished: TinyProject, name: str):
    """A wrong config ends with exit code 2 and one message that names file, line, column and remedy."""
    assert_told_and_kept(finished, CONFIG_MISTAKES[name])


@pytest.mark.parametrize("name", STAGE_MISTAKES)
def test_a_mistake_that_a_stage_meets_is_told_plainly(
    finished: TinyProject, monkeypatch: pytest.MonkeyPatch, name: str
):
    """A wrong table, prompt, schema or variable ends like a wrong config, and what was made before stays."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert_told_and_kept(finished, STAGE_MISTAKES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", RARER_STAGE_MISTAKES)
def test_a_rarer_mistake_that_a_stage_meets_is_told_plainly(finished: TinyProject, name: str):
    """The same holds for what a person gets wrong less often."""
    assert_told_and_kept(finished, RARER_STAGE_MISTAKES[name])


def test_an_address_where_nothing_answers_is_told_plainly(finished: TinyProject):
    """A closed port ends with exit code 3 after a few tries, and names endpoint and `base_url`."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    address = f"http://127.0.0.1:{port}/v1"
    finished.write("configs/endpoints.yaml", ENDPOINTS.format(base_url=address))
    finished.edit(CONFIG, "endpoint: offline", "endpoint: served")
    outputs = finished.read_outputs()
    run = finished.run("run", "notes")
    assert_told_plainly(run, exit_code=3, names=("served", "connection", "base_url", str(port)))
    assert "No answer within" not in run.stderr
    assert finished.read_outputs() == outputs


def test_an_unknown_model_stops_the_run_at_once(finished: TinyProject, served_model: ServedModel):
    """A 404 for the model ends with exit code 3 after the first answers, however many rows there are."""
    finished.write_table(TABLE, [(str(n), "lathe", f"Note {n}.", "x") for n in range(200)])
    finished.write("configs/endpoints.yaml", ENDPOINTS.format(base_url=served_model.base_url))
    finished.edit(CONFIG, "endpoint: offline", "endpoint: served")
    finished.edit(CONFIG, "model: extractive", "model: extractiv")
    before = served_model.count_requests()
    run = finished.run("run", "notes")
    assert_told_plainly(run, exit_code=3, names=("extractiv", "404", "llm.model", "served"))
    assert served_model.count_requests() - before <= 4
