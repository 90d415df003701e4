"""The fields of what came of an item, also where several steps made it."""

from collections.abc import Mapping

from pydantic import JsonValue

from llm_assets.core.llm_outputs import ItemOutput

Fields = Mapping[str, JsonValue]


def list_output_fields(item: ItemOutput) -> Fields:
    """The top-level fields of the output, those of a step as `<step>.<field>`; none where there is no output."""
    return _name_by_step(item, item.output or {})


def list_verdict_fields(item: ItemOutput) -> Fields:
    """The same of what the judge said."""
    return _name_by_step(item, item.verdict or {})


def _name_by_step(item: ItemOutput, said: Fields) -> Fields:
    if all(attempt.step is None for attempt in item.attempts):
        return said
    return {
        f"{step}.{name}": value
        for step, fields in said.items()
        if isinstance(fields, dict)
        for name, value in fields.items()
    }
