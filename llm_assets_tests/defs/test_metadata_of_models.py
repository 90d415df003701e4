"""What the history tells of batches whose models failed, cost money or were judged."""

from pathlib import Path

import pytest

from llm_assets_tests.defs.recorded_metadata import (
    Metadata,
    read_batch_metadata,
    read_lineage,
    read_preview,
)
from llm_assets_tests.end_to_end.judged_project import add_own_endpoint, agree, build_judged_project
from llm_assets_tests.end_to_end.scripted_model import Asked, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

ENDPOINTS = "configs/endpoints.yaml"


def read(project: TinyProject) -> dict[str, Metadata]:
    return read_batch_metadata(project.root, task="notes", batch="may")


def fail_on_doors(asked: Asked) -> dict[str, object] | str:
    """A model that has nothing to say about doors."""
    if "door" in asked.question:
        return "I do not know."
    return {"summary": "Fine.", "mood": "good", "score": 1}


def test_a_batch_with_failures_says_so_and_an_unknown_cost_is_not_free(tmp_path: Path):
    """Failed items are counted and shared out; a cost without a price is no number, and said to be unknown."""
    with open_scripted_model(fail_on_doors) as model:
        project = build_project(tmp_path, base_url=model.base_url, model="writer")
        project.edit(ENDPOINTS, "    preset: offline\n", "")
        assert project.run("run", "notes", "--json").exit_code == 1
        batch = read(project)
    outputs = batch["llm_outputs"]
    assert (outputs["items_accepted"], outputs["items_invalid"]) == (4, 2)
    assert outputs["share_failed"] == pytest.approx(2 / 6, abs=0.001)
    assert outputs["calls"] == 10
    costs = {name: outputs[name] for name in outputs if "cost" in name}
    assert costs == {"cost": "unknown", "planned_cost": "unknown"}
    failed = read_preview(outputs).records[3].data
    assert (failed["outcome"], failed["summary"]) == ("invalid", None)
    assert "JSON" in str(failed["reason"])
    exported = read_preview(batch["export"]).records[3].data
    assert (exported["status"], exported["error"]) == ("invalid", failed["reason"])


def test_a_judges_verdict_has_its_columns_and_both_models_their_cost(tmp_path: Path):
    """The verdict's fields follow the output's under the names of the export, with what the prompts show as origin."""
    with open_scripted_model(agree) as model:
        project = build_judged_project(tmp_path, base_url=model.base_url)
        add_own_endpoint(project, model.base_url)
        project.run_json("notes")
        batch = read(project)
    outputs, export = batch["llm_outputs"], batch["export"]
    assert outputs["judge_model"] == "bench/judge"
    assert read_preview(outputs).records[0].data["judge.reason"] == "All is said."
    assert read_lineage(outputs)["judge.verdict"] == ["work_items.text", "work_items.topic"]
    assert read_lineage(export)["judge.verdict"] == ["llm_outputs.judge.verdict"]
    # 100 prompt tokens at $1,000 a million and 10 completion tokens at $100 a million for each of six items.
    assert outputs["cost_usd"] == pytest.approx(6 * (0.1 + 0.001))
    assert outputs["run_cost_usd"] == outputs["cost_usd"]
