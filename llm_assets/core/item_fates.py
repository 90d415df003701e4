"""What the gate and people made of each item, and what people changed in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import JsonValue

from llm_assets.core.corrections import Correction, Corrections
from llm_assets.core.gate import GateDecision, GateDecisions
from llm_assets.core.ids import WorkId
from llm_assets.core.values import FrozenModel


class FieldEdit(FrozenModel):
    """A field of which a person published something else than the model said."""

    name: str
    """Its dotted path."""
    model: JsonValue
    """None where the model said nothing there."""
    person: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFate:
    """Which way an item went, and the person's decision where one applied."""

    decision: GateDecision
    correction: Correction | None


Fates = Mapping[WorkId, ItemFate]
NO_FATES: Fates = MappingProxyType({})


def build_fates(gate: GateDecisions, corrections: Corrections) -> Fates:
    """The fate of every item of a batch, in item order."""
    applied = corrections.find("applied")
    return {
        each.work_id: ItemFate(decision=each, correction=applied.get(each.work_id))
        for each in gate.records
    }


def list_edits(
    output: Mapping[str, JsonValue] | None, correction: Correction | None
) -> tuple[FieldEdit, ...]:
    """The fields in which an edit differs from the model's output as it is now; none of any other decision."""
    if correction is None or correction.decision != "edit":
        return ()
    said, written = (dict(_flatten(each or {})) for each in (output, correction.output))
    return tuple(
        FieldEdit(name=name, model=said.get(name), person=written.get(name))
        for name in dict.fromkeys([*said, *written])
        if said.get(name) != written.get(name)
    )


def _flatten(values: Mapping[str, JsonValue], prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    """The fields by their dotted paths; lists stay whole."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
