from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from llm_assets.core.plan import Plan
from llm_assets.core.run_choice import RunChoice
from llm_assets.errors import ConfigError, InputError
from llm_assets.gateways.batches import Batch, find_batch
from llm_assets.gateways.foresight import Foresight, NextCall, open_foresight
from llm_assets.gateways.generation import Generation
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import COLUMNS, NOTES, TinyProject
from llm_assets_tests.gateways.stages import ALL, build_project_files, prepare

FORCED = RunChoice(limit=None, is_forced=True)
TABLE, CONFIG, SCHEMA = "data/notes/may.csv", "configs/notes.yaml", "configs/schemas/notes.py"
NAMED_ROWS = {"  folder: data/notes\n": "  folder: data/notes\n  id_column: id\n"}
PRICED = {
    "  temperature: 0\n": "  temperature: 0\n  price:\n    input_usd: 1\n    output_usd: 10\n"
}
ONE_ATTEMPT = {"  attempts: 3\n": "  attempts: 1\n"}
GROUPED = {"context:\n": "grouping:\n  mode: {mode}\n  column: topic\ncontext:\n"}
JUDGE = """\
system: "{{ llm_schema }}"
user: "Is {{ output_json }} right for {{ row_block }}?"
"""
VERDICT = '''

class JudgeResult(BaseModel):
    """What the judge says."""

    reason: str
    verdict: bool
'''
VALIDATOR = """
    @field_validator("summary")
    @classmethod
    def _check(cls, value: str) -> str:
        if "{word}" in value.lower():
            raise ValueError("nothing {word}")
        return value
"""


class Trial:
    """A tiny project: what a plan says of its next run, and what the run does."""

    def __init__(self, root: Path, edits: dict[str, str]) -> None:
        self.files = TinyProject(root)
        self.project: Project = build_project_files(root, {**NAMED_ROWS, **PRICED, **edits})

    @property
    def batch(self) -> Batch:
        return find_batch(load_task(self.project, "notes"), self.project, "may")

    def plan(self, choice: RunChoice = ALL) -> Plan:
        with open_foresight(load_task(self.project, "notes"), self.project) as foresight:
            return foresight.plan_run(self.batch, choice)

    def run(self, choice: RunChoice = ALL) -> Generation:
        return prepare(self.project).generate(choice)

    def change_row(self, number: int, text: str) -> None:
        rows = [(*note[:2], text, note[3]) if note[0] == str(number) else note for note in NOTES]
        self.files.write_table(TABLE, rows)

    def add_judge(self) -> None:
        self.files.write("prompts/judge.yaml", JUDGE)
        self.files.write(SCHEMA, self.files.read(SCHEMA) + VERDICT)
        self.files.edit(CONFIG, "limits:\n", "judge:\n  prompt: prompts/judge.yaml\nlimits:\n")

    def forbid(self, word: str) -> None:
        """Let the schema's validator refuse summaries with this word, which no model is told."""
        text = self.files.read(SCHEMA).replace("Dict, Field", "Dict, Field, field_validator")
        self.files.write(SCHEMA, text + VALIDATOR.format(word=word))


@pytest.fixture
def build_trial(tmp_path) -> Callable[..., Trial]:
    """Makes the project, with these edits of its config."""
    return lambda edits=None: Trial(tmp_path / "project", edits or {})


def assert_foretold(plan: Plan, generation: Generation) -> None:
    """The plan is the one that the run said itself, its calls are those that were sent, its bounds hold."""
    summary = generation.summary
    assert plan == generation.plan
    assert plan.n_calls_to_send == summary.calls_sent
    estimate = plan.estimate
    assert estimate.cost_usd is not None
    assert estimate.cost_usd.low_usd <= summary.cost_usd <= estimate.cost_usd.high_usd
    for tokens, used in (
        (estimate.prompt_tokens, summary.prompt_tokens),
        (estimate.completion_tokens, summary.completion_tokens),
    ):
        assert tokens.low <= used <= tokens.high


CHANGES: dict[str, tuple[Callable[[Trial], object], dict[str, int]]] = {
    "nothing": (lambda _: None, {}),
    "a new row": (
        lambda t: t.files.write_table(TABLE, [("7", "roof", "Rain comes in.", "g"), *NOTES]),
        {"new": 1},
    ),
    "a changed row": (lambda t: t.change_row(5, "All is well."), {"row_changed": 1}),
    "the prompt": (
        lambda t: t.files.edit("prompts/notes.yaml", "workshop", "repair shop"),
        {"prompt_changed": 6},
    ),
    "the schema": (
        lambda t: t.files.edit(SCHEMA, "How the writer feels.", "The writer's mood."),
        {"schema_changed": 6},
    ),
    "a validator that all answers pass": (lambda t: t.forbid("purple"), {}),
    "a parameter": (
        lambda t: t.files.edit(CONFIG, "temperature: 0", "temperature: 1"),
        {"settings_changed": 6},
    ),
    "the cap on an answer": (
        lambda t: t.files.edit(
            CONFIG, "temperature: 0\n", "temperature: 0\n  max_output_tokens: 300\n"
        ),
        {"settings_changed": 6},
    ),
    "prompt and row": (
        lambda t: (
            t.files.edit("prompts/notes.yaml", "workshop", "repair shop"),
            t.change_row(5, "All is well."),
        ),
        {"row_changed": 1, "prompt_changed": 5},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_is_what_the_run_does(build_trial, change: str):
    """After any change, the plan names the reason of every item and the very calls that the run sends."""
    apply, reasons = CHANGES[change]
    trial = build_trial()
    trial.run()
    apply(trial)
    plan = trial.plan()
    assert dict(plan.reasons) == reasons
    assert_foretold(plan, trial.run())
    assert trial.plan().reasons == ()


def test_a_first_run_is_planned_by_guessing(build_trial):
    """Before anything is on record all rows are new, lengths are guessed, and the bounds hold all the same."""
    trial = build_trial()
    plan = trial.plan()
    assert dict(plan.reasons) == {"new": 6}
    assert plan.estimate.is_guess
    assert_foretold(plan, trial.run())
    trial.change_row(1, "Other words.")
    assert not trial.plan().estimate.is_guess


def test_a_table_of_all_kinds(build_trial):
    """New, changed, failed and untouched rows in one table: each is told apart, and the run sends just that."""
    trial = build_trial(ONE_ATTEMPT)
    trial.forbid("red")
    assert trial.run().summary.outcomes["accepted"] == 5
    rows = [("7", "roof", "Rain comes in.", "g"), *NOTES[:5], (*NOTES[5][:2], "It opens.", "f")]
    trial.files.write_table(TABLE, rows)
    plan = trial.plan()
    assert dict(plan.reasons) == {"new": 1, "row_changed": 1, "failed_before": 1}
    assert (plan.n_items, plan.n_answered, plan.n_to_run) == (7, 4, 3)
    assert_foretold(plan, trial.run())
    assert dict(trial.plan().reasons) == {"failed_before": 1}


@pytest.mark.parametrize("limit", [1, 4, 9])
def test_a_limit_is_planned_as_it_is_run(build_trial, limit: int):
    """The first items that are due run, and the plan says how many it leaves out."""
    trial = build_trial()
    choice = RunChoice(limit=limit, is_forced=False)
    plan = trial.plan(choice)
    assert (plan.n_to_run, plan.n_left_out) == (min(limit, 6), max(0, 6 - limit))
    assert_foretold(plan, trial.run(choice))


@pytest.mark.parametrize(("limit", "n_forced"), [(None, 6), (2, 2)])
def test_forcing_is_planned_without_being_done(build_trial, limit, n_forced):
    """A plan of a forced run says what would be asked anew, and asking for the plan forces nothing."""
    trial = build_trial()
    trial.run()
    choice = RunChoice(limit=limit, is_forced=True)
    plans = [trial.plan(choice) for _ in range(2)]
    assert plans[0] == plans[1]
    assert dict(plans[0].reasons) == {"forced": n_forced}
    assert trial.plan().reasons == ()
    assert_foretold(plans[0], trial.run(choice))
    assert dict(trial.plan(choice).reasons) == {"forced": n_forced}


def test_forcing_does_not_hide_what_is_due_anyway(build_trial):
    """Among forced items, a new row is new: it would run without being forced, too."""
    trial = build_trial()
    trial.run()
    trial.change_row(2, "New paint, again.")
    plan = trial.plan(FORCED)
    assert dict(plan.reasons) == {"row_changed": 1, "forced": 5}
    assert_foretold(plan, trial.run(FORCED))


def test_equal_rows_are_one_call_with_one_reason(build_trial):
    """Rows that share an answer are due together, for the same reason, and take one call."""
    trial = build_trial({"  id_column: id\n": ""})
    trial.files.write_table(TABLE, [*NOTES, NOTES[0], NOTES[0]])
    assert trial.plan().n_calls_to_send == 6
    trial.run()
    trial.files.edit("prompts/notes.yaml", "workshop", "repair shop")
    plan = trial.plan()
    assert dict(plan.reasons) == {"prompt_changed": 8}
    assert_foretold(plan, trial.run())


@pytest.mark.parametrize(
    ("mode", "n_calls"), [("group_output", 1), ("row_output_with_group_context", 2)]
)
def test_a_changed_row_changes_its_group(build_trial, mode: str, n_calls: int):
    """Items that see a group run because the group has changed; the row's own item because the row has."""
    trial = build_trial({"context:\n": GROUPED["context:\n"].format(mode=mode)})
    trial.files.edit("prompts/notes.yaml", "{{ row_block }}", "{{ group_context }}")
    if mode != "group_output":
        trial.files.edit("prompts/notes.yaml", "  </note>\n", "  </note>\n  {{ row_block }}\n")
    trial.run()
    trial.change_row(6, "Both doors close again.")
    plan = trial.plan()
    own = {"row_changed": 1} if mode != "group_output" else {}
    assert dict(plan.reasons) == {**own, "group_changed": 1}
    assert plan.n_calls_to_send == n_calls
    assert_foretold(plan, trial.run())


def test_a_judge_is_planned_with_every_answer(build_trial):
    """A first run of a judged task takes an answer and a verdict for each item."""
    trial = build_trial()
    trial.add_judge()
    plan = trial.plan()
    assert (plan.calls.n_generate, plan.calls.n_judge) == (6, 6)
    assert_foretold(plan, trial.run())
    trial.change_row(5, "All is well.")
    plan = trial.plan()
    assert dict(plan.reasons) == {"row_changed": 1}
    assert_foretold(plan, trial.run())


def test_a_judge_that_is_new_or_changed_is_asked_alone(build_trial):
    """Answers on record are judged, not asked for again, whether the judge is new or has another prompt."""
    trial = build_trial()
    trial.run()
    trial.add_judge()
    for prompt in (JUDGE, JUDGE.replace("right for", "true of")):
        trial.files.write("prompts/judge.yaml", prompt)
        plan = trial.plan()
        assert dict(plan.reasons) == {"judge_changed": 6}
        assert (plan.calls.n_generate, plan.calls.n_judge) == (0, 6)
        assert_foretold(plan, trial.run())


def test_a_judge_may_know_the_answer_already(build_trial):
    """Where another prompt brings the answers of the old one, their verdicts are on record: within the bounds."""
    trial = build_trial()
    trial.add_judge()
    trial.run()
    trial.files.edit("prompts/notes.yaml", "workshop", "repair shop")
    plan = trial.plan()
    assert dict(plan.reasons) == {"prompt_changed": 6}
    summary = trial.run().summary
    assert plan.calls.n_generate <= summary.calls_sent <= plan.n_calls_to_send
    cost = plan.estimate.cost_usd
    assert cost is not None
    assert cost.low_usd <= summary.cost_usd <= cost.high_usd


def test_answers_that_are_often_no_good_are_allowed_for(build_trial):
    """A model that takes several attempts is planned by the share of them in the past."""
    trial = build_trial({"model: extractive": "model: flaky"})
    notes = [(str(n), "lathe", f"The lathe hums, number {n}.", "a") for n in range(60)]
    trial.files.write_table(TABLE, notes[:30])
    trial.run()
    trial.files.write_table(TABLE, notes[:30] + notes[30:])
    plan = trial.plan()
    new = dict(plan.reasons)["new"]
    assert new == 30
    cost, summary = plan.estimate.cost_usd, trial.run().summary
    assert summary.calls_sent > plan.n_calls_to_send
    assert cost is not None
    assert cost.low_usd < summary.cost_usd < cost.high_usd
    assert abs(cost.likely_usd / summary.cost_usd - 1) < Decimal("0.3")


def test_an_unknown_price_makes_an_unknown_cost(build_trial):
    """Tokens are said, and no amount of dollars."""
    trial = build_trial({"  endpoint: offline\n": "  endpoint: office\n"})
    trial.files.write(
        "configs/endpoints.yaml", "endpoints:\n  office:\n    base_url: http://127.0.0.1:9/v1\n"
    )
    trial.files.edit(CONFIG, "  price:\n    input_usd: 1\n    output_usd: 10\n", "")
    trial.files.edit(CONFIG, "model: extractive", "model: nobody-knows-it")
    plan = trial.plan()
    assert plan.estimate.cost_usd is None
    assert plan.estimate.prompt_tokens.likely > 0


def test_a_plan_needs_no_key(build_trial):
    """What nothing is sent to asks for no key; the price of a published model is known without it."""
    trial = build_trial(
        {"  endpoint: offline\n  model: extractive\n": "  endpoint: openai\n  model: gpt-4o-mini\n"}
    )
    trial.files.edit(CONFIG, "  price:\n    input_usd: 1\n    output_usd: 10\n", "")
    cost = trial.plan().estimate.cost_usd
    assert cost is not None
    assert 0 < cost.low_usd < cost.likely_usd < cost.high_usd


def test_batches_are_planned_one_after_the_other(build_trial):
    """What one batch will have answered is no longer due in the next one, unless both are forced."""
    trial = build_trial()
    trial.files.write_table("data/notes/june.csv", [NOTES[0], ("9", "roof", "Rain comes in.", "g")])
    task = load_task(trial.project, "notes")
    batches = [find_batch(task, trial.project, key) for key in ("may", "june")]
    with open_foresight(task, trial.project) as foresight:
        plans = [foresight.plan_run(batch, ALL) for batch in batches]
    assert [(plan.n_answered, plan.n_calls_to_send) for plan in plans] == [(0, 6), (1, 1)]
    with open_foresight(task, trial.project) as foresight:
        plans = [foresight.plan_run(batch, FORCED) for batch in batches]
    assert [plan.n_calls_to_send for plan in plans] == [6, 2]


def find_call(foresight: Foresight, batch: Batch, choice: RunChoice, *, row: str) -> NextCall:
    """The next call of an item whose task is one step."""
    (call,) = foresight.find_next_calls(batch, choice, row=row)
    assert isinstance(call, NextCall)
    return call


@pytest.mark.parametrize("row", ["5", "work id"])
def test_a_row_is_found_by_its_number_or_its_work_id(build_trial, row: str):
    """Rows are counted below the header from 1, and a work id names an item exactly."""
    trial = build_trial()
    item = prepare(trial.project).items.records[4]
    with open_foresight(load_task(trial.project, "notes"), trial.project) as foresight:
        call = find_call(foresight, trial.batch, ALL, row=item.work_id if row == "work id" else row)
    assert call.item.work == item
    assert NOTES[4][COLUMNS.index("text")] in call.request.messages[-1].content
    assert call.is_due


@pytest.mark.parametrize("row", ["0", "7", "-1", "no such id", "٣", ""])
def test_a_row_that_is_not_there_is_told(build_trial, row: str):
    """A wrong number or name is told with the numbers that there are."""
    trial = build_trial()
    with (
        open_foresight(load_task(trial.project, "notes"), trial.project) as foresight,
        pytest.raises(InputError, match="from 1 to 6"),
    ):
        foresight.find_next_calls(trial.batch, ALL, row=row)


def test_the_next_call_of_a_failed_item_carries_its_feedback(build_trial):
    """A failed item shows the attempt that would be sent, not the one that was."""
    trial = build_trial(ONE_ATTEMPT)
    trial.forbid("red")
    trial.run()
    with open_foresight(load_task(trial.project, "notes"), trial.project) as foresight:
        call = find_call(foresight, trial.batch, ALL, row="5")
        done = find_call(foresight, trial.batch, ALL, row="1")
        forced = find_call(foresight, trial.batch, FORCED, row="1")
    assert (call.request.attempt, call.is_due) == (2, True)
    assert "nothing red" in call.request.messages[-1].content
    assert (done.request.attempt, done.is_due) == (1, False)
    assert forced.is_due
    assert forced.request.messages == done.request.messages


def test_a_schema_that_is_still_to_be_made_is_told(build_trial):
    """Without the schema nobody knows the prompts, and a plan makes none."""
    trial = build_trial(
        {
            "  module: configs/schemas/notes.py\n": "  module: configs/schemas/notes.py\n  generate:\n    description: A mood.\n"
        }
    )
    assert trial.plan().n_to_run == 6
    (trial.files.root / SCHEMA).unlink()
    with pytest.raises(ConfigError, match="made by a model first"):
        trial.plan()
    assert not (trial.files.root / SCHEMA).exists()
