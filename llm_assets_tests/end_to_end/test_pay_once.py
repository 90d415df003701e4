"""How many calls a run sends, by its own account and by the server's."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from llm_assets_tests.end_to_end.served_model import ServedModel
from llm_assets_tests.end_to_end.tiny_project import NOTES, CliRun, TinyProject, build_project

Change = Callable[[TinyProject], object]
TABLE = "data/notes/may.csv"
CONFIG = "configs/notes.yaml"
NEW_NOTE = ("7", "roof", "Rain comes in above the workbench.", "g")


@dataclass(frozen=True, slots=True)
class Bill:
    """A run, with the calls that the server counted while it went on."""

    run: CliRun
    calls_served: int


def run_and_count(project: TinyProject, served_model: ServedModel, *args: str) -> Bill:
    before = served_model.count_requests()
    run = project.run_json(*args)
    return Bill(run, served_model.count_requests() - before)


def assert_calls(bill: Bill, n_calls: int, *, n_items: int) -> None:
    assert (bill.run.calls_sent, bill.calls_served) == (n_calls, n_calls)
    assert bill.run.batch["outcomes"] == {"accepted": n_items}


def change_what_no_call_depends_on(project: TinyProject) -> None:
    project.edit(CONFIG, "formats: [csv, jsonl]", "formats: [tsv, csv]")
    project.edit(CONFIG, "samples: 3", "samples: 1")
    project.edit(CONFIG, "max_in_flight: 4", "max_in_flight: 2")
    project.edit(CONFIG, "progress_seconds: 5", "progress_seconds: 1")
    project.write(CONFIG, f"description: Sorted notes.\n{project.read(CONFIG)}")


def change_excluded_column(project: TinyProject) -> None:
    project.write_table(TABLE, [(*note[:3], f"new {note[3]}") for note in NOTES])


def move_rows(project: TinyProject) -> None:
    """One row is gone, one is there twice, and all stand elsewhere."""
    project.write_table(TABLE, [*NOTES[:0:-1], NOTES[2]])


def comment_schema(project: TinyProject) -> None:
    project.edit("configs/schemas/notes.py", "    mood:", "    # How it feels.\n    mood:")


def comment_prompt(project: TinyProject) -> None:
    project.edit("prompts/notes.yaml", "system:", "# What never changes.\nsystem:")


FREE: dict[str, tuple[Change, int]] = {
    "rows reordered": (lambda p: p.write_table(TABLE, NOTES[::-1]), 6),
    "a row removed": (lambda p: p.write_table(TABLE, NOTES[:2] + NOTES[3:]), 5),
    "a row doubled": (lambda p: p.write_table(TABLE, [*NOTES, NOTES[0]]), 7),
    "an excluded column changed": (change_excluded_column, 6),
    "settings beside the call changed": (change_what_no_call_depends_on, 6),
    "a comment in the schema": (comment_schema, 6),
    "a comment in the prompt": (comment_prompt, 6),
}
PAID: dict[str, tuple[Change, int, int]] = {
    "a row added": (lambda p: p.write_table(TABLE, [NEW_NOTE, *NOTES]), 1, 7),
    "a row changed": (
        lambda p: p.write_table(TABLE, [("1", "lathe", "The lathe is dead.", "a"), *NOTES[1:]]),
        1,
        6,
    ),
    "the temperature changed": (lambda p: p.edit(CONFIG, "temperature: 0", "temperature: 1"), 6, 6),
    "a field's description changed": (
        lambda p: p.edit("configs/schemas/notes.py", "How the writer feels.", "The writer's mood."),
        6,
        6,
    ),
}


def test_an_unchanged_run_costs_nothing(paid: TinyProject, served_model: ServedModel):
    """A second run sends no call and reuses every answer."""
    bill = run_and_count(paid, served_model, "notes")
    assert_calls(bill, 0, n_items=6)
    assert bill.run.batch["calls_reused"] == 6
    assert bill.run.batch["tokens"] == {"prompt": 0, "completion": 0, "cached": 0}


def test_all_that_changes_no_call_costs_nothing_together(
    paid: TinyProject, served_model: ServedModel
):
    """Rows moved, removed and doubled, an unseen column, comments and settings beside the call: no call."""
    changes = (
        change_what_no_call_depends_on,
        change_excluded_column,
        move_rows,
        comment_schema,
        comment_prompt,
    )
    for change in changes:
        change(paid)
    assert_calls(run_and_count(paid, served_model, "notes"), 0, n_items=6)


@pytest.mark.slow
@pytest.mark.parametrize("change", FREE)
def test_what_changes_no_call_costs_nothing(
    paid: TinyProject, served_model: ServedModel, change: str
):
    """A re-run sends no call while no request has changed, and all items stay accepted."""
    apply, n_items = FREE[change]
    apply(paid)
    assert_calls(run_and_count(paid, served_model, "notes"), 0, n_items=n_items)


@pytest.mark.parametrize("change", PAID)
def test_a_change_costs_the_calls_that_it_alters(
    paid: TinyProject, served_model: ServedModel, change: str
):
    """A re-run sends exactly the calls whose requests are new."""
    apply, n_calls, n_items = PAID[change]
    apply(paid)
    bill = run_and_count(paid, served_model, "notes")
    assert_calls(bill, n_calls, n_items=n_items)
    assert bill.run.batch["calls_reused"] == n_items - n_calls


def test_a_prompt_costs_every_call_and_nothing_when_it_is_taken_back(
    paid: TinyProject, served_model: ServedModel
):
    """A changed prompt asks for all items; the old one's answers are still on record when it comes back."""
    paid.edit("prompts/notes.yaml", "workshop", "repair shop")
    assert_calls(run_and_count(paid, served_model, "notes"), 6, n_items=6)
    paid.edit("prompts/notes.yaml", "repair shop", "workshop")
    assert_calls(run_and_count(paid, served_model, "notes"), 0, n_items=6)


def test_a_second_task_with_the_same_requests_costs_nothing(
    paid: TinyProject, served_model: ServedModel
):
    """Calls are known by their content: another task and another batch name share them."""
    paid.write("configs/minutes.yaml", paid.read(CONFIG).replace("data/notes", "data/minutes"))
    paid.write_table("data/minutes/june.csv", NOTES)
    bill = run_and_count(paid, served_model, "minutes")
    assert_calls(bill, 0, n_items=6)
    assert bill.run.batch["batch"] == "june"


@pytest.mark.parametrize(
    ("mode", "n_calls", "n_items"),
    [
        ("group_output", 1, 3),
        pytest.param("row_output_with_group_context", 2, 6, marks=pytest.mark.slow),
    ],
)
def test_a_row_of_a_group_costs_its_group_alone(
    tmp_path, served_model: ServedModel, mode: str, n_calls: int, n_items: int
):
    """A changed row asks anew for the items that see it, which are those of its group."""
    project = build_project(tmp_path / "project", base_url=served_model.base_url)
    grouping = f"grouping:\n  mode: {mode}\n  column: topic\ncontext:"
    project.edit(CONFIG, "context:", grouping)
    project.edit("prompts/notes.yaml", "{{ row_block }}", "{{ group_context }}")
    if mode != "group_output":
        project.edit("prompts/notes.yaml", "  </note>\n", "  </note>\n  {{ row_block }}\n")
    assert_calls(run_and_count(project, served_model, "notes"), n_items, n_items=n_items)
    changed = ("6", "doors", "Both doors close again.", "f")
    project.write_table(TABLE, [*NOTES[:-1], changed])
    assert_calls(run_and_count(project, served_model, "notes"), n_calls, n_items=n_items)


@pytest.mark.slow
def test_identical_rows_share_one_call(tmp_path, served_model: ServedModel):
    """Equal requests are sent once, also while the first of them is under way, and each row has its output."""
    rows = [(str(number), *NOTES[0][1:]) for number in range(20)]
    project = build_project(tmp_path / "project", base_url=served_model.base_url, rows=rows)
    assert_calls(run_and_count(project, served_model, "notes"), 1, n_items=20)
    export = project.read_export()
    assert [row["id"] for row in export] == [str(number) for number in range(20)]
    assert len({row["summary"] for row in export}) == 1
    project.edit(CONFIG, "attempts: 3", "attempts: 3\n  share_identical: false")
    assert_calls(run_and_count(project, served_model, "notes"), 19, n_items=20)
