"""A project of a few files in a temporary folder, driven through the real command line."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, cast

REPOSITORY = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("llm-assets")
DAGSTER = Path(sys.executable).with_name("dagster")
OWN_VARIABLES = ("DAGSTER_HOME", "LLM_ASSETS_PROJECT", "LLM_ASSETS_LEDGER_URL")
"""What would lead a run out of its own project."""

CONFIG = """\
prompt: prompts/notes.yaml
input:
  folder: data/notes
context:
  exclude: [id, internal]
schema:
  module: configs/schemas/notes.py
llm:
  endpoint: {endpoint}
  model: {model}
  temperature: 0
attempts:
  attempts: 3
limits:
  max_in_flight: 4
  backoff_seconds: 0.01
  progress_seconds: 5
export:
  formats: [csv, jsonl]
report:
  samples: 3
"""
PROMPT = """\
system: |
  You sort the notes of a workshop. Answer with one JSON object for this schema.
  {{ llm_schema }}
user: |
  <note>
  {{ row_block }}
  </note>
"""
SCHEMA = '''\
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LLMOutput(BaseModel):
    """What a note says."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(min_length=1, max_length=200, description="The note in a sentence.")
    mood: Literal["good", "bad"] = Field(description="How the writer feels.")
    score: int = Field(ge=0, le=10, description="How urgent it is.")
'''
ENDPOINTS = """\
endpoints:
  served:
    preset: offline
    base_url: {base_url}
"""
COLUMNS = ("id", "topic", "text", "internal")
NOTES = (
    ("1", "lathe", "The lathe hums and the belt slips under load.", "a"),
    ("2", "paint", "New paint arrived; the blue is lovely.", "b"),
    ("3", "lathe", "Belt replaced, the lathe runs quietly again.", "c"),
    ("4", "doors", "The north door does not close in the wind.", "d"),
    ("5", "paint", "Two tins of red leaked in the cupboard.", "e"),
    ("6", "doors", "Hinges oiled, the door still sticks.", "f"),
)

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CliRun:
    """What a command said and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def record(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        return cast("dict[str, Any]", json.loads(self.stdout))

    @property
    def batch(self) -> dict[str, Any]:
        """The only batch of a `run --json`."""
        (batch,) = self.record["batches"]
        return cast("dict[str, Any]", batch)

    @property
    def calls_sent(self) -> int:
        """Calls of the only batch."""
        return cast("int", self.batch["calls_sent"])


@dataclass(frozen=True, slots=True)
class TinyProject:
    """A project folder with the task `notes`, whose one batch is `may`."""

    root: Path

    def run(self, *args: str, cwd: Path | None = None) -> CliRun:
        """Run `llm-assets` in this process, as the console script does."""
        from llm_assets.cli.main import main

        out, err = _open_stream(), _open_stream()
        argv, environ = sys.argv, dict(os.environ)
        sys.argv = ["llm-assets", *args]
        for name in OWN_VARIABLES:
            os.environ.pop(name, None)
        exit_code = 0
        try:
            with chdir(cwd or self.root), redirect_stdout(out), redirect_stderr(err):
                main()
        except SystemExit as exc:
            exit_code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
        finally:
            sys.argv = argv
            os.environ.clear()
            os.environ.update(environ)
        return CliRun(exit_code=exit_code, stdout=_read(out), stderr=_read(err))

    def run_json(self, *args: str) -> CliRun:
        """`llm-assets run … --json`, which has to go well."""
        done = self.run("run", *args, "--json")
        assert done.exit_code == 0, done.stderr
        return done

    def start(self, *args: str, **environ: str) -> subprocess.Popen[str]:
        """Start `llm-assets` as a process of its own."""
        return subprocess.Popen(
            [COMMAND, *args],
            cwd=self.root,
            env=build_environ(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run_process(self, *args: str, **environ: str) -> CliRun:
        """Run `llm-assets` as a process of its own to its end."""
        process = self.start(*args, **environ)
        stdout, stderr = process.communicate()
        return CliRun(exit_code=process.returncode, stdout=stdout, stderr=stderr)

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def read(self, path: str) -> str:
        """The text of a file of the project."""
        return (self.root / path).read_text(encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that occurs once."""
        text = self.read(path)
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {path}"
        self.write(path, text.replace(old, new))

    def write_table(self, path: str, rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> Path:
        """Write a csv table."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        return target

    def read_export(self, batch: str = "may", task: str = "notes") -> list[dict[str, str]]:
        """The rows of the csv export."""
        path = self.root / "data" / "exports" / task / f"{batch}.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def read_records(
        self, stage: str, batch: str = "may", task: str = "notes"
    ) -> list[dict[str, Any]]:
        """The records of a stage's artifact."""
        lines = self.read(f"data/artifacts/{task}/{stage}/{batch}.jsonl").splitlines()
        return [json.loads(line) for line in lines]

    def read_outputs(self) -> dict[str, bytes]:
        """Every file of artifacts, exports and reports by its path, but for the accounts of runs."""
        folders = ("data/artifacts", "data/exports", "data/reports")
        paths = [path for name in folders for path in (self.root / name).rglob("*")]
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in paths
            if path.is_file() and not path.name.endswith(".run.json")
        }

    def copy(self, root: Path) -> "TinyProject":
        """The same project, with everything it has made, in another folder."""
        shutil.copytree(self.root, root)
        return TinyProject(root)


def build_project(
    root: Path,
    *,
    base_url: str | None = None,
    model: str = "extractive",
    rows: Sequence[Row] = NOTES,
) -> TinyProject:
    """Write the project; its model is served at `base_url`, or answers in the process where none is given."""
    project = TinyProject(root)
    endpoint = "served" if base_url else "offline"
    project.write("configs/notes.yaml", CONFIG.format(endpoint=endpoint, model=model))
    project.write("configs/schemas/notes.py", SCHEMA)
    project.write("prompts/notes.yaml", PROMPT)
    if base_url:
        project.write("configs/endpoints.yaml", ENDPOINTS.format(base_url=base_url))
    project.write_table("data/notes/may.csv", rows)
    return project


def build_environ(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that must find its project by its working directory alone."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    return {**kept, **changes}


def assert_told_plainly(run: CliRun, *, exit_code: int, names: Sequence[str]) -> None:
    """A person's mistake: the right exit code and one message with these words, without a stack trace."""
    assert run.exit_code == exit_code, run.stderr
    message = re.split(r"^Error: ", run.stderr, flags=re.MULTILINE)
    assert len(message) == 2, run.stderr
    assert "\n\n" not in message[1].strip(), run.stderr
    for word in ("Traceback", "Stack Trace", 'File "'):
        assert word not in run.stderr, run.stderr
    for name in names:
        assert name in message[1], f"{name!r} is not in: {run.stderr}"


def _open_stream() -> TextIOWrapper:
    return TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True)


def _read(stream: TextIOWrapper) -> str:
    buffer = cast("BytesIO", stream.buffer)
    return buffer.getvalue().decode("utf-8")
