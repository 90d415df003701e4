import json

from pydantic import BaseModel, TypeAdapter

from llm_assets.core.schema_text import build_schema_text
from llm_assets.core.steps import build_strict_form
from llm_assets.core.strict_schema import StrictSchema
from llm_assets.gateways.offline_model.chat import ChatRequest
from llm_assets.gateways.offline_model.requested_schema import decide_schema


class Person(BaseModel):
    name: str
    friends: "list[Person]"


class Found(BaseModel):
    people: list[Person]
    first: Person


def test_models_that_stand_beside_each_other_in_a_prompt_are_found():
    """A schema whose parts are models of their own is followed down to them, also where one holds itself."""
    strict = build_strict_form(Found)
    assert isinstance(strict, StrictSchema)
    request = {
        "model": "extractive",
        "messages": [
            {"role": "system", "content": f"Do it. {build_schema_text({'Found': Found})}"},
            {"role": "user", "content": "Ana met Bo."},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "Found", "strict": True, "schema": strict.schema},
        },
    }
    decided = decide_schema(TypeAdapter(ChatRequest).validate_python(request))
    assert decided is not None
    schema = json.loads(decided)
    assert schema["properties"]["first"] == {"$ref": "#/$defs/Person"}
    person = schema["$defs"]["Person"]
    assert person["properties"]["friends"]["items"] == {"$ref": "#/$defs/Person"}
