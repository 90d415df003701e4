"""What the graph says of a task before anything ran."""

from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.project_definitions import build_project_definitions
from llm_assets.gateways.project import Project
from llm_assets_tests.end_to_end.judged_project import (
    CONFIG,
    add_own_endpoint,
    build_judged_project,
)
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

OWNERS = 'owners: ["team:shop"]\n'


def get_nodes(tiny: TinyProject):
    graph = build_project_definitions(Project(root=tiny.root, environ={})).resolve_asset_graph()
    return {key.path[-1]: graph.get(key) for key in graph.get_all_asset_keys()}


@pytest.fixture
def judged(tmp_path: Path) -> TinyProject:
    """A task with a judge at an endpoint of its own."""
    project = build_judged_project(tmp_path, base_url="http://127.0.0.1:1/v1")
    add_own_endpoint(project, "http://127.0.0.1:2/v1")
    return project


def test_a_stage_names_the_models_and_the_prompts_it_goes_by(judged: TinyProject):
    """The outputs say which model answers and which one judges, and where both prompts lie."""
    metadata = get_nodes(judged)["llm_outputs"].metadata
    assert (metadata["model"], metadata["judge_model"]) == (
        "served/writer",
        "bench/judge",
    )
    prompts = {name: Path(metadata[name].value).name for name in ("prompt", "judge_prompt")}
    assert prompts == {"prompt": "notes.yaml", "judge_prompt": "judge.yaml"}


def test_every_node_leads_to_its_files(judged: TinyProject):
    """Each stage and each file has the config at hand, and references that the UI opens in an editor."""
    for name, node in get_nodes(judged).items():
        references = node.metadata["dagster/code_references"]
        assert isinstance(references, dg.CodeReferencesMetadataValue), name
        files = [
            reference.file_path
            for reference in references.code_references
            if isinstance(reference, dg.LocalFileCodeReference)
        ]
        assert str(judged.root / CONFIG) in files, name


def test_no_definition_tells_an_address_or_a_key(judged: TinyProject):
    """An endpoint is shown by its name: its address may be no matter for everybody who sees the graph."""
    shown = str([dict(node.metadata) for node in get_nodes(judged).values()])
    assert "127.0.0.1" not in shown
    assert "BENCH_KEY" not in shown


@pytest.mark.parametrize(
    ("preset", "kinds"),
    [("    preset: vllm\n", {"llm", "vllm"}), ("", {"llm"})],
)
def test_the_model_is_labelled_by_whose_server_it_is(tmp_path: Path, preset: str, kinds: set[str]):
    """An endpoint of one's own has the kind of its preset; one that has none is a model and no more."""
    tiny = build_project(tmp_path, base_url="http://127.0.0.1:1/v1")
    tiny.edit("configs/endpoints.yaml", "    preset: offline\n", preset)
    assert get_nodes(tiny)["llm_outputs"].kinds == kinds


def test_a_rehearsal_is_labelled_as_such(tmp_path: Path):
    """The built-in model is told apart at a glance."""
    assert get_nodes(build_project(tmp_path))["llm_outputs"].kinds == {"llm", "offline"}


def test_files_have_kinds_and_owners_as_stages_have(tmp_path: Path):
    """Prompt and config belong to the owners of the task; all three files are labelled."""
    tiny = build_project(tmp_path)
    tiny.write(CONFIG, OWNERS + tiny.read(CONFIG))
    nodes = get_nodes(tiny)
    assert nodes["input_file"].kinds == {"table", "file"}
    for name in ("prompt_file", "config_file"):
        assert nodes[name].kinds
        assert nodes[name].owners == ["team:shop"]


def test_a_judges_prompt_is_named_beside_the_prompt(judged: TinyProject):
    """The node of the prompt tells of both files that make outputs stale."""
    description = get_nodes(judged)["prompt_file"].description or ""
    assert "`prompts/notes.yaml` and the judge's, `prompts/judge.yaml`" in description
