import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.config.stages import BATCH_STAGES, TASK_STAGES
from llm_assets.defs.project_definitions import build_definitions, build_project_definitions
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_environ, build_project

STAGES = (*TASK_STAGES, *BATCH_STAGES, "overview")
SOURCES = ("input_file", "prompt_file", "config_file")
DEPENDENCIES = {
    "schema": {"config_file"},
    "schema_text": {"schema"},
    "input_snapshot": {"input_file", "config_file"},
    "group_contexts": {"input_snapshot"},
    "work_items": {"input_snapshot", "group_contexts"},
    "llm_outputs": {
        "schema_text",
        "work_items",
        "group_contexts",
        "prompt_file",
        "config_file",
    },
    "export": {"schema", "input_snapshot", "work_items", "llm_outputs"},
    "report": {"input_snapshot", "group_contexts", "work_items", "llm_outputs", "export"},
    "overview": {"report"},
}
LABELS = 'description: Notes of a workshop.\nowners: ["team:shop"]\ntags: {site: north}\n'
OWN_MODEL = "  endpoint: own\n"
OWN_ENDPOINT = "endpoints:\n  own:\n    preset: offline\n    base_url: {}\n"


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project with one task."""
    project = build_project(tmp_path)
    project.write("configs/notes.yaml", LABELS + project.read("configs/notes.yaml"))
    return project


def build(tiny: TinyProject) -> dg.Definitions:
    return build_project_definitions(Project(root=tiny.root, environ={}))


def get_node(definitions: dg.Definitions, stage: str):
    return definitions.resolve_asset_graph().get(dg.AssetKey(["notes", stage]))


def read_code_versions(tiny: TinyProject) -> dict[str, str | None]:
    definitions = build(tiny)
    return {stage: get_node(definitions, stage).code_version for stage in STAGES}


def test_a_task_is_a_group_of_stages_and_the_files_they_come_from(tiny: TinyProject):
    """Every node of the graph is `<task>/<name>` in the task's group, and there is no other."""
    graph = build(tiny).resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert keys == {f"notes/{name}" for name in (*STAGES, *SOURCES)}
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys()} == {"notes"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_what_it_reads(tiny: TinyProject, stage: str):
    """Edges lead from the values and files that a stage uses, and from nothing else."""
    parents = get_node(build(tiny), stage).parent_keys
    assert {key.path[-1] for key in parents} == DEPENDENCIES[stage]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_says_what_it_is(tiny: TinyProject, stage: str):
    """In the UI each stage has a description for people, kinds, owners, tags and a code version."""
    node = get_node(build(tiny), stage)
    assert node.description
    assert node.kinds
    assert node.owners == ["team:shop"]
    assert node.tags.items() >= {"task": "notes", "site": "north"}.items()
    assert node.code_version


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_says_where_it_lies(tiny: TinyProject, source: str):
    """Input, prompt and config are nodes whose description names the file, without a machine's path."""
    node = get_node(build(tiny), source)
    assert not node.is_materializable
    assert "notes" in (node.description or "")
    assert str(tiny.root) not in (node.description or "")


def test_batch_stages_are_partitioned_by_the_tasks_batches(tiny: TinyProject):
    """Schema stages are about no batch; all others, and the input, share the task's own partitions."""
    definitions = build(tiny)
    for stage in TASK_STAGES:
        assert get_node(definitions, stage).partitions_def is None
    for stage in (*BATCH_STAGES, "input_file"):
        partitions = get_node(definitions, stage).partitions_def
        assert isinstance(partitions, dg.DynamicPartitionsDefinition)
        assert partitions.name == "notes_batches"


def test_the_batch_job_names_the_job_before_it(tiny: TinyProject):
    """Who starts with a backfill reads beside the job what has to be made once before it."""
    assert "job `notes_schema` first" in (
        build(tiny).resolve_job_def("notes_batch").description or ""
    )


def test_runs_that_call_models_share_a_pool(tiny: TinyProject):
    """One pool limits all runs that ask a model."""
    definitions = build(tiny)
    pools = {stage: get_node(definitions, stage).pools for stage in STAGES}
    assert pools["llm_outputs"] == {"llm_api"}


def test_a_task_has_a_job_for_each_half(tiny: TinyProject):
    """One job brings the schema up to date, the other runs a batch from its file to its report."""
    definitions = build(tiny)
    schema, batch = (definitions.resolve_job_def(f"notes_{half}") for half in ("schema", "batch"))
    assert {key.path[-1] for key in schema.asset_layer.executable_asset_keys} == set(TASK_STAGES)
    assert {key.path[-1] for key in batch.asset_layer.executable_asset_keys} == set(BATCH_STAGES)
    assert isinstance(batch.partitions_def, dg.DynamicPartitionsDefinition)


def test_one_sensor_keeps_all_stages_fresh(tiny: TinyProject):
    """The task's own sensor looks at every stage, so that Dagster adds none beside it."""
    repository = build(tiny).get_repository_def()
    sensors = [
        sensor
        for sensor in repository.sensor_defs
        if isinstance(sensor, dg.AutomationConditionSensorDefinition)
    ]
    assert [sensor.name for sensor in sensors] == ["notes_keep_fresh"]
    looked_at = sensors[0].asset_selection.resolve(repository.asset_graph)
    assert {key.path[-1] for key in looked_at} >= set(STAGES)


def test_several_tasks_stand_side_by_side(tiny: TinyProject):
    """Each config file is a group of its own with its own partitions."""
    tiny.write("configs/minutes.yaml", tiny.read("configs/notes.yaml"))
    graph = build(tiny).resolve_asset_graph()
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups == {"notes", "minutes"}
    assert len(list(graph.get_all_asset_keys())) == 2 * len((*STAGES, *SOURCES))


CHANGES: dict[str, tuple[tuple[str, str, str], set[str]]] = {
    "nothing": (("configs/notes.yaml", "prompt:", "prompt:"), set()),
    "a comment in the config": (("configs/notes.yaml", "llm:", "# the model\nllm:"), set()),
    "limits": (
        ("configs/notes.yaml", "max_in_flight: 4", "max_in_flight: 9"),
        {"report"},
    ),
    "the input": (
        ("configs/notes.yaml", "folder: data/notes", "folder: data/notes\n  header_row: 1"),
        set(),
    ),
    "how the input is read": (
        ("configs/notes.yaml", "folder: data/notes", "folder: data/notes\n  encoding: latin-1"),
        {"input_snapshot", "report"},
    ),
    "cleaning": (
        ("configs/notes.yaml", "llm:", "cleaning: {trim: false}\nllm:"),
        {"input_snapshot", "report"},
    ),
    "the context": (
        ("configs/notes.yaml", "exclude: [id, internal]", "exclude: [id]"),
        {"group_contexts", "work_items", "report"},
    ),
    "the model": (
        ("configs/notes.yaml", "model: extractive", "model: echo"),
        {"llm_outputs", "report"},
    ),
    "attempts": (
        ("configs/notes.yaml", "attempts: 3", "attempts: 2"),
        {"llm_outputs", "report"},
    ),
    "the prompt": (
        ("prompts/notes.yaml", "You sort", "You file"),
        {"llm_outputs"},
    ),
    "the export": (
        ("configs/notes.yaml", "formats: [csv, jsonl]", "formats: [csv]"),
        {"export", "report"},
    ),
    "the report": (("configs/notes.yaml", "samples: 3", "samples: 4"), {"report"}),
    "the schema's place": (
        ("configs/notes.yaml", "schema:\n", "schema:\n  judge_model: Other\n"),
        {"schema", "report"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_code_version_changes_with_what_the_stage_uses(tiny: TinyProject, change: str):
    """A changed setting or prompt makes the stages stale that use it, and no other."""
    before = read_code_versions(tiny)
    (path, old, new), expected = CHANGES[change]
    tiny.edit(path, old, new)
    after = read_code_versions(tiny)
    assert {stage for stage in STAGES if after[stage] != before[stage]} == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("preset: offline", "preset: offline\n    structured_output: prompt"),
        ("preset: offline", "preset: offline\n    token_parameter: max_completion_tokens"),
        ("127.0.0.1:1/v1", "127.0.0.1:2/v1"),
    ],
)
def test_a_changed_endpoint_concerns_the_outputs(tiny: TinyProject, old: str, new: str):
    """What shapes a call at the endpoint, written in another file, makes the outputs stale and nothing else."""
    tiny.edit("configs/notes.yaml", "  endpoint: offline\n", OWN_MODEL)
    tiny.write("configs/endpoints.yaml", OWN_ENDPOINT.format("http://127.0.0.1:1/v1"))
    before = read_code_versions(tiny)
    tiny.edit("configs/endpoints.yaml", old, new)
    after = read_code_versions(tiny)
    assert {stage for stage in STAGES if after[stage] != before[stage]} == {"llm_outputs"}


def test_code_versions_are_the_same_in_another_folder(tiny: TinyProject, tmp_path_factory):
    """Moving a project makes nothing stale."""
    other = tiny.copy(tmp_path_factory.mktemp("moved") / "elsewhere")
    assert read_code_versions(other) == read_code_versions(tiny)


def test_a_missing_prompt_does_not_keep_the_graph_from_loading(tiny: TinyProject):
    """The UI shows the graph; the run that needs the prompt tells what is missing."""
    (tiny.root / "prompts" / "notes.yaml").unlink()
    assert get_node(build(tiny), "llm_outputs").code_version


def test_definitions_validate(tiny: TinyProject):
    """Dagster finds every resource, job and dependency in place."""
    project = Project(root=tiny.root, environ={})
    definitions = build_definitions(project, [load_task(project, "notes")], observers=())
    dg.Definitions.validate_loadable(definitions)


@pytest.mark.slow
def test_loading_imports_nothing_heavy(tiny: TinyProject):
    """Every Dagster command loads the definitions, so what only runs need is imported by runs."""
    heavy = "openai aiohttp pandas pyarrow openpyxl python_calamine tiktoken genai_prices dagster_pandas"
    code = (
        "import sys, llm_assets.definitions as d; assert d.defs;"
        f"print(' '.join(sorted(set('{heavy}'.split()) & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tiny.root,
        env=build_environ({}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
