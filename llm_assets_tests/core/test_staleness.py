from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.core.stage_graph import StageGraph, StageNode, build_stage_graph
from llm_assets.core.staleness import (
    Cell,
    Failure,
    Made,
    Reason,
    StageStatus,
    TaskFacts,
    decide_statuses,
    fingerprint_batches,
    list_due,
)

APRIL, MAY = BatchKey("april"), BatchKey("may")
BATCHES = (APRIL, MAY)


def build_node(name: str, *upstream: str, is_batched: bool = True) -> StageNode:
    return StageNode(
        name=name,
        upstream=upstream,
        is_batched=is_batched,
        reads_input=name == "snapshot",
        code_version=f"recipe:1 {name}:1",
        calls_models=name == "outputs",
    )


GRAPH = build_stage_graph(
    [
        build_node("overview", "export", is_batched=False),
        build_node("export", "outputs", "schema"),
        build_node("outputs", "snapshot", "schema"),
        build_node("snapshot"),
        build_node("schema", is_batched=False),
    ]
)
CELLS: tuple[Cell, ...] = tuple(
    (node.name, batch)
    for node in GRAPH.nodes
    for batch in (BATCHES if node.is_batched else (None,))
)


def build_made(cell: Cell, made: Mapping[Cell, Made]) -> Made:
    """What is recorded of a stage that was made from what there is."""
    node = GRAPH.find(cell[0])
    return Made(
        data_version=f"{cell[0]} of {cell[1]}",
        code_version=node.code_version,
        input_versions={
            name: fingerprint_text(made[name, cell[1]].data_version)
            if GRAPH.find(name).is_batched
            else made[name, None].data_version
            for name in node.upstream
            if not GRAPH.is_about_batches(node)
        },
        made_at_seconds=100.0,
        input_sha256="hash" if node.reads_input else None,
        module_sha256="module" if node.name == "schema" else None,
        batches_sha256=fingerprint_batches(GRAPH, made, BATCHES)
        if GRAPH.is_about_batches(node)
        else None,
    )


def build_fresh_facts() -> TaskFacts:
    made: dict[Cell, Made] = {}
    for node in GRAPH.nodes:
        for batch in BATCHES if node.is_batched else (None,):
            made[node.name, batch] = build_made((node.name, batch), made)
    return TaskFacts(
        made=made,
        failures={},
        running_since={},
        input_sha256=dict.fromkeys(BATCHES, Sha256("hash")),
        module_sha256="module",
    )


FRESH = build_fresh_facts()


def change_made(cell: Cell, **changes: object) -> TaskFacts:
    made = {**FRESH.made, cell: replace(FRESH.made[cell], **changes)}
    return replace(FRESH, made=made)


def forget(*cells: Cell) -> TaskFacts:
    return replace(FRESH, made={cell: m for cell, m in FRESH.made.items() if cell not in cells})


def list_unfresh(facts: TaskFacts, graph: StageGraph = GRAPH) -> dict[Cell, StageStatus]:
    statuses = decide_statuses(graph, facts, BATCHES)
    return {cell: status for cell, status in statuses.items() if status.state != "fresh"}


def test_stages_come_after_what_they_read():
    """The graph orders its stages, and finds all that is made from one."""
    assert GRAPH.names == ("snapshot", "schema", "outputs", "export", "overview")
    assert GRAPH.find_downstream("outputs") == ("outputs", "export", "overview")
    assert GRAPH.list_ends() == ("export",)


def test_what_was_made_from_what_there_is_is_fresh():
    """Nothing is to be made anew where nothing changed."""
    assert list_unfresh(FRESH) == {}


def test_a_changed_file_makes_its_batch_stale_and_no_other():
    """The stage that reads the file is stale, what comes after it may change, other batches stay fresh."""
    changed = replace(FRESH, input_sha256={**FRESH.input_sha256, MAY: Sha256("other")})
    states = {cell: status.state for cell, status in list_unfresh(changed).items()}
    assert states == {
        ("snapshot", MAY): "stale",
        ("outputs", MAY): "will_be_stale",
        ("export", MAY): "will_be_stale",
        ("overview", None): "will_be_stale",
    }


def test_a_file_that_is_gone_makes_nothing_stale():
    """Without its file a batch is what it was; nothing could be made of it anew."""
    gone = replace(FRESH, input_sha256={APRIL: Sha256("hash")})
    assert list_unfresh(gone) == {}


def test_nothing_waits_for_a_batch_whose_file_is_gone():
    """Where such a batch is stale it stays so, and what is about all batches is fresh without it."""
    facts = change_made(("outputs", MAY), code_version="recipe:1 outputs:0")
    gone = replace(facts, input_sha256={APRIL: Sha256("hash")})
    states = {cell: status.state for cell, status in list_unfresh(gone).items()}
    assert states == {("outputs", MAY): "stale", ("export", MAY): "will_be_stale"}


def test_changed_settings_are_told_by_their_part():
    """A stage says which of its settings is another one, for every batch."""
    nodes = [
        replace(node, code_version="recipe:1 outputs:2") if node.name == "outputs" else node
        for node in GRAPH.nodes
    ]
    found = list_unfresh(FRESH, StageGraph(nodes=tuple(nodes)))
    reason = Reason(kind="settings", subject="outputs")
    for batch in BATCHES:
        assert found["outputs", batch] == StageStatus(state="stale", reasons=(reason,))
        assert found["export", batch].state == "will_be_stale"


def test_a_new_version_upstream_makes_its_readers_stale():
    """A stage is stale when what it read has another version now, whether that has batches or not."""
    new_schema = change_made(("schema", None), data_version="new")
    reason = Reason(kind="new_version", subject="schema")
    found = list_unfresh(new_schema)
    assert {cell for cell, status in found.items() if status.state == "stale"} == {
        (name, batch) for name in ("outputs", "export") for batch in BATCHES
    }
    assert found["outputs", MAY].reasons == (reason,)
    new_outputs = list_unfresh(change_made(("outputs", MAY), data_version="new"))
    assert new_outputs["export", MAY].state == "stale"
    assert ("export", APRIL) not in new_outputs


def test_a_look_at_all_batches_is_stale_when_one_of_them_changed():
    """What is about all batches knows each one's version, however many there are."""
    found = list_unfresh(change_made(("export", APRIL), data_version="new"))
    assert found == {
        ("overview", None): StageStatus(
            state="stale", reasons=(Reason(kind="batches", subject="overview"),)
        )
    }


def test_a_module_written_by_the_run_itself_is_no_change():
    """A schema that was made in a run planned without it is fresh; edited later it is stale."""
    written = change_made(("schema", None), code_version="recipe:1 module:0")
    nodes = [
        replace(node, code_version="recipe:1 module:1") if node.name == "schema" else node
        for node in GRAPH.nodes
    ]
    graph = StageGraph(nodes=tuple(nodes))
    assert list_unfresh(written, graph) == {}
    edited = replace(written, module_sha256="other")
    assert list_unfresh(edited, graph)["schema", None].state == "stale"


def test_what_has_no_value_is_missing():
    """A stage whose file is gone is missing; what was made from it may change once it is back."""
    found = list_unfresh(forget(("outputs", MAY)))
    assert found["outputs", MAY].state == "missing"
    assert found["export", MAY].state == "will_be_stale"


@pytest.mark.parametrize(("at_seconds", "state"), [(200.0, "failed"), (50.0, None)])
def test_a_failure_counts_until_the_stage_is_made(at_seconds: float, state: str | None):
    """A run that failed after the stage was last made is told with its words; an older one is over."""
    failure = Failure(failed_at_seconds=at_seconds, text="no key")
    found = list_unfresh(replace(FRESH, failures={("outputs", MAY): failure}))
    status = found.get(("outputs", MAY))
    assert (status.state if status else None) == state
    if status:
        assert status.reasons == (Reason(kind="run_failed", subject="no key"),)


def test_a_failure_over_what_is_no_more_so_is_over():
    """A stage that asks no model and whose value is made from what there is is fresh, whatever failed meanwhile."""
    cell = ("snapshot", MAY)
    failed = replace(FRESH, failures={cell: Failure(failed_at_seconds=200.0, text="no column")})
    assert list_unfresh(failed) == {}
    broken = replace(failed, input_sha256={**FRESH.input_sha256, MAY: Sha256("other")})
    assert list_unfresh(broken)[cell].state == "failed"
    lost = replace(failed, made=forget(cell).made)
    assert list_unfresh(lost)[cell].state == "failed"


def test_a_run_under_way_is_told():
    """A stage that a run is making right now is running, whatever else is to be said of it."""
    found = list_unfresh(replace(FRESH, running_since={("outputs", MAY): 200.0}))
    assert found["outputs", MAY].state == "running"
    assert list_unfresh(replace(FRESH, running_since={("outputs", MAY): 50.0})) == {}


def test_a_blocking_check_counts_as_a_failure():
    """A value that a check keeps from being used is failed, and what comes after it waits for it."""
    found = list_unfresh(change_made(("outputs", MAY), blocked_by="failed_items: 3 of 4"))
    assert found["outputs", MAY].reasons == (
        Reason(kind="check_failed", subject="failed_items: 3 of 4"),
    )
    assert found["export", MAY].state == "will_be_stale"


def find_due(facts: TaskFacts) -> tuple[str, ...]:
    statuses = decide_statuses(GRAPH, facts, BATCHES)
    stages = {node.name: statuses[node.name, MAY] for node in GRAPH.batched}
    return list_due(GRAPH.batched, stages)


def test_what_comes_first_is_made_first():
    """Due stages that wait for another one are left for the next look; missing chains are made at once."""
    assert find_due(FRESH) == ()
    changed = replace(
        change_made(("export", MAY), code_version="recipe:0"),
        input_sha256=dict.fromkeys(BATCHES, Sha256("other")),
    )
    assert find_due(changed) == ("snapshot",)
    assert find_due(forget(("outputs", MAY), ("export", MAY))) == ("outputs", "export")
    everything = [cell for cell in CELLS if cell[1] is not None]
    assert find_due(forget(*everything)) == ("snapshot", "outputs", "export")


@given(st.sets(st.sampled_from(CELLS)), st.sets(st.sampled_from(CELLS)))
def test_whatever_happened_there_is_always_a_next_step_or_nothing_to_do(
    gone: set[Cell], changed: set[Cell]
):
    """A batch that is not fresh has something due, and nothing due waits for a stage that is not made with it."""
    made = {
        cell: replace(value, data_version="new") if cell in changed else value
        for cell, value in FRESH.made.items()
        if cell not in gone
    }
    statuses = decide_statuses(GRAPH, replace(FRESH, made=made), BATCHES)
    for batch in BATCHES:
        stages = {node.name: statuses[node.name, batch] for node in GRAPH.batched}
        due = list_due(GRAPH.batched, stages)
        shared_is_fresh = statuses["schema", None].state == "fresh"
        if shared_is_fresh and any(status.state != "fresh" for status in stages.values()):
            assert due
        for name in due:
            for upstream in set(GRAPH.find(name).upstream) & set(stages):
                assert upstream in due or stages[upstream].state == "fresh"


def test_a_failure_that_was_mended_does_not_come_back_with_a_lost_value():
    """A stage that was made or put away after its failure is missing without its value, and not failed again."""
    cell: Cell = ("export", MAY)
    failed = replace(forget(cell), failures={cell: Failure(failed_at_seconds=90.0, text="no")})
    for told_at, state in ((80.0, "failed"), (100.0, "missing")):
        facts = replace(failed, told_at_seconds={cell: told_at})
        assert decide_statuses(GRAPH, facts, BATCHES)[cell].state == state
