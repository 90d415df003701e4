"""Which stages of a batch show what people decided, and may be made of what stands before them?"""

from collections.abc import Mapping
from dataclasses import dataclass

from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph
from llm_assets.core.staleness import Cell, Made

PAID_STAGES = ("embeddings",)
"""Stages after people's decisions that send calls, and so are left out where nothing may cost money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStages:
    """What is made of a batch once people have decided on it."""

    due: tuple[str, ...]
    problem: str | None
    """The checks that keep more from being made; None where there are none."""


def choose_review_stages(
    graph: StageGraph, made: Mapping[Cell, Made], batch: BatchKey
) -> ReviewStages:
    """The stages that show people's decisions and send no call, but for those behind a check that blocks.

    A run stops at a blocking check only where it makes the checked stage itself, so what earlier runs found has to be
    looked up. Stages that are made here are judged anew.
    """
    batched = {node.name for node in graph.batched}.difference(PAID_STAGES)
    shown = [name for name in graph.find_downstream("corrections") if name in batched]
    blocks = {
        name: each.blocked_by
        for (name, of), each in made.items()
        if of == batch and each.blocked_by is not None and name not in shown
    }
    held = {name for stage in blocks for name in graph.find_downstream(stage)}.intersection(shown)
    reasons = "; ".join(f"{stage}: {reason}" for stage, reason in blocks.items())
    return ReviewStages(
        due=tuple(name for name in shown if name not in held),
        problem=f"Checks hold back {', '.join(sorted(held))}. {reasons}" if held else None,
    )
