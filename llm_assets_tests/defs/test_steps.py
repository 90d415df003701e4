from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.runs import RunEnd, TaskRunner
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task, load_task
from llm_assets_tests.end_to_end.call_record import read_call_sums
from llm_assets_tests.end_to_end.chain_project import build_chain_project
from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.stage_names import TASK_STAGES

MAY = BatchKey("may")
ALL = RunChoice(limit=None, is_forced=False)
STEPS = ("extract", "summarize", "classify")
BATCH_STAGES = (
    "input_snapshot",
    "group_contexts",
    "work_items",
    *STEPS,
    "llm_outputs",
    "export",
    "report",
)
SHARED = {"schema_text", "work_items", "group_contexts", "config_file"}


@dataclass(frozen=True, slots=True)
class Workshop:
    """A project with a chain and a Dagster history of its own, in memory."""

    tiny: TinyProject
    history: dg.DagsterInstance

    @property
    def project(self) -> Project:
        return Project(root=self.tiny.root, environ={})

    def load(self) -> Task:
        return load_task(self.project, "notes")

    def build(self) -> dg.Definitions:
        return build_definitions(self.project, [self.load()], observers=())

    def run(self, choice: RunChoice = ALL) -> RunEnd:
        """What `llm-assets run` does."""
        task = self.load()
        runner = TaskRunner(
            build_scope(self.project, task, observers=()), self.history, process="test"
        )
        runner.register(list_batches(task, self.project))
        end = runner.ensure_schema()
        return end if end.problem else runner.run_batch(MAY, choice)

    def materialize(self, *stages: str) -> bool:
        """Run some stages alone, as the button of the UI does."""
        job = self.build().resolve_implicit_global_asset_job_def()
        done = job.execute_in_process(
            asset_selection=[dg.AssetKey(["notes", stage]) for stage in stages],
            partition_key=MAY,
            instance=self.history,
            raise_on_error=False,
        )
        return done.success

    def count_calls(self) -> int:
        return read_call_sums(self.tiny).n_calls

    def count_materializations(self, stage: str) -> int:
        return len(
            self.history.fetch_materializations(dg.AssetKey(["notes", stage]), limit=100).records
        )

    def read_metadata(self, stage: str) -> dict[str, object]:
        event = self.history.get_latest_materialization_event(dg.AssetKey(["notes", stage]))
        assert event is not None
        assert event.asset_materialization is not None
        return {k: value.value for k, value in event.asset_materialization.metadata.items()}

    def list_stale(self) -> set[str]:
        """The stages that Dagster itself finds stale, one step back."""
        resolver = CachingStaleStatusResolver(
            self.history,
            self.build().resolve_asset_graph(),
            LoadingContextForTest(self.history),
        )
        return {
            stage
            for stage in (*TASK_STAGES, *BATCH_STAGES)
            if resolver.get_status(
                dg.AssetKey(["notes", stage]), None if stage in TASK_STAGES else MAY
            )
            != StaleStatus.FRESH
        }


@pytest.fixture
def workshop(tmp_path: Path):
    """A project that has not run yet."""
    with dg.DagsterInstance.ephemeral() as history:
        yield Workshop(build_chain_project(tmp_path / "project"), history)


@pytest.fixture
def finished(workshop: Workshop) -> Workshop:
    """One whose batch was run once."""
    assert workshop.run().problem is None
    return workshop


def get_node(definitions: dg.Definitions, stage: str):
    return definitions.resolve_asset_graph().get(dg.AssetKey(["notes", stage]))


def read_code_versions(workshop: Workshop) -> dict[str, str | None]:
    definitions = workshop.build()
    return {
        stage: get_node(definitions, stage).code_version for stage in (*TASK_STAGES, *BATCH_STAGES)
    }


def test_each_step_is_an_asset_after_those_it_reads(workshop: Workshop):
    """The steps stand between the work items and the joined outputs, each with its own prompt file before it."""
    graph = build_task_graph(build_scope(workshop.project, workshop.load(), observers=()))
    assert {node.name for node in graph.batched} == set(BATCH_STAGES)
    definitions = workshop.build()
    parents = {
        name: {key.path[-1] for key in get_node(definitions, name).parent_keys}
        for name in (*STEPS, "llm_outputs")
    }
    assert parents == {
        "extract": {*SHARED, "extract_prompt_file"},
        "summarize": {*SHARED, "summarize_prompt_file", "extract"},
        "classify": {*SHARED, "classify_prompt_file", "extract", "summarize"},
        "llm_outputs": {"schema_text", "work_items", *STEPS},
    }
    node = get_node(definitions, "classify")
    assert (node.group_name, node.tags["task"]) == ("notes", "notes")
    assert "`Kind`" in str(node.description)
    assert node.partitions_def == get_node(definitions, "llm_outputs").partitions_def


def test_one_op_serves_all_steps(workshop: Workshop):
    """They share one run of calls, in the pool that limits those, and any of them can be chosen alone."""
    definition = workshop.build().get_assets_def(dg.AssetKey(["notes", "extract"]))
    assert {key.path[-1] for key in definition.keys} == set(STEPS)
    assert definition.can_subset
    assert definition.op.pool == "llm_api"


def test_definitions_validate(workshop: Workshop):
    """Dagster finds every resource, job and dependency in place."""
    dg.Definitions.validate_loadable(workshop.build())


def test_a_run_makes_everything_fresh_and_a_second_one_sends_nothing(finished: Workshop):
    """After a run no stage is stale by Dagster's own reckoning; running again pays nothing and changes nothing."""
    assert finished.list_stale() == set()
    assert finished.count_calls() == 18
    before = finished.tiny.read_outputs()
    assert finished.run().problem is None
    assert finished.count_calls() == 18
    assert finished.tiny.read_outputs() == before
    assert finished.list_stale() == set()


def test_every_step_tells_what_it_did(finished: Workshop):
    """Counts and costs of each step are its own, those of the joined outputs are their sums."""
    costs = [finished.read_metadata(name)["cost_usd"] for name in STEPS]
    joined = finished.read_metadata("llm_outputs")
    assert joined["cost_usd"] == pytest.approx(sum(float(str(cost)) for cost in costs))
    assert [finished.read_metadata(name)["calls_sent"] for name in STEPS] == [6, 6, 6]
    assert [joined[f"cost_{name}_usd"] for name in STEPS] == costs
    assert joined["items_accepted"] == 6


PARTS = {
    "the last prompt": (
        ("prompts/classify.yaml", "Which kind is it?", "Which kind may it be?"),
        {"classify"},
        6,
    ),
    "the prompt in the middle": (
        ("prompts/summarize.yaml", "Sum the note up.", "Sum it up."),
        {"summarize"},
        6,
    ),
    "the attempts of all": (("configs/notes.yaml", "attempts: 2", "attempts: 3"), set(STEPS), 0),
    "a model of one step": (
        (
            "configs/notes.yaml",
            "    output_model: Summary\n",
            "    output_model: Summary\n    llm: {temperature: 1}\n",
        ),
        {"summarize"},
        6,
    ),
    "the export": (("configs/notes.yaml", "[csv, jsonl]", "[jsonl]"), {"export"}, 0),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_change_makes_stale_what_uses_it(finished: Workshop, part: str):
    """Code versions and Dagster agree on which step a change concerns; a run sends that step's calls at least."""
    edit, expected, n_calls = PARTS[part]
    before = read_code_versions(finished)
    finished.tiny.edit(*edit)
    after = read_code_versions(finished)
    concerned = {stage for stage in after if after[stage] != before[stage]}
    assert concerned - {"report"} == expected
    assert finished.list_stale() - {"report"} == expected
    assert finished.run().problem is None
    assert finished.count_calls() >= 18 + n_calls
    if expected == {"classify"}:
        assert finished.count_calls() == 18 + n_calls
    assert finished.list_stale() == set()


IMAGES = "images: {columns: [topic], roots: [scans]}\nsteps:\n"


def read_changed_steps(workshop: Workshop, *edit: str) -> set[str]:
    """The steps whose code version an edit of the config changes."""
    before = read_code_versions(workshop)
    workshop.tiny.edit("configs/notes.yaml", *edit)
    after = read_code_versions(workshop)
    return {step for step in STEPS if after[step] != before[step]}


def test_pictures_concern_the_steps_that_see_them(workshop: Workshop):
    """What is said of pictures is in the code version of the steps that are shown them, and of no other."""
    assert read_changed_steps(workshop, "steps:\n", IMAGES) == set(STEPS)
    blind = "output_model: Summary\n    sees_images: false\n"
    assert read_changed_steps(workshop, "output_model: Summary\n", blind) == {"summarize"}
    detail = IMAGES.replace("[scans]", "[scans], detail: low")
    assert read_changed_steps(workshop, IMAGES, detail) == {"extract", "classify"}
    assert read_changed_steps(workshop, detail, "steps:\n") == {"extract", "classify"}


def test_functions_and_text_answers_concern_their_step(workshop: Workshop):
    """What a step's functions say, and how its answers are read, is in its own code version."""
    hooks = "configs/hooks/notes.py"
    workshop.tiny.write(hooks, "def check(item, output):\n    return None\n")
    model = "output_model: Summary\n"
    text = f"{model}    answer: text\n"
    assert read_changed_steps(workshop, model, text) == {"summarize"}
    hooked = f"{text}    hooks: {{check: {hooks}:check}}\n"
    assert read_changed_steps(workshop, text, hooked) == {"summarize"}
    before = read_code_versions(workshop)
    workshop.tiny.edit(hooks, "return None", "return  None")
    after = read_code_versions(workshop)
    assert {step for step in STEPS if after[step] != before[step]} == {"summarize"}


def test_a_step_is_materialized_alone(finished: Workshop):
    """It takes the stored outputs of the steps before it, sends its own calls, and touches no other step."""
    finished.tiny.edit("prompts/classify.yaml", "Which kind is it?", "Which kind may it be?")
    artifacts = finished.tiny.read_outputs()
    assert finished.materialize("classify")
    assert finished.count_calls() == 24
    assert [finished.count_materializations(name) for name in STEPS] == [1, 1, 2]
    now = finished.tiny.read_outputs()
    changed = {path for path in now if now[path] != artifacts.get(path)}
    assert {Path(path).parent.name for path in changed} == {"classify"}
    assert finished.list_stale() <= {"llm_outputs", "export", "report"}


def test_any_part_of_the_chain_can_be_chosen(finished: Workshop):
    """The first and the last step together leave the one between them as it was stored."""
    finished.tiny.edit("prompts/extract.yaml", "Take out", "Pick out")
    finished.tiny.edit("prompts/classify.yaml", "Which kind is it?", "Which kind may it be?")
    assert finished.materialize("extract", "classify")
    assert finished.count_calls() == 30
    assert [finished.count_materializations(name) for name in STEPS] == [2, 1, 2]


def test_a_step_alone_needs_those_before_it(workshop: Workshop):
    """Where an earlier step never ran, the run says which one is missing, and nothing is sent."""
    assert workshop.run(RunChoice(limit=1, is_forced=False)).problem is None
    n_calls = workshop.count_calls()
    (workshop.tiny.root / "data/artifacts/notes/extract/may.jsonl").unlink()
    assert not workshop.materialize("summarize")
    assert workshop.count_calls() == n_calls


def test_stored_steps_of_other_rows_are_told_apart(finished: Workshop):
    """A step alone does not take the outputs of a batch that has changed since."""
    rows = [("9", "roof", "Rain comes in by the gable.", "z")]
    finished.tiny.write_table("data/notes/may.csv", rows)
    assert finished.materialize("input_snapshot", "group_contexts", "work_items")
    n_calls = finished.count_calls()
    assert not finished.materialize("classify")
    assert finished.count_calls() == n_calls
    assert finished.run().problem is None
    assert finished.count_calls() == n_calls + 3


def test_options_of_a_run_reach_the_steps(workshop: Workshop):
    """A limit and a force are those of the items, through all steps."""
    assert workshop.run(RunChoice(limit=2, is_forced=False)).problem is None
    assert workshop.count_calls() == 6
    assert workshop.run().problem is None
    assert workshop.count_calls() == 18
    assert workshop.run(RunChoice(limit=None, is_forced=True)).problem is None
    assert workshop.count_calls() == 36


def test_a_step_can_have_a_judge_of_its_own(workshop: Workshop):
    """Its verdicts are those of one step, stand in the export under its name, and add up with the rest."""
    workshop.tiny.edit(
        "configs/notes.yaml",
        "    output_model: Kind\n",
        "    output_model: Kind\n    judge: {prompt: prompts/judge.yaml}\n    judge_model: Verdict\n",
    )
    verdict = '\n\nclass Verdict(BaseModel):\n    """V."""\n\n    reason: str\n    verdict: bool\n'
    schema = "configs/schemas/notes.py"
    workshop.tiny.write(schema, workshop.tiny.read(schema) + verdict)
    workshop.tiny.write(
        "prompts/judge.yaml",
        "user: '{{ llm_schema }} Is {{ output.category }} right for {{ steps.summarize.summary }}?'\n",
    )
    assert workshop.run().problem is None
    assert workshop.count_calls() == 24
    row = workshop.tiny.read_export()[0]
    assert row["judge.classify.verdict"] == "true"
    report = workshop.tiny.read("data/reports/notes/may.md")
    assert "## Judge of `classify`" in report
