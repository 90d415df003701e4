import json

import pytest

from llm_assets.gateways.offline_model.chat import (
    ChatRequest,
    Completion,
    count_usage,
    cut_to_tokens,
)
from llm_assets.gateways.offline_model.models import ModelName, build_completion, build_content
from llm_assets.gateways.offline_model.requested_schema import decide_schema, find_schema

MODEL = {"type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"]}
JUDGE = {"type": "object", "properties": {"is_ok": {"type": "boolean"}}, "required": ["is_ok"]}
DOCUMENT = {
    "title": "Schemas",
    "type": "object",
    "models": {"JudgeResult": JUDGE, "LLMOutput": MODEL},
    "additionalProperties": False,
}


def build_request(*texts: str, response_format: dict | None = None, **parameters) -> ChatRequest:
    """A conversation whose messages are the user's and the assistant's by turns, after a system message."""
    roles = ["system", "user", "assistant", "user"]
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    return ChatRequest.model_validate(
        {
            "model": "extractive",
            "messages": messages,
            "response_format": response_format,
            **parameters,
        }
    )


def complete(request: ChatRequest, model: ModelName = "extractive") -> str:
    text = build_completion(request, model).text
    assert text is not None
    return text


def wrap(schema: dict) -> dict:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


def read_schema(request: ChatRequest) -> dict | None:
    text = decide_schema(request)
    return None if text is None else json.loads(text)


def test_a_schema_in_the_prompt_is_followed():
    """A document of models gives the one that is no judge's; a schema that stands alone gives itself."""
    for schema in (DOCUMENT, MODEL):
        request = build_request(f"Follow this: {json.dumps(schema)}", "body: hello")
        assert read_schema(request) == MODEL


def test_the_model_that_the_prompt_names_is_followed():
    """A judge's prompt that asks for `JudgeResult` gets it."""
    request = build_request(f"Answer as JudgeResult of {json.dumps(DOCUMENT)}", "body: hello")
    assert read_schema(request) == JUDGE
    assert json.loads(complete(request)) == {"is_ok": True}


def test_the_response_format_counts_before_the_prompt():
    """A schema that is sent is followed, whatever the prompt shows."""
    request = build_request(json.dumps(MODEL), "body: hello", response_format=wrap(JUDGE))
    assert read_schema(request) == JUDGE


def test_the_prompts_form_of_the_same_model_is_fuller():
    """Limits that a strict schema leaves out are kept where the prompt shows them."""
    full = {**MODEL, "properties": {"note": {"type": "string", "maxLength": 3}}}
    request = build_request(
        json.dumps({"models": {"LLMOutput": full}}), "body: hello", response_format=wrap(MODEL)
    )
    assert read_schema(request) == full


def test_definitions_that_models_share_are_found():
    """A document may keep them beside its models."""
    document = {
        "models": {"LLMOutput": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}},
        "$defs": {"A": {"const": 7}},
        "type": "object",
    }
    request = build_request(json.dumps(document), "body: hello")
    assert json.loads(complete(request)) == {"a": 7}


@pytest.mark.parametrize(
    "text",
    ["no schema", '{"type": "bug"}', '{"a": {"type"', "{{{{", '{"models": {}}', '[{"type": 1}]'],
)
def test_other_json_in_a_prompt_is_no_schema(text: str):
    """Rows and source code are content."""
    assert find_schema(text) is None


def test_json_without_any_schema_is_an_object():
    """`json_object` alone gives an object; no wish at all gives free text."""
    any_json = build_request("", "body: It is late.", response_format={"type": "json_object"})
    assert json.loads(complete(any_json)) == {"answer": "It is late."}
    assert complete(build_request("", "body: It is late.")) == "It is late."


@pytest.mark.parametrize(
    "feedback",
    [
        "Your answer was not accepted: `note`: Field required\nAnswer again with one JSON object.",
        "Your last answer was cut off.",
    ],
)
def test_a_complaint_about_an_answer_is_not_the_content(feedback: str):
    """Asked again, the model still answers from the row."""
    request = build_request("", "body: It is late.", "{}", feedback)
    assert build_content(request).text == "It is late."


def test_after_examples_the_last_question_counts():
    """Few-shot examples are passed over."""
    request = build_request("", "body: An example.", '{"note": "x"}', "body: The row.")
    assert build_content(request).text == "The row."


def test_the_system_message_explains_choices():
    """What it says about an option counts for that option."""
    schema = {"type": "object", "properties": {"kind": {"enum": ["k1", "k2"]}}}
    system = "Choose:\n- k1: boats; ships\n- k2: horses; riding"
    request = build_request(system, "body: my riding lesson", response_format=wrap(schema))
    assert json.loads(complete(request)) == {"kind": "k2"}


def test_flaky_is_right_wrong_and_broken():
    """Over some prompts about a third each; the same prompt always gets the same."""
    kinds = []
    for number in range(60):
        request = build_request("", f"body: Row {number}.", response_format=wrap(MODEL))
        text = complete(request, "flaky")
        assert text == complete(request, "flaky")
        try:
            kinds.append("right" if json.loads(text).keys() == {"note"} else "wrong")
        except ValueError:
            kinds.append("broken")
    assert all(kinds.count(kind) >= 10 for kind in ("right", "wrong", "broken"))


def test_a_text_is_cut_to_the_last_character_that_fits():
    """One character more would be one token more."""
    assert cut_to_tokens("one two three", 2) == "one two "
    assert cut_to_tokens("one", 0) == ""
    assert cut_to_tokens("one", 5) == "one"


def test_every_turn_costs_a_little():
    """Two empty messages and the answer's turn are three times the fixed cost."""
    usage = count_usage(build_request("", ""), Completion(text=""))
    assert (usage.prompt_tokens, usage.completion_tokens) == (9, 0)
