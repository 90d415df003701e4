"""After any sequence of changes a refresh brings everything up to date, no more than that, and pays nothing twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import dagster as dg
import pytest

from llm_assets_tests.defs.changing_project import State, copy_ledger
from llm_assets_tests.defs.random_edits import Editor
from llm_assets_tests.defs.worked_project import TASKS, TELLING, WorkedProject, render_cells

pytestmark = pytest.mark.slow

N_EDITS = 3
SEEDS = (3,)
"""One walk takes 20 s on an idle machine; to look for faults, name more."""


@pytest.fixture
def worked(tmp_path: Path) -> Iterator[WorkedProject]:
    """A project that nothing was written into yet."""
    with dg.DagsterInstance.ephemeral() as history:
        yield WorkedProject(root=tmp_path / "worked", history=history)


def refresh_and_check(worked: WorkedProject, task: str) -> None:
    """A refresh makes what the status names, each stage once; then all is fresh, and another one finds nothing."""
    named = worked.list_unfresh(task)
    n_before = len(worked.list_made())
    assert worked.refresh(task) == []
    made = worked.list_made()[n_before:]
    cells = [(stage, batch) for _, _, stage, batch in made if stage != "overview"]
    assert {name for _, name, _, _ in made} <= {task}
    assert len(cells) == len(set(cells)), cells
    assert set(cells) <= named.keys(), render_cells(named)
    left = worked.list_unfresh(task)
    assert not left, render_cells(left)
    n_made, n_calls = len(worked.list_made()), worked.count_calls()
    assert worked.refresh(task) == []
    assert (len(worked.list_made()), worked.count_calls()) == (n_made, n_calls)


def check_against_a_clean_build(
    worked: WorkedProject, state: State, root: Path, *, tasks: Sequence[str] = TASKS
) -> None:
    """The same files and the same record of calls give a new project the same values, and it sends nothing."""
    state.write(root)
    copy_ledger(worked.root, root)
    with dg.DagsterInstance.ephemeral() as history:
        clean = WorkedProject(root=root, history=history)
        n_calls = clean.count_calls()
        for task in tasks:
            assert clean.refresh(task) == []
            assert worked.read_versions(task) == clean.read_versions(task), task
            assert worked.read_exports(task) == clean.read_exports(task), task
            assert worked.read_shared(task) == clean.read_shared(task), task
        assert clean.count_calls() == n_calls


def check_a_fresh_stage(worked: WorkedProject, task: str, draw: Random) -> None:
    """A stage that is called fresh comes out the same when it is made anew, and sends nothing."""
    status = worked.read_status(task)
    fresh = [
        (stage, each.batch)
        for each in status.batches
        if each.has_file
        for stage, found in each.stages.items()
        if found.state == "fresh" and stage not in TELLING
    ]
    if fresh:
        stage, batch = draw.choice(fresh)
        version, n_calls = worked.read_versions(task)[stage, batch], worked.count_calls()
        assert worked.materialize(task, [stage], batch), stage
        assert worked.read_versions(task)[stage, batch] == version, stage
        assert worked.count_calls() == n_calls


def turn(**knobs: object) -> Callable[[State], None]:
    named = {name.replace("_", " "): value for name, value in knobs.items()}
    return lambda state: state.knobs.update(named)


def turn_columns(state: State) -> None:
    state.tables["may"].columns = ("topic", "id", "text", "internal", "label")


HIDDEN_CHANGES: Mapping[str, Callable[[State], None]] = {
    "the order of columns, which no record shows": turn_columns,
    "a class with the same fields in another order": turn(classify_model="TurnedKind"),
    "how a table of labels is cleaned": turn(null_tokens=["Delivery"]),
    "nothing is expected any more": turn(expected_from=None),
}
"""One after the other, changes of which the values in between say nothing."""


def test_changes_that_no_value_in_between_shows_reach_what_they_concern(
    worked: WorkedProject, tmp_path: Path
):
    """After each of them the refreshed task is what a clean build gives."""
    state = State()
    state.knobs |= {"expected from": "file", "labels": "Delivery"}
    state.write(worked.root)
    assert worked.refresh("notes") == []
    for number, change in enumerate(HIDDEN_CHANGES.values()):
        change(state)
        state.write(worked.root)
        refresh_and_check(worked, "notes")
        root = tmp_path / f"clean {number}"
        check_against_a_clean_build(worked, state, root, tasks=["notes"])


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_edits_a_refresh_gives_what_a_clean_build_gives(
    worked: WorkedProject, tmp_path: Path, seed: int
):
    """Whatever was edited, run, broken and mended: status, refresh and a clean build agree, and nothing is paid twice."""
    editor = Editor(worked=worked, state=State(), draw=Random(seed))  # noqa: S311 -- drawn to be repeated
    editor.state.write(worked.root)
    for task in TASKS:
        refresh_and_check(worked, task)
    for _ in range(N_EDITS):
        print(editor.edit())  # noqa: T201 -- shown where the test fails
        for task in TASKS:
            check_a_fresh_stage(worked, task, editor.draw)
            refresh_and_check(worked, task)
    check_against_a_clean_build(worked, editor.state, tmp_path / "clean")
