"""What can be set for one run in the UI, and whether a run with other settings leaves an honest history."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.config.overrides import parse_assignment
from llm_assets.core.ids import BatchKey
from llm_assets.core.plan import Plan
from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.runs import TaskRunner
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task, override_task
from llm_assets_tests.defs.test_runs import ALL, Workshop
from llm_assets_tests.end_to_end.tiny_project import build_project

MAY = BatchKey("may")


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A project whose batch was run once."""
    with dg.DagsterInstance.ephemeral() as history:
        workshop = Workshop(build_project(tmp_path), history)
        assert workshop.run().problem is None
        yield workshop


def run_with(workshop: Workshop, *texts: str, choice: RunChoice = ALL) -> None:
    """What `llm-assets run --set …` does."""
    project = Project(root=workshop.tiny.root, environ={})
    task = load_task(project, "notes")
    task = override_task(task, project, [parse_assignment(text) for text in texts])
    scope = build_scope(project, task, observers=())
    runner = TaskRunner(scope, workshop.history, process="test")
    runner.register(list_batches(task, project))
    assert runner.ensure_schema().problem is None
    assert runner.run_batch(MAY, choice).problem is None


def launch(
    workshop: Workshop, stage: str, values: object, *, observers: Sequence[Observer] = ()
) -> dg.ExecuteInProcessResult:
    """What the launchpad does with `set` under the outputs' options."""
    project = Project(root=workshop.tiny.root, environ={})
    definitions = build_definitions(project, [load_task(project, "notes")], observers=observers)
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        asset_selection=[dg.AssetKey(["notes", stage])],
        partition_key=MAY,
        instance=workshop.history,
        run_config={"ops": {"notes__llm_outputs": {"config": {"set": values}}}}
        if values is not None
        else {},
        raise_on_error=False,
    )


def read_failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = result.get_step_failure_events()
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    return failure.description or ""


def test_a_run_with_other_settings_is_stale_without_them(workshop: Workshop):
    """After `--set` the outputs are stale to whoever goes by the file; a run without it makes them fresh at no cost."""
    assert workshop.list_stale() == set()
    run_with(workshop, "llm.temperature=0.5")
    assert workshop.list_stale() == {"llm_outputs", "report"}
    assert workshop.run().problem is None
    assert workshop.list_stale() == set()
    assert workshop.read_metadata("llm_outputs")["calls_sent"] == 0


def test_a_setting_of_an_earlier_stage_makes_that_stage_stale(workshop: Workshop):
    """Each stage bears the version of the settings that it was made with."""
    run_with(workshop, "context.exclude=[id]", "export.formats=[csv]")
    assert {"group_contexts", "work_items", "export"} <= workshop.list_stale()
    assert "input_snapshot" not in workshop.list_stale()


def test_a_setting_that_shapes_no_output_leaves_nothing_stale(workshop: Workshop):
    """How many calls are in flight is no matter of what comes back, so only the report, which shows it, is stale."""
    run_with(workshop, "limits.max_in_flight=1")
    assert workshop.list_stale() == {"report"}


def test_the_launchpad_sets_what_the_outputs_alone_read(workshop: Workshop):
    """A setting given for the outputs holds for their run, is kept with them, and leaves them stale afterwards."""
    assert launch(workshop, "llm_outputs", {"llm.temperature": 0.5, "llm.seed": 7}).success
    assert workshop.read_metadata("llm_outputs")["calls_sent"] == 6
    assert "llm_outputs" in workshop.list_stale()
    workshop.materialize("report")
    report = workshop.tiny.read("data/reports/notes/may.md")
    assert "| `llm.temperature` | 0.0 | 0.5 |" in report
    assert '"seed": 7' in report
    assert "llm_outputs" in workshop.list_stale()
    assert launch(workshop, "llm_outputs", None).success
    assert "llm_outputs" not in workshop.list_stale()
    assert workshop.read_metadata("llm_outputs")["calls_sent"] == 0


def test_a_prompt_that_is_edited_meanwhile_is_not_that_of_the_run(workshop: Workshop):
    """The outputs bear the version of the prompt that was sent, so that the new one makes them stale."""
    tiny = workshop.tiny

    class Editor(Observer):
        """A person at work while calls are under way."""

        def show_plan(self, plan: Plan, /) -> None:
            tiny.edit("prompts/notes.yaml", "You sort", f"You file {plan.n_items} of")

    assert launch(workshop, "llm_outputs", {"llm.seed": 7}, observers=[Editor()]).success
    tiny.edit("configs/notes.yaml", "model: extractive", "model: extractive\n  seed: 7")
    assert "llm_outputs" in workshop.list_stale()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"llm.temprature": 1}, ["`set` llm.temprature", "Did you mean 'llm.temperature'?"]),
        ({"llm.temperature": "warm"}, ["llm.temperature: expected a number, got 'warm'"]),
        (
            {"export.formats": ["csv"]},
            ["`export.formats` is read by other stages", "--set export.formats=…"],
        ),
        ({"input.folder": "x"}, ["reaches the outputs alone", "Here can be set: prompt, llm"]),
        (
            {"judge": {"prompt": "prompts/notes.yaml"}},
            ["whether there is a judge decides on the export"],
        ),
    ],
)
def test_what_the_launchpad_cannot_set_is_told(
    workshop: Workshop, values: object, words: list[str]
):
    """Paths that other stages read, too, are refused with the command that can set them; slips get a suggestion."""
    failure = read_failure(launch(workshop, "llm_outputs", values))
    for word in words:
        assert word in failure


def test_missing_values_stop_the_stages_that_need_them(workshop: Workshop):
    """A task with gaps is shown; a stage that lacks a value fails with all that are missing, and the launchpad gives them."""
    workshop.tiny.edit("configs/notes.yaml", "model: extractive", "model: !required which model")
    workshop.tiny.edit("configs/notes.yaml", "temperature: 0", "temperature: !required how freely")
    assert launch(workshop, "work_items", None).success
    failure = read_failure(launch(workshop, "llm_outputs", {"llm.temperature": 0}))
    assert "lacks 1 value; nothing was sent" in failure
    assert "llm.model: which model (configs/notes.yaml:" in failure
    failure = read_failure(launch(workshop, "llm_outputs", None))
    assert "lacks 2 values" in failure
    given = {"llm.temperature": 0, "llm.model": "extractive"}
    assert launch(workshop, "llm_outputs", given).success
    assert workshop.read_metadata("llm_outputs")["calls_sent"] == 0


def test_a_missing_value_of_an_earlier_stage_stops_that_stage(workshop: Workshop):
    """What stands in for an input folder is never read."""
    workshop.tiny.edit("configs/notes.yaml", "folder: data/notes", "folder: !required which folder")
    failure = read_failure(launch(workshop, "input_snapshot", None))
    assert "input.folder: which folder" in failure
