"""How a prompt tells a model what an answer looks like."""

import json
import math
from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema

from llm_assets.core.json_schema import JsonObject, drop_echoing_titles

_REF_TEMPLATE = "#/models/{model}"


def build_schema_text(models: Mapping[str, type[BaseModel]]) -> str:
    """The JSON text that prompts know as `llm_schema`.

    The first model is the one to answer with. All models, nested ones too, stand side by side under `models`, so
    that each is written once and every reference resolves within the text. Properties keep the order in which the
    fields are declared, because models answer in that order.
    """
    inputs = [(model, "validation") for model in models.values()]
    refs, shared = models_json_schema(inputs, ref_template=_REF_TEMPLATE)
    definitions = cast("dict[str, JsonObject]", shared.get("$defs", {}))
    keys = [_read_key(cast("JsonObject", refs[model, "validation"])) for model in models.values()]
    order = dict.fromkeys([*keys, *sorted(definitions)])
    first = next(iter(models), "")
    schema: JsonObject = {
        "title": first,
        "type": "object",
        "additionalProperties": False,
        "models": {key: _drop_non_finite(definitions[key]) for key in order},
    }
    return json.dumps(drop_echoing_titles(schema), indent=2, ensure_ascii=False, allow_nan=False)


def _read_key(ref: JsonObject) -> str:
    return str(ref["$ref"]).removeprefix(_REF_TEMPLATE.format(model=""))


def _drop_non_finite(value: JsonValue) -> JsonValue:
    """Without bounds and defaults that JSON cannot spell, such as an infinite one."""
    if isinstance(value, dict):
        return {key: _drop_non_finite(child) for key, child in value.items() if _is_finite(child)}
    if isinstance(value, list):
        return [_drop_non_finite(child) for child in value if _is_finite(child)]
    return value


def _is_finite(value: JsonValue) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
