"""What can be set for one run of a chain, and whether it leaves an honest history."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from llm_assets_tests.defs.test_launchpad import read_failure
from llm_assets_tests.defs.test_steps import MAY, Workshop
from llm_assets_tests.end_to_end.chain_project import build_chain_project


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A project whose chain was run once."""
    with dg.DagsterInstance.ephemeral() as history:
        workshop = Workshop(build_chain_project(tmp_path), history)
        assert workshop.run().problem is None
        yield workshop


def launch(workshop: Workshop, values: object, *stages: str) -> dg.ExecuteInProcessResult:
    """What the launchpad does with `set` under the options of the steps."""
    job = workshop.build().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        asset_selection=[dg.AssetKey(["notes", stage]) for stage in stages],
        partition_key=MAY,
        instance=workshop.history,
        run_config={"ops": {"notes__steps": {"config": {"set": values}}}},
        raise_on_error=False,
    )


def test_the_launchpad_sets_a_value_of_one_step(workshop: Workshop):
    """The step's own calls are made with it, it is kept with the outputs, and the step is stale afterwards."""
    n_calls = workshop.count_calls()
    values = {"steps.classify.llm.temperature": 0.5}
    assert launch(
        workshop, values, "extract", "summarize", "classify", "llm_outputs", "report"
    ).success
    assert workshop.count_calls() == n_calls + 6
    assert workshop.list_stale() == {"classify"}
    report = workshop.tiny.read("data/reports/notes/may.md")
    assert "| `steps.classify.llm.temperature` | 0.0 | 0.5 |" in report
    assert workshop.run().problem is None
    assert workshop.list_stale() == set()
    assert workshop.count_calls() == n_calls + 6
    assert "steps.classify.llm.temperature" not in workshop.tiny.read("data/reports/notes/may.md")


def test_a_setting_of_the_task_reaches_every_step_that_is_made(workshop: Workshop):
    """What holds for all steps is set for those of this run; the others are as they were."""
    assert launch(workshop, {"llm.seed": 7}, "summarize", "classify").success
    assert workshop.list_stale() == {"summarize", "classify"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"steps.clasify.llm.seed": 1},
            ["`set`: steps.clasify: there is none of this name. Did you mean 'classify'?"],
        ),
        (
            {"steps.classify.output_model": "Summary"},
            [
                "`steps.classify.output_model` is read by other stages",
                "--set steps.classify.output_model=…",
                "limits, budget, steps.extract.prompt, steps.extract.llm",
            ],
        ),
        ({"steps": []}, ["`steps` is read by other stages"]),
        (
            {"steps.classify.judge": {"prompt": "prompts/classify.yaml"}},
            ["whether there is a judge decides on the export", "--set steps.classify.judge=…"],
        ),
        ({"prompt": "x.yaml"}, ["prompt: a task with `steps` does not have this key"]),
    ],
)
def test_what_cannot_be_set_for_steps_is_told(workshop: Workshop, values: object, words: list[str]):
    """Unknown steps get a suggestion; what shapes more than the outputs is refused with the command that sets it."""
    failure = read_failure(launch(workshop, values, "classify"))
    for word in words:
        assert word in failure


def test_a_gap_of_a_step_is_given_in_the_launchpad(workshop: Workshop):
    """A step that lacks a value fails with its path, by which the launchpad gives it."""
    workshop.tiny.edit(
        "configs/notes.yaml",
        "    output_model: Kind\n",
        "    output_model: Kind\n    llm: {model: !required which model}\n",
    )
    failure = read_failure(launch(workshop, {}, "classify"))
    assert "steps.classify.llm.model: which model (configs/notes.yaml:" in failure
    assert launch(workshop, {"steps.classify.llm.model": "extractive"}, "classify").success
