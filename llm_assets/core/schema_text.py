"""How a prompt tells a model what an answer looks like."""

import json
from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from llm_assets.core.json_schema import (
    JsonObject,
    StableNames,
    drop_echoing_titles,
    drop_non_finite,
)

_REF_TEMPLATE = "#/models/{model}"


def build_schema_text(models: Mapping[str, type[BaseModel]]) -> str:
    """The JSON text that prompts know as `llm_schema`.

    The first model is the one to answer with. All models, nested ones too, stand side by side under `models`, so
    that each is written once and every reference resolves within the text. Properties keep the order in which the
    fields are declared, because models answer in that order.
    """
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "validation") for model in models.values()
    ]
    refs, shared = models_json_schema(
        inputs, ref_template=_REF_TEMPLATE, schema_generator=StableNames
    )
    definitions = cast("dict[str, JsonObject]", shared.get("$defs", {}))
    keys = [_read_key(cast("JsonObject", refs[model, "validation"])) for model in models.values()]
    order = dict.fromkeys([*keys, *sorted(definitions)])
    first = next(iter(models), "")
    schema: JsonObject = {
        "title": first,
        "type": "object",
        "additionalProperties": False,
        "models": {key: drop_echoing_titles(drop_non_finite(definitions[key])) for key in order},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False, allow_nan=False)


def _read_key(ref: JsonObject) -> str:
    return str(ref["$ref"]).removeprefix(_REF_TEMPLATE.format(model=""))
