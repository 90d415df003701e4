"""How a task stands as a whole: what batches share, and every batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import (
    Made,
    StageStatus,
    State,
    TaskFacts,
    decide_statuses,
    fingerprint_batches,
)

WORST_FIRST: tuple[State, ...] = (
    "failed",
    "running",
    "missing",
    "stale",
    "will_be_stale",
    "fresh",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """How one batch stands."""

    batch: BatchKey
    has_file: bool
    """Whether its input file is still there; without it nothing of it can be made anew."""
    stages: Mapping[str, StageStatus]
    outcomes: Mapping[str, int]
    """How many of its items ended in which way; those that occurred."""

    @property
    def state(self) -> State:
        """The state of the stage that is worst off."""
        return find_worst(self.stages)

    @property
    def is_due(self) -> bool:
        """Whether a refresh has something to do: not where the file is gone or a run is at it already."""
        return self.has_file and self.state not in ("fresh", "running")

    @property
    def n_items(self) -> int:
        """The items that have an end."""
        return sum(self.outcomes.values())

    def build_record(self) -> dict[str, JsonValue]:
        """The batch for scripts."""
        return {
            "batch": self.batch,
            "state": self.state,
            "has_file": self.has_file,
            "items": self.n_items,
            "outcomes": dict(self.outcomes),
            "stages": _build_stage_records(self.stages),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """How one task stands."""

    task: TaskName
    graph: StageGraph
    shared: Mapping[str, StageStatus]
    """What is about no batch or about all of them."""
    batches: tuple[BatchStatus, ...]
    batches_sha256: str
    """Which versions the batches have; an overview of them is made anew where it changes."""

    @property
    def is_fresh(self) -> bool:
        """Whether there is nothing to be made anew; batches without a file are left out."""
        states = [find_worst(self.shared), *(each.state for each in self.batches if each.has_file)]
        return all(state == "fresh" for state in states)

    def build_record(self) -> dict[str, JsonValue]:
        """The task for scripts."""
        return {
            "task": self.task,
            "is_fresh": self.is_fresh,
            "stages": _build_stage_records(self.shared),
            "batches": [each.build_record() for each in self.batches],
        }


def build_task_status(
    task: TaskName, graph: StageGraph, facts: TaskFacts, batches: Sequence[BatchKey]
) -> TaskStatus:
    """Look at every stage of these batches; they stay in the order given."""
    cells = decide_statuses(graph, facts, batches)
    return TaskStatus(
        task=task,
        graph=graph,
        shared={node.name: cells[node.name, None] for node in graph.shared},
        batches=tuple(
            BatchStatus(
                batch=batch,
                has_file=batch in facts.input_sha256,
                stages={node.name: cells[node.name, batch] for node in graph.batched},
                outcomes=_find_outcomes(graph, facts, batch),
            )
            for batch in batches
        ),
        batches_sha256=fingerprint_batches(graph, facts.made, batches),
    )


def find_worst(stages: Mapping[str, StageStatus]) -> State:
    """The state of the stage that is worst off; fresh where there are none."""
    states = {status.state for status in stages.values()}
    for state in WORST_FIRST:
        if state in states:
            return state
    return "fresh"


def _find_outcomes(graph: StageGraph, facts: TaskFacts, batch: BatchKey) -> dict[str, int]:
    """Those of the last stage that counts how items ended."""
    made: list[Made] = [
        facts.made[node.name, batch] for node in graph.batched if (node.name, batch) in facts.made
    ]
    for each in reversed(made):
        if each.counts:
            return {outcome: count for outcome, count in each.counts.items() if count}
    return {}


def _build_stage_records(stages: Mapping[str, StageStatus]) -> dict[str, JsonValue]:
    return {
        name: {
            "state": status.state,
            "reasons": [
                {"kind": reason.kind, "subject": reason.subject} for reason in status.reasons
            ],
        }
        for name, status in stages.items()
    }
