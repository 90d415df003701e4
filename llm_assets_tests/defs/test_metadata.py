"""What the history tells of batches that were really run."""

from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.project_definitions import build_project_definitions
from llm_assets.gateways.project import Project
from llm_assets_tests.defs.recorded_metadata import (
    Metadata,
    read_batch_metadata,
    read_lineage,
    read_preview,
    read_schema,
)
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project

CONFIG = "configs/notes.yaml"
PROMPT = "prompts/notes.yaml"
TABLES = ("input_snapshot", "group_contexts", "work_items", "llm_outputs", "export")
MODES = ("row", "group_output", "row_output_with_group_context")
PROMPTS = {
    "row": "{{ text }}",
    "group_output": "{{ group_key }}: {{ group_context }}",
    "row_output_with_group_context": "{{ group_context }} {{ row_block }}",
}

STAGES = (*TABLES, "report")
TABLE = ("dagster/row_count", "dagster/column_schema", "dagster/column_lineage", "preview")
FOLLOWED = (
    "items_accepted",
    "share_failed",
    "calls",
    "cost_usd",
    "prompt_tokens",
    "completion_tokens",
    "calls_sent",
    "run_cost_usd",
    "elapsed_seconds",
    "planned_calls",
    "model",
    "is_rehearsal",
    "run_record",
)
"""What every batch says of its outputs."""
OF_A_RUN = ("latency_p50_seconds", "latency_p95_seconds")
"""What a run that sent calls says."""

Batch = dict[str, Metadata]


def build_shape(root: Path, mode: str) -> TinyProject:
    """The tiny project in one of the three modes; the prompt of the mode `row` shows one column of two."""
    project = build_project(root)
    if mode != "row":
        project.edit(CONFIG, "context:\n", f"grouping: {{mode: {mode}, column: topic}}\ncontext:\n")
    project.edit(PROMPT, "{{ row_block }}", PROMPTS[mode])
    return project


def list_tables(mode: str) -> tuple[str, ...]:
    """The stages that hold a table; rows that are not grouped have no group contexts."""
    return tuple(stage for stage in TABLES if (stage, mode) != ("group_contexts", "row"))


def read(project: TinyProject, batch: str = "may") -> Batch:
    return read_batch_metadata(project.root, task="notes", batch=batch)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TinyProject]:
    """A project of each shape; in each, a batch of six rows was run, and then one without rows."""
    projects: dict[str, TinyProject] = {}
    for mode in MODES:
        project = build_shape(tmp_path_factory.mktemp(mode) / "project", mode)
        project.run_json("notes")
        project.write_table("data/notes/june.csv", [])
        project.run_json("notes", "--batch", "june")
        projects[mode] = project
    return projects


@pytest.fixture(scope="module")
def batches(shapes: dict[str, TinyProject]) -> dict[str, Batch]:
    """What the batch of six rows says in each shape."""
    return {mode: read(project) for mode, project in shapes.items()}


@pytest.mark.parametrize("mode", MODES)
def test_every_origin_is_a_column_of_an_earlier_stage(batches: dict[str, Batch], mode: str):
    """Lineage names columns that both ends really have, and only stages that the asset depends on."""
    batch = batches[mode]
    for stage in list_tables(mode):
        schema, lineage = read_schema(batch[stage]), read_lineage(batch[stage])
        assert lineage
        assert lineage.keys() <= schema.keys()
        origins = {origin for found in lineage.values() for origin in found}
        for origin in origins:
            upstream, _, column = origin.partition(".")
            if upstream == "input_file":
                assert column in ("id", "topic", "text", "internal")
            else:
                assert column in read_schema(batch[upstream])


@pytest.mark.parametrize("mode", MODES)
def test_lineage_follows_the_edges_of_the_graph(
    shapes: dict[str, TinyProject], batches: dict[str, Batch], mode: str
):
    """A column comes from an asset that the stage's asset has as a parent."""
    project = Project(root=shapes[mode].root, environ={})
    graph = build_project_definitions(project).resolve_asset_graph()
    for stage in list_tables(mode):
        parents = {key.path[-1] for key in graph.get(dg.AssetKey(["notes", stage])).parent_keys}
        origins = [
            origin for found in read_lineage(batches[mode][stage]).values() for origin in found
        ]
        assert {origin.partition(".")[0] for origin in origins} <= parents


@pytest.mark.parametrize("mode", MODES)
def test_the_first_rows_have_the_columns_of_the_schema(batches: dict[str, Batch], mode: str):
    """Previews are tables of Dagster's with a cell for each of up to eight columns, and at most five rows."""
    for stage in list_tables(mode):
        preview = read_preview(batches[mode][stage])
        names = [column.name for column in preview.schema.columns]
        columns = list(read_schema(batches[mode][stage]))
        assert names == [name for name in columns if name in names]
        assert len(names) == min(len(columns), 8)
        assert all(record.data.keys() == set(names) for record in preview.records)
        n_rows = batches[mode][stage]["dagster/row_count"]
        assert isinstance(n_rows, int)
        assert len(preview.records) == min(n_rows, 5)


def test_rows_tell_what_became_of_them(batches: dict[str, Batch]):
    """The first rows show the input, the item, the answer with its outcome, and the line of the export."""
    batch = batches["row"]
    first = {stage: read_preview(batch[stage]).records for stage in list_tables("row")}
    assert first["input_snapshot"][0].data == dict(
        zip(("id", "topic", "text", "internal"), NOTES[0], strict=True)
    )
    assert first["work_items"][0].data["text"] == NOTES[0][2]
    assert first["llm_outputs"][0].data["outcome"] == "accepted"
    assert first["export"][0].data.items() >= {"id": "1", "status": "accepted"}.items()
    assert first["export"][0].data["summary"] == first["llm_outputs"][0].data["summary"]


def test_outputs_are_told_by_their_numbers_first(batches: dict[str, Batch]):
    """Dagster keeps the order: items, calls, cost, tokens and the model, then the run, the table last."""
    names = list(batches["row"]["llm_outputs"])
    own = [name for name in names if name in (*FOLLOWED, "preview") and name != "is_rehearsal"]
    first = own[:7]
    assert first == [*FOLLOWED[:6], "model"]
    assert own[-2:] == ["run_record", "preview"]


def test_stages_say_nothing_of_what_a_task_does_not_do(batches: dict[str, Batch]):
    """Without groups there is no table of them; counts of cuts, nulls and mended cells are there where there were any."""
    entries = {stage: {*batches["row"][stage]} - {*TABLE, "path"} for stage in STAGES}
    assert entries == {
        "input_snapshot": {"input_file", "read_as", "input_sha256"},
        "group_contexts": set(),
        "work_items": {"mode"},
        "llm_outputs": {*FOLLOWED, *OF_A_RUN, "planned_new", "planned_cost"},
        "export": {"accepted", "is_rehearsal", "file_csv", "file_jsonl"},
        "report": {"report", "report_path", "page", "all_batches"},
    }
    assert batches["row"]["group_contexts"].keys() == {"path"}
    groups = {*batches["group_output"]["group_contexts"]} - {*TABLE, "path"}
    assert groups == {"grouping_column", "grouped_rows", "largest_context_chars"}


FIELDS = ("summary", "mood", "score")
SHOWN = {
    "row": ["work_items.text"],
    "group_output": ["group_contexts.text", "work_items.group_key"],
    "row_output_with_group_context": [
        "group_contexts.text",
        "work_items.text",
        "work_items.topic",
    ],
}


@pytest.mark.parametrize("mode", MODES)
def test_fields_come_from_what_the_model_saw(batches: dict[str, Batch], mode: str):
    """A field leads to the columns and texts that the prompt shows, an exported one to the field."""
    outputs, export = (read_lineage(batches[mode][stage]) for stage in ("llm_outputs", "export"))
    for field in FIELDS:
        assert outputs[field] == SHOWN[mode]
        assert export[field] == [f"llm_outputs.{field}"]
    assert export["topic" if mode == "group_output" else "internal"] == [
        f"input_snapshot.{'topic' if mode == 'group_output' else 'internal'}"
    ]
    assert export["status"] == ["llm_outputs.outcome"]
    assert export["error"] == ["llm_outputs.reason"]


def test_items_come_from_the_columns_the_model_may_see(batches: dict[str, Batch]):
    """What the config keeps from the model has no way to its items; groups lead to the grouping column."""
    row, group, within = (read_lineage(batches[mode]["work_items"]) for mode in MODES)
    assert row == {
        "work_id": ["input_snapshot.text", "input_snapshot.topic"],
        "topic": ["input_snapshot.topic"],
        "text": ["input_snapshot.text"],
    }
    assert group == {
        "work_id": ["group_contexts.group_key", "group_contexts.text"],
        "group_key": ["input_snapshot.topic"],
    }
    assert within == {**row, "group_key": ["input_snapshot.topic"]}
    contexts = read_lineage(batches["group_output"]["group_contexts"])
    assert contexts["text"] == ["input_snapshot.text", "input_snapshot.topic"]


def test_columns_say_what_the_schema_says(batches: dict[str, Batch]):
    """Types, descriptions and bounds come from the output model; only accepted items promise to be filled."""
    for stage, condition in (("llm_outputs", "outcome"), ("export", "status")):
        columns = read_schema(batches["row"][stage])
        mood, score = columns["mood"], columns["score"]
        filled = f"filled where `{condition}` is accepted"
        assert (mood.type, mood.description) == ("text", "How the writer feels.")
        assert list(mood.constraints.other) == ["one of: good, bad", filled]
        assert score.type == "integer"
        assert list(score.constraints.other) == ["at least 0", "at most 10", filled]
        assert score.constraints.nullable
        assert not columns[condition].constraints.nullable
        assert not columns["work_id"].constraints.nullable


def test_an_id_column_is_filled_and_unique(tmp_path: Path):
    """The column that names the rows says so."""
    project = build_project(tmp_path)
    project.edit(CONFIG, "folder: data/notes", "folder: data/notes\n  id_column: id")
    project.run_json("notes")
    columns = read_schema(read(project)["input_snapshot"])
    assert columns["id"].constraints == dg.TableColumnConstraints(nullable=False, unique=True)
    assert columns["text"].constraints == dg.TableColumnConstraints()


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_without_rows_has_a_point_in_every_plot(
    shapes: dict[str, TinyProject], batches: dict[str, Batch], mode: str
):
    """What people follow over the batches is 0 where nothing happened; what was not measured is left out."""
    empty = read(shapes[mode], "june")
    for stage in list_tables(mode):
        assert empty[stage]["dagster/row_count"] == 0
        assert read_schema(empty[stage]).keys() == read_schema(batches[mode][stage]).keys()
        assert read_lineage(empty[stage]) == read_lineage(batches[mode][stage])
        assert read_preview(empty[stage]).records == []
    outputs = empty["llm_outputs"]
    assert outputs.keys() == {*TABLE, *FOLLOWED, "path"}
    zeros = ("items_accepted", "share_failed", "calls", "cost_usd", "calls_sent", "run_cost_usd")
    assert [outputs[name] for name in zeros] == [0] * len(zeros)


def test_every_file_of_a_batch_is_one_click_away(
    shapes: dict[str, TinyProject], batches: dict[str, Batch]
):
    """Paths in the metadata lead to files that are there: input, artifacts, account, exports, report."""
    root, batch = shapes["row"].root, batches["row"]
    paths = [batch[stage]["path"] for stage in batch]
    paths += [batch["input_snapshot"]["input_file"], batch["report"]["report_path"]]
    paths += [batch["report"][name] for name in ("page", "all_batches")]
    paths += [batch["llm_outputs"]["run_record"]]
    paths += [batch["export"][f"file_{kind}"] for kind in ("csv", "jsonl")]
    found = [Path(str(path)) for path in paths]
    assert [path for path in found if not path.is_file() or not path.is_relative_to(root)] == []


def test_the_numbers_of_a_run_are_those_of_its_account(batches: dict[str, Batch]):
    """Counts, tokens and plan stand as numbers, so that Dagster can draw them."""
    outputs = batches["row"]["llm_outputs"]
    assert outputs["dagster/row_count"] == outputs["items_accepted"] == outputs["calls_sent"] == 6
    assert outputs["planned_new"] == outputs["planned_calls"] == 6
    assert outputs["share_failed"] == 0.0
    for name in ("prompt_tokens", "completion_tokens", "latency_p50_seconds", "elapsed_seconds"):
        assert isinstance(outputs[name], int | float)
        assert outputs[name]


def test_a_run_that_sends_nothing_keeps_the_numbers_of_the_batch(
    shapes: dict[str, TinyProject], tmp_path: Path
):
    """Made again from the record, a batch has the same tokens and cost; of the run, it says that nothing was sent."""
    project = shapes["row"].copy(tmp_path / "again")
    before = read(project)["llm_outputs"]
    project.edit(CONFIG, "attempts: 3", "attempts: 2")
    project.run_json("notes")
    after = read(project)["llm_outputs"]
    own = {"calls_reused", "planned_answered"}
    assert after.keys() == {*TABLE, *FOLLOWED, "path", *own}
    same = ("calls", "prompt_tokens", "cost_usd", "items_accepted")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert (after["calls_sent"], after["calls_reused"], after["run_cost_usd"]) == (0, 6, 0.0)
