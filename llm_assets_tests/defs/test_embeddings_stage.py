"""Whether what is published gets its vectors, and only what changed is paid for."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.config.step_problems import PROMPT_FILE_ENDING, STAGE_NAMES
from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.run_ends import RunEnd
from llm_assets.defs.runs import TaskRunner
from llm_assets.errors import ConfigError
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task, load_task
from llm_assets_tests.end_to_end.call_record import read_call_sums
from llm_assets_tests.end_to_end.documents_project import (
    CONFIG,
    STEPS,
    build_documents_project,
    file_paper,
    fill_paper_review,
)
from llm_assets_tests.end_to_end.gated_project import read_published
from llm_assets_tests.end_to_end.scripted_model import open_scripted_model
from llm_assets_tests.end_to_end.served_model import ServedModel, open_served_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.stage_names import OPTIONAL_STAGES

pytestmark = pytest.mark.slow

APRIL = BatchKey("april")
N_PAPERS, N_UNSURE = 12, 2
COMMENTED = "#   embed:\n"
EMBEDDINGS = dg.AssetKey(["documents", "embeddings"])


def switch_on(project: TinyProject) -> None:
    """Take the comment signs away from the block `embed` of the example's config."""
    lines = project.read(CONFIG).splitlines(keepends=True)
    first = lines.index(COMMENTED)
    last = first + 4
    shown = [line.removeprefix("#   ") for line in lines[first:last]]
    project.write(CONFIG, "".join([*lines[:first], *shown, *lines[last:]]))


class Records:
    """The project, its history, and what runs of it say."""

    def __init__(self, tiny: TinyProject, history: dg.DagsterInstance) -> None:
        self.tiny = tiny
        self.history = history

    @property
    def project(self) -> Project:
        return Project(root=self.tiny.root, environ={})

    @property
    def task(self) -> Task:
        return load_task(self.project, "documents")

    def build(self) -> dg.Definitions:
        return build_definitions(self.project, [self.task], observers=())

    def _open_runner(self) -> TaskRunner:
        scope = build_scope(self.project, self.task, observers=())
        runner = TaskRunner(scope, self.history, process="test")
        runner.register(list_batches(self.task, self.project))
        assert runner.ensure_schema().problem is None
        return runner

    def run(self) -> RunEnd:
        end = self._open_runner().run_batch(APRIL, RunChoice(limit=None, is_forced=False))
        assert end.problem is None, end.problem
        return end

    def refresh(self) -> RunEnd:
        end = self._open_runner().refresh_batch(APRIL)
        assert end.problem is None, end.problem
        return end

    def count_calls(self) -> int:
        return read_call_sums(self.tiny).n_calls

    def read_counts(self) -> dict[str, object]:
        """What the asset says of its newest value."""
        event = self.history.get_latest_materialization_event(EMBEDDINGS)
        assert event is not None
        assert event.asset_materialization is not None
        found = event.asset_materialization.metadata
        return {name: found[name].value for name in ("embedded", "reused", "removed")}

    def search(self, words: str) -> list[str]:
        """The titles of the nearest papers."""
        done = self.tiny.run("search", "documents", words, "--limit", "3", "--json")
        assert done.exit_code == 0, done.stderr
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return [each["input"]["document_id"] for each in found]


@pytest.fixture(scope="module")
def reader() -> Iterator[ServedModel]:
    """The model of the first two steps."""
    with open_served_model() as server:
        yield server


@pytest.fixture
def records(reader: ServedModel, tmp_path: Path) -> Iterator[Records]:
    """Papers whose batch was run once, with vectors."""
    pytest.importorskip("lancedb", reason="the extra `vectors` is not installed")
    with open_scripted_model(file_paper) as registrar:
        tiny = build_documents_project(
            tmp_path / "project",
            n_papers=N_PAPERS,
            reader_url=reader.base_url,
            registrar_url=registrar.base_url,
        )
        switch_on(tiny)
        tiny.run_json("documents")
        with dg.DagsterInstance.from_config(str(tiny.root / ".dagster")) as history:
            yield Records(tiny, history)


def test_only_what_changed_is_embedded(records: Records):
    """First all that is published, then what a person approved and rewrote, then nothing; the store can go at no cost."""
    n_published = N_PAPERS - N_UNSURE
    assert records.read_counts() == {"embedded": n_published, "reused": 0, "removed": 0}
    n_calls = records.count_calls()

    edits = {
        "P-0": {"decision": "approve"},
        "P-10": {"decision": "edit", "summarize.summary": "A pelican asks for herring."},
    }
    path = fill_paper_review(records.tiny, edits)
    done = records.tiny.run("review", "import", "documents", str(path))
    assert done.exit_code == 0, done.stderr
    assert records.count_calls() == n_calls  # a review is free; the vectors come with the next run
    assert "embeddings" in records.refresh().stages
    assert records.read_counts() == {"embedded": 2, "reused": n_published, "removed": 0}
    assert records.search("pelican herring")[0] == "P-10"
    assert set(records.search("berth lease quay")) & {"P-0"}
    n_calls = records.count_calls()
    assert records.refresh().stages == ()
    records.run()
    assert records.count_calls() == n_calls

    shutil.rmtree(records.tiny.root / "data" / "vectors")
    records.run()
    assert records.read_counts() == {"embedded": 0, "reused": N_PAPERS, "removed": 0}
    assert records.count_calls() == n_calls
    assert records.search("pelican herring")[0] == "P-10"


def test_what_is_published_no_more_is_not_found(records: Records):
    """A paper that a person turned down leaves the store, and its vector stays on record."""
    assert "P-4" in read_published(records.tiny, batch="april", task="documents")
    done = records.tiny.run("review", "export", "documents", "--with-decided")
    assert done.exit_code == 0, done.stderr
    edits = {"P-4": {"decision": "reject"}}
    path = fill_paper_review(records.tiny, edits, workbook=records.tiny.root / "april.review.xlsx")
    assert records.tiny.run("review", "import", "documents", str(path)).exit_code == 0
    records.refresh()
    assert records.read_counts()["removed"] == 1
    done = records.tiny.run("search", "documents", "paper", "--limit", "100", "--json")
    found = {json.loads(line)["input"]["document_id"] for line in done.stdout.splitlines()}
    assert len(found) == N_PAPERS - N_UNSURE - 1
    assert "P-4" not in found


def test_the_asset_waits_for_its_turn_at_the_endpoint(tmp_path: Path):
    """It shares the pool of all that calls models, comes after what is published, and is there only where it is asked for."""
    tiny = build_documents_project(
        tmp_path,
        n_papers=1,
        reader_url="http://127.0.0.1:9/v1",
        registrar_url="http://127.0.0.1:9/v1",
    )
    with dg.DagsterInstance.ephemeral() as history:
        records = Records(tiny, history)
        assert EMBEDDINGS not in records.build().resolve_asset_graph().get_all_asset_keys()
        switch_on(tiny)
        definition = records.build().get_assets_def(EMBEDDINGS)
        keys = records.build().resolve_asset_graph().get_all_asset_keys()
    assert definition.op.pool == "llm_api"
    assert {key.path[-1] for key in definition.dependency_keys} == {"published"}
    # No step of a chain may be called like anything that stands beside it.
    names = {key.path[-1] for key in keys if not key.path[-1].endswith(PROMPT_FILE_ENDING)}
    assert {*names, *OPTIONAL_STAGES} - {*STEPS} <= STAGE_NAMES
    assert records.task.settings.embed is not None
    assert records.task.settings.embed.model == "hashed-words"


def test_vectors_need_a_gate(tmp_path: Path):
    """Without one nothing is published that could get vectors, and the file and line are named."""
    tiny = build_documents_project(
        tmp_path,
        n_papers=1,
        reader_url="http://127.0.0.1:9/v1",
        registrar_url="http://127.0.0.1:9/v1",
    )
    switch_on(tiny)
    text = tiny.read(CONFIG)
    first, rest = text.split("gate:\n")
    _, after = rest.split("  at_least: 0.8\n")
    tiny.write(CONFIG, first + after)
    with pytest.raises(ConfigError, match=r"configs/documents\.yaml:.* needs a `gate` block"):
        load_task(Project(root=tmp_path, environ={}), "documents")
