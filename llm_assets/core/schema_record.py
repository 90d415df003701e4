"""What is kept of a schema module: which models it has and what each of them looks like."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, JsonValue

from llm_assets.core.ids import Sha256
from llm_assets.core.json_schema import build_json_schema
from llm_assets.core.values import FrozenModel


class SchemaRecord(FrozenModel):
    """A schema module as it was when it was loaded."""

    format_version: Literal[1] = 1
    path: str
    """Relative to the project."""
    source_sha256: Sha256
    """Of the module's text, so that a changed validator counts, which no JSON Schema shows."""
    output_model: str
    models: dict[str, JsonValue]
    """The JSON Schema of each model, by name."""


class SchemaText(FrozenModel):
    """What prompts know as `llm_schema`, and the form that providers decode strictly."""

    format_version: Literal[1] = 1
    schema_path: str
    source_sha256: Sha256
    """Of the module it was made from: what prompts say must be what validates."""
    text: str
    strict_schema: dict[str, JsonValue] | None
    """None where the schema has no such form."""
    problems: tuple[str, ...]
    """Why it has none; each names a place in the schema."""


def build_schema_record(
    models: Mapping[str, type[BaseModel]], *, path: str, source_sha256: Sha256, output_model: str
) -> SchemaRecord:
    """Put the record together."""
    return SchemaRecord(
        path=path,
        source_sha256=source_sha256,
        output_model=output_model,
        models={
            name: build_json_schema(model, mode="serialization") for name, model in models.items()
        },
    )
