import pytest

from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.stage_graph import StageNode, build_stage_graph
from llm_assets.core.staleness import Reason, StageStatus, State
from llm_assets.core.status_text import (
    render_batch,
    render_counts,
    render_reason,
    render_shared,
    render_status_markdown,
)
from llm_assets.core.task_status import BatchStatus, TaskStatus

FRESH = StageStatus(state="fresh")
CHANGED = StageStatus(state="stale", reasons=(Reason(kind="settings", subject="prompt"),))
WAITING = StageStatus(
    state="will_be_stale", reasons=(Reason(kind="upstream", subject="llm_outputs"),)
)
GRAPH = build_stage_graph(
    [
        StageNode(name=name, upstream=(), is_batched=True, reads_input=False, code_version="")
        for name in ("llm_outputs", "export")
    ]
    + [StageNode(name="schema", upstream=(), is_batched=False, reads_input=False, code_version="")]
)


def build_batch(key: str, outputs: StageStatus, export: StageStatus) -> BatchStatus:
    return BatchStatus(
        batch=BatchKey(key),
        has_file=True,
        stages={"llm_outputs": outputs, "export": export},
        outcomes={"accepted": 5, "invalid": 1},
    )


def build_status(*batches: BatchStatus, schema: StageStatus = FRESH) -> TaskStatus:
    return TaskStatus(
        task=TaskName("notes"),
        graph=GRAPH,
        shared={"schema": schema},
        batches=batches,
        batches_sha256="",
    )


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason(kind="settings", subject="prompt"), "the prompt changed"),
        (Reason(kind="settings", subject="recipe"), "llm-assets itself changed"),
        (Reason(kind="settings", subject="cleaning"), "`cleaning` changed"),
        (Reason(kind="new_version", subject="schema_text"), "schema_text has a new version"),
        (Reason(kind="input_file", subject="may"), "the input file changed"),
        (Reason(kind="batches", subject="overview"), "batches changed"),
        (Reason(kind="batch", subject="may and 2 more"), "not up to date: may and 2 more"),
        (Reason(kind="run_failed", subject="No key.\nTraceback"), "No key."),
        (Reason(kind="run_failed", subject="x" * 500), "x" * 199 + "…"),
    ],
)
def test_a_reason_is_part_of_a_sentence(reason: Reason, text: str):
    """Each kind of reason says what changed in plain words, a failure in its first line."""
    assert render_reason(reason) == text


def test_a_batch_is_told_on_one_line():
    """Its state, its items, every stage that is not fresh with its reason, and what may follow."""
    line = render_batch(build_batch("may", CHANGED, WAITING))
    expected = "may: stale; 5 accepted, 1 invalid; llm_outputs stale (the prompt changed); export may change"
    assert line == expected
    assert render_batch(build_batch("may", FRESH, FRESH)) == "may: fresh; 5 accepted, 1 invalid"


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        (("fresh", "fresh"), "fresh"),
        (("stale", "will_be_stale"), "stale"),
        (("stale", "missing"), "missing"),
        (("failed", "missing"), "failed"),
        (("running", "missing"), "running"),
    ],
)
def test_a_batch_is_as_well_as_its_worst_stage(states: tuple[State, State], worst: State):
    """One word for a batch: what a person has to look at first."""
    first, second = (StageStatus(state=state) for state in states)
    assert build_batch("may", first, second).state == worst


def test_only_what_can_be_made_anew_is_due():
    """Nothing is due where all is fresh, the file is gone, or a run is at it."""
    batch = build_batch("may", CHANGED, WAITING)
    gone = BatchStatus(
        batch=batch.batch, has_file=False, stages=batch.stages, outcomes=batch.outcomes
    )
    running = build_batch("may", StageStatus(state="running"), WAITING)
    assert [each.is_due for each in (batch, gone, running)] == [True, False, False]
    assert "its input file is gone" in render_batch(gone)
    assert build_status(gone).is_fresh
    assert not build_status(batch).is_fresh


def test_a_task_is_told_by_its_counts():
    """How many batches stand how, the worst first; stages they share only where they are not fresh."""
    status = build_status(
        build_batch("april", FRESH, FRESH), build_batch("may", CHANGED, WAITING), schema=CHANGED
    )
    assert render_counts(status) == "2 batches: 1 stale, 1 fresh"
    assert render_shared(status) == ("schema stale (the prompt changed)",)
    assert render_counts(build_status()) == "0 batches: none"


def test_the_table_shows_the_worst_first_and_counts_what_it_leaves_out():
    """A table of many batches stays small, and never leaves out one that needs something."""
    batches = [build_batch(f"b{n}", FRESH, FRESH) for n in range(5)]
    text = render_status_markdown(
        build_status(*batches, build_batch("late", CHANGED, WAITING)), max_batches=2
    )
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[0] == "| batch | state | why | outcomes | llm_outputs | export |"
    assert rows[2] == (
        "| late | stale | the prompt changed | 5 accepted, 1 invalid | stale | may change |"
    )
    assert len(rows) == 4
    assert "4 more batches, none of them worse off." in text
