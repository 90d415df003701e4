"""What each kind of change makes stale, and what bringing it up to date then makes and sends."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from llm_assets.core.ids import BatchKey
from llm_assets.core.status_text import render_reason
from llm_assets.core.task_status import TaskStatus
from llm_assets.defs.assets import work_items
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.run_ends import FINE
from llm_assets.defs.runs import TaskRunner
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import COLUMNS, NOTES, TinyProject, build_project

pytestmark = pytest.mark.slow

MAY = BatchKey("may")
CONFIG, TABLE, PROMPT = "configs/notes.yaml", "data/notes/may.csv", "prompts/notes.yaml"
JUDGE, SCHEMA, ENDPOINTS = (
    "prompts/judge.yaml",
    "configs/schemas/notes.py",
    "configs/endpoints.yaml",
)
JUDGE_PROMPT = "user: |\n  Is it right? {{ row_block }} {{ output_json }} {{ llm_schema }}\n"
JUDGE_MODEL = """

class JudgeResult(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str
    verdict: bool
"""
FROM_SNAPSHOT = (
    "input_snapshot",
    "group_contexts",
    "work_items",
    "llm_outputs",
    "export",
    "report",
)
N_ROWS = len(NOTES)


@dataclass(frozen=True, slots=True)
class Workshop:
    """A project that was run once, with its history on disk."""

    tiny: TinyProject
    history: dg.DagsterInstance

    def open_runner(self) -> TaskRunner:
        project = Project(root=self.tiny.root, environ={})
        scope = build_scope(project, load_task(project, "notes"), observers=())
        return TaskRunner(scope, self.history, process="test")

    def read_status(self) -> TaskStatus:
        return self.open_runner().read_status()

    def refresh(self) -> None:
        """What `llm-assets run notes --stale` does."""
        project = Project(root=self.tiny.root, environ={})
        runner = self.open_runner()
        runner.register(list_batches(load_task(project, "notes"), project))
        assert runner.ensure_schema().problem is None
        for batch in runner.read_status().batches:
            if batch.is_due:
                assert runner.refresh_batch(batch.batch).problem is None
        assert runner.refresh_overview().problem is None

    def list_made(self) -> list[str]:
        """Every stage that was ever made, in that order, the overview aside."""
        records = [
            (record.storage_id, record.asset_key.path[-1])
            for key in self.history.get_asset_keys()
            for record in self.history.fetch_materializations(key, limit=1000).records
            if record.asset_key is not None
        ]
        return [stage for _, stage in sorted(records) if stage != "overview"]

    def count_calls(self) -> int:
        """Calls that all runs sent together."""
        key = dg.AssetKey(["notes", "llm_outputs"])
        events = self.history.fetch_materializations(key, limit=1000).records
        return sum(
            int(str(event.asset_materialization.metadata["calls_sent"].value))
            for event in events
            if event.asset_materialization
        )

    def list_stale_by_dagster(self) -> set[str]:
        """What Dagster's own resolver calls stale of this batch, which it looks at one step back."""
        project = Project(root=self.tiny.root, environ={})
        definitions = build_definitions(project, [load_task(project, "notes")], observers=())
        graph = definitions.resolve_asset_graph()
        context = LoadingContextForTest(self.history)
        resolver = CachingStaleStatusResolver(self.history, graph, context)
        stages = ("schema", "schema_text", *FROM_SNAPSHOT)
        return {
            stage
            for stage in stages
            if resolver.get_status(
                dg.AssetKey(["notes", stage]), MAY if stage in FROM_SNAPSHOT else None
            )
            == StaleStatus.STALE
        }


@pytest.fixture(scope="module")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """A project with a judge that was run once, and looked at once."""
    project = build_project(tmp_path_factory.mktemp("changes") / "project")
    project.edit(CONFIG, "attempts:\n  ", "judge:\n  prompt: prompts/judge.yaml\nattempts:\n  ")
    project.edit(CONFIG, "endpoint: offline", "endpoint: own")
    project.write(ENDPOINTS, "endpoints:\n  own:\n    preset: offline\n")
    project.write(JUDGE, JUDGE_PROMPT)
    project.write(SCHEMA, project.read(SCHEMA) + JUDGE_MODEL)
    project.run_json("notes")
    return project


@pytest.fixture
def workshop(finished_project: TinyProject, tmp_path: Path) -> Iterator[Workshop]:
    """A copy of it."""
    project = finished_project.copy(tmp_path / "project")
    with dg.DagsterInstance.from_config(str(project.root / ".dagster")) as history:
        yield Workshop(project, history)


def write_rows(project: TinyProject, rows: list[tuple[str, ...]], name: str = "may") -> None:
    with (project.root / "data" / "notes" / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def edit(path: str, old: str, new: str) -> Callable[[TinyProject], object]:
    return lambda project: project.edit(path, old, new)


def prepend(text: str) -> Callable[[TinyProject], object]:
    return lambda project: project.write(CONFIG, f"{text}\n{project.read(CONFIG)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing a person may do, and what has to follow."""

    do: Callable[[TinyProject], object]
    stale: Mapping[str, str]
    """The stages that are stale, and why."""
    made: tuple[str, ...]
    """What bringing it up to date makes, in this order."""
    n_calls: int
    """What that sends, the judge's calls included."""


ANSWERS_AND_AFTER = ("llm_outputs", "export", "report")
CHANGES: dict[str, Change] = {
    "nothing": Change(do=lambda _: None, stale={}, made=(), n_calls=0),
    "the prompt": Change(
        do=edit(PROMPT, "You sort", "You file"),
        stale={"llm_outputs": "the prompt changed"},
        made=(
            "llm_outputs",
        ),  # the offline model answers the same, which nothing after it has to know
        n_calls=N_ROWS,
    ),
    "a comment in the prompt file": Change(
        do=lambda project: project.write(PROMPT, f"# by Ada\n{project.read(PROMPT)}"),
        stale={"llm_outputs": "the prompt changed"},
        made=("llm_outputs",),
        n_calls=0,
    ),
    "the schema": Change(
        do=edit(SCHEMA, "How urgent it is.", "How pressing it is."),
        stale={"schema": "the schema module changed"},
        made=("schema", "schema_text", "llm_outputs", "export"),
        n_calls=N_ROWS,
    ),
    "the judge's prompt": Change(
        do=edit(JUDGE, "Is it right?", "Is it fair?"),
        stale={"llm_outputs": "the judge's prompt changed"},
        made=("llm_outputs",),
        n_calls=N_ROWS,
    ),
    "the judge's rules": Change(
        do=edit(CONFIG, "judge.yaml\n", "judge.yaml\n  retries: 4\n"),
        stale={"llm_outputs": "`judge` changed", "report": "`judge` changed"},
        made=("llm_outputs", "report"),
        n_calls=0,
    ),
    "how the input is read": Change(
        do=edit(CONFIG, "folder: data/notes", "folder: data/notes\n  delimiter: ','"),
        stale={"input_snapshot": "`input` changed", "report": "`input` changed"},
        made=("input_snapshot", "report"),
        n_calls=0,
    ),
    "cleaning": Change(
        do=prepend("cleaning: {null_tokens: [lathe]}"),
        stale={"input_snapshot": "`cleaning` changed", "report": "`cleaning` changed"},
        made=("input_snapshot", "group_contexts", "work_items", *ANSWERS_AND_AFTER),
        n_calls=4,
    ),
    "grouping": Change(
        do=prepend("grouping: {max_rows_per_group: 3}"),
        stale={
            "group_contexts": "`grouping` changed",
            "work_items": "`grouping` changed",
            "report": "`grouping` changed",
        },
        made=("group_contexts", "work_items", "report"),
        n_calls=0,
    ),
    "the context": Change(
        do=edit(
            CONFIG, "exclude: [id, internal]", "exclude: [id, internal]\n  order: alphabetical"
        ),
        stale={
            "group_contexts": "`context` changed",
            "work_items": "`context` changed",
            "report": "`context` changed",
        },
        made=("group_contexts", "work_items", *ANSWERS_AND_AFTER),
        n_calls=2 * N_ROWS,
    ),
    "the model's parameters": Change(
        do=edit(CONFIG, "temperature: 0", "temperature: 1"),
        stale={
            "llm_outputs": "the model's settings changed; the judge's model settings changed",
            "report": "the model's settings changed",
        },
        made=("llm_outputs", "report"),
        n_calls=2 * N_ROWS,
    ),
    "the endpoint": Change(
        do=lambda project: project.write(
            ENDPOINTS, f"{project.read(ENDPOINTS)}    structured_output: json_object\n"
        ),
        stale={"llm_outputs": "the endpoint changed; the judge's endpoint changed"},
        made=("llm_outputs",),
        n_calls=2 * N_ROWS,
    ),
    "attempts": Change(
        do=edit(CONFIG, "attempts: 3", "attempts: 2"),
        stale={"llm_outputs": "`attempts` changed", "report": "`attempts` changed"},
        made=("llm_outputs", "report"),
        n_calls=0,
    ),
    "limits": Change(
        do=edit(CONFIG, "max_in_flight: 4", "max_in_flight: 2"),
        stale={"report": "`limits` changed"},
        made=("report",),
        n_calls=0,
    ),
    "the budget": Change(
        do=prepend("budget: {warn_at: 0.5}"),
        stale={"report": "`budget` changed"},
        made=("report",),
        n_calls=0,
    ),
    "the price": Change(
        do=edit(CONFIG, "temperature: 0", "temperature: 0\n  price: {input_usd: 1, output_usd: 2}"),
        stale={"report": "the model's settings changed"},
        made=("report",),
        n_calls=0,
    ),
    "checks": Change(
        do=prepend("checks: {failed_items: {max_share: 0.5}}"), stale={}, made=(), n_calls=0
    ),
    "automation": Change(
        do=prepend("automation: {run_new_files: true}"), stale={}, made=(), n_calls=0
    ),
    "an export column": Change(
        do=edit(CONFIG, "formats: [csv, jsonl]", "formats: [csv, jsonl]\n  columns: [id, mood]"),
        stale={"export": "`export` changed", "report": "`export` changed"},
        made=("export", "report"),
        n_calls=0,
    ),
    "the report": Change(
        do=edit(CONFIG, "samples: 3", "samples: 4"),
        stale={"report": "`report` changed"},
        made=("report",),
        n_calls=0,
    ),
    "a cell that the model sees": Change(
        do=edit(TABLE, "hums", "roars"),
        stale={"input_snapshot": "the input file changed"},
        made=FROM_SNAPSHOT,
        n_calls=2,
    ),
    "a cell that it does not see": Change(
        do=edit(TABLE, "load.,a", "load.,z"),
        stale={"input_snapshot": "the input file changed"},
        made=FROM_SNAPSHOT,  # without an id column a row is named by all of its content
        n_calls=0,
    ),
    "the order of rows": Change(
        do=lambda project: write_rows(project, list(reversed(NOTES))),
        stale={"input_snapshot": "the input file changed"},
        made=FROM_SNAPSHOT,
        n_calls=0,
    ),
    "a file that is gone": Change(
        do=lambda project: (project.root / TABLE).unlink(), stale={}, made=(), n_calls=0
    ),
    "another file": Change(
        do=lambda project: write_rows(
            project, [*NOTES[:2], ("7", "new", "A new one.", "")], "june"
        ),
        stale={},
        made=FROM_SNAPSHOT,
        n_calls=2,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_makes_stale_what_it_touches_and_a_refresh_makes_no_more(
    workshop: Workshop, name: str
):
    """What is stale and why, what Dagster itself says, what a refresh makes and sends; after it all is fresh."""
    change = CHANGES[name]
    made_before, calls_before = workshop.list_made(), workshop.count_calls()
    change.do(workshop.tiny)
    status = workshop.read_status()
    stages = {**status.shared, **next(b for b in status.batches if b.batch == MAY).stages}
    stale = {name: found for name, found in stages.items() if found.state == "stale"}
    told = {name: "; ".join(map(render_reason, found.reasons)) for name, found in stale.items()}
    assert {stage: why for stage, why in told.items() if stage != "overview"} == change.stale
    if "input_snapshot" not in change.stale:  # a file is observed when something runs
        assert workshop.list_stale_by_dagster() == set(change.stale)
    workshop.refresh()
    assert tuple(workshop.list_made()[len(made_before) :]) == change.made
    assert workshop.count_calls() - calls_before == change.n_calls
    assert workshop.read_status().is_fresh
    assert workshop.list_stale_by_dagster() == set()


def test_other_code_makes_its_own_stage_stale(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    """A stage whose recipe is a new one is made anew; what comes out the same touches nothing after it."""
    monkeypatch.setattr(work_items, "RECIPE", work_items.RECIPE + 1)
    status = workshop.read_status()
    (batch,) = status.batches
    assert [render_reason(reason) for reason in batch.stages["work_items"].reasons] == [
        "llm-assets itself changed"
    ]
    assert workshop.list_stale_by_dagster() == {"work_items"}
    n_made = len(workshop.list_made())
    workshop.refresh()
    assert workshop.list_made()[n_made:] == ["work_items"]


def test_a_file_put_back_to_what_it_was_is_another_change(workshop: Workshop):
    """A reverted file runs again, and every answer is on record."""
    workshop.tiny.edit(TABLE, "hums", "roars")
    workshop.refresh()
    calls = workshop.count_calls()
    workshop.tiny.edit(TABLE, "roars", "hums")
    (batch,) = workshop.read_status().batches
    assert batch.stages["input_snapshot"].state == "stale"
    workshop.refresh()
    assert workshop.read_status().is_fresh
    assert workshop.count_calls() == calls


def test_a_change_taken_back_before_it_ran_leaves_everything_fresh(workshop: Workshop):
    """Staleness compares with what was made, not with what was typed in between."""
    workshop.tiny.edit(PROMPT, "You sort", "You file")
    assert not workshop.read_status().is_fresh
    workshop.tiny.edit(PROMPT, "You file", "You sort")
    assert workshop.read_status().is_fresh
    assert workshop.open_runner().ensure_schema() == FINE
