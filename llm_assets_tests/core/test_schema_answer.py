import pytest

from llm_assets.core.schema_answer import parse_proposed_schema
from llm_assets.errors import ConfigError

WANTED = '{"type": "object"}'

ANSWERS = {
    "bare": WANTED,
    "prose around it": f"Here it is: {WANTED} I hope it helps.",
    "one fence": f"```json\n{WANTED}\n```",
    "fence without a name": f"Sure!\n\n```\n{WANTED}\n```\nDone.",
    "upper-case name": f"```JSON\n{WANTED}\n```",
    "tilde fence": f"~~~json\n{WANTED}\n~~~",
    "indented fence": f"  ```json\n  {WANTED}\n  ```",
    "longer fence around a shorter one": f"````json\n{WANTED}\n````",
    "json fence after a python one": f"```python\nclass A: pass\n```\n```json\n{WANTED}\n```",
    "json fence after another that parses": f'```yaml\n{{"type": "array"}}\n```\n```json\n{WANTED}\n```',
    "broken json fence, then a good one": f'```json\n{{"type": \n```\n```json\n{WANTED}\n```',
    "unnamed fence after a python one": f"```python\nx = 1\n```\n```\n{WANTED}\n```",
    "fence that never ends": f"```json\n{WANTED}",
    "thinking before it": f'<think>\n```json\n{{"type": "array"}}\n```</think>\n{WANTED}',
    "byte order mark": f"\ufeff{WANTED}",
    "windows line ends": f"```json\r\n{WANTED}\r\n```\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_schema_is_found_in_what_models_write(name):
    """Fences, prose and thinking around the JSON do not matter, and a fence named JSON goes first."""
    assert parse_proposed_schema(ANSWERS[name]) == {"type": "object"}


REFUSED = {
    "": "no JSON object",
    "I cannot do that.": "no JSON object",
    '```json\n["type"]\n```': "it is a list, not an object",
    '```json\n"text"\n```': "it is a text, not an object",
    "```json\nnull\n```": "it is null, not an object",
    '{"type": "object"': "delimiter",
    "{'type': 'object'}": "property name",
    '{"type": "object", "type": "array"}': "the key 'type' stands twice",
    '{"maximum": NaN}': "NaN is not a JSON number",
    '{"maximum": -Infinity}': "-Infinity is not a JSON number",
    '{"maximum": ' + "9" * 5000 + "}": "digits",
    '{"a":' * 50_000: "nested too deeply",
}


@pytest.mark.parametrize("answer", REFUSED, ids=range(len(REFUSED)))
def test_anything_else_is_one_clear_error(answer):
    """An answer without a usable JSON object says what is wrong with it and is never guessed at."""
    with pytest.raises(ConfigError, match="The model proposed no JSON Schema") as caught:
        parse_proposed_schema(answer)
    assert REFUSED[answer] in caught.value.what
    assert caught.value.remedy
