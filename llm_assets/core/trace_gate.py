"""How a trace says which way an item went past the gate, and what a person decided on it."""

from collections.abc import Iterator

from pydantic import JsonValue

from llm_assets.core.corrections import Correction
from llm_assets.core.gate_text import render_fate
from llm_assets.core.item_fates import ItemFate, list_edits
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.safe_cells import render_cell

_DONE = {"approve": "approved", "edit": "edited", "reject": "rejected"}


def list_gate_lines(fate: ItemFate | None, item: ItemOutput | None) -> Iterator[str]:
    """The way and why, and of a person's decision who, when, where it was written, and what was changed."""
    if fate is None:
        return
    decision, correction = fate.decision, fate.correction
    yield f"\nGate: {render_fate(decision)}"
    value = "no number" if decision.value is None else f"{decision.value}"
    yield f"  the model's output has {value}, the gate asks for {decision.threshold}"
    if correction is None:
        return
    source = correction.source
    yield (
        f"  {_DONE[correction.decision]} by {correction.reviewer}, taken in on {correction.decided_at:%Y-%m-%d %H:%M:%S} "
        f"UTC from {source.file}, row {source.row}"
    )
    if correction.note:
        yield f"  note: {correction.note}"
    edits = list_edits(item.output if item else None, correction)
    if edits:
        yield "  Published in place of what the model said"
    for edit in edits:
        said = "" if edit.model is None else f" (the model: {render_cell(edit.model)})"
        yield f"    {edit.name}: {render_cell(edit.person)}{said}"


def build_gate_record(fate: ItemFate | None) -> dict[str, JsonValue]:
    """The decision, and the correction that applied, as plain data; nothing without a gate."""
    if fate is None:
        return {}
    decision, correction = fate.decision, fate.correction
    found: dict[str, JsonValue] = {
        "route": decision.route,
        "value": decision.value,
        "threshold": decision.threshold,
        "why": decision.why,
        "origin": decision.origin,
        "reviewer": decision.reviewer,
    }
    return {"gate": found, "correction": correction and _build_correction(correction)}


def _build_correction(correction: Correction) -> dict[str, JsonValue]:
    return {
        "decision": correction.decision,
        "output": correction.output,
        "note": correction.note,
        "reviewer": correction.reviewer,
        "decided_at": correction.decided_at.isoformat(),
        "batch": correction.batch,
        "file": correction.source.file,
        "row": correction.source.row,
    }
