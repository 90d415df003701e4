import re
from pathlib import Path

import pytest

from llm_assets.config.base import PlainScalar
from llm_assets.config.endpoint import EndpointSettings
from llm_assets.config.parsing import (
    find_endpoint,
    parse_endpoints,
    parse_settings,
)
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import parse_yaml
from llm_assets.errors import ConfigError
from llm_assets_tests.config.task_texts import parse_task

FILE = "configs/x.yaml"
ROOT = Path(__file__).parents[2]


def parse_message(text):
    with pytest.raises(ConfigError) as caught:
        parse_task(text, file=FILE)
    return str(caught.value)


ONE_MISTAKE = {
    "unknown key": (
        "prompt: p\nllm:\n  temprature: 1\n",
        (
            "configs/x.yaml:3:3: llm.temprature: unknown key. Did you mean 'temperature'? "
            "Allowed: endpoint, model, temperature, top_p, seed, max_output_tokens, structured_output, "
            "extra, price."
        ),
    ),
    "unknown block, spelt as in a file": (
        "prompt: p\nshema: {}\n",
        (
            "configs/x.yaml:2:1: shema: unknown key. Did you mean 'schema'? Allowed: description, owners, "
            "tags, extends, prompt, steps, input, cleaning, grouping, context, images, schema, answer, llm, attempts, judge, hooks, limits, budget, checks, automation, gate, export, report, expected, compare, embed."
        ),
    ),
    "key at the wrong level": (
        "prompt: p\ntemperature: 1\n",
        "configs/x.yaml:2:1: temperature: unknown key. `temperature` belongs under `llm` or under `judge.llm`. Allowed: ",
    ),
    "key that belongs to the top": (
        "prompt: p\nllm:\n  tags: {}\n",
        "configs/x.yaml:3:3: llm.tags: unknown key. `tags` belongs at the top of the file. Allowed: ",
    ),
    "missing key": (
        "llm:\n  seed: 1\n",
        "configs/x.yaml:1:1: prompt: this key is missing. Add `prompt:` (The prompt file).",
    ),
    "missing key in a block": (
        "prompt: p\nschema:\n  generate:\n    sample_rows: 1\n",
        "configs/x.yaml:3:3: schema.generate.description: this key is missing. Add `description:` ",
    ),
    "empty file": ("", "configs/x.yaml:1:1: prompt: this key is missing."),
    "key without a value": ("prompt:\n", "configs/x.yaml:1:1: prompt: expected text, got nothing."),
    "misspelt value": (
        "prompt: p\ngrouping:\n  mode: group_ouput\n",
        (
            "configs/x.yaml:3:9: grouping.mode: unknown value 'group_ouput'. Did you mean 'group_output'? "
            "Allowed: row, group_output, row_output_with_group_context."
        ),
    ),
    "misspelt value in a list": (
        "prompt: p\nexport:\n  formats:\n    - csv\n    - jsnl\n",
        (
            "configs/x.yaml:5:7: export.formats[1]: unknown value 'jsnl'. Did you mean 'jsonl'? "
            "Allowed: csv, psv, tsv, jsonl, xlsx, parquet."
        ),
    ),
    "text for a whole number": (
        "prompt: p\nllm:\n  seed: 1.5\n",
        "configs/x.yaml:3:9: llm.seed: expected a whole number, got '1.5'.",
    ),
    "text for a number": (
        "prompt: p\nllm:\n  temperature: hot\n",
        "configs/x.yaml:3:16: llm.temperature: expected a number, got 'hot'.",
    ),
    "infinity": (
        "prompt: p\nllm:\n  temperature: inf\n",
        "configs/x.yaml:3:16: llm.temperature: expected a number, got 'inf'.",
    ),
    "price": (
        "prompt: p\nllm:\n  price: {input_usd: cheap, output_usd: 1}\n",
        "configs/x.yaml:3:22: llm.price.input_usd: expected a number, got 'cheap'.",
    ),
    "out of bounds": (
        "prompt: p\nllm:\n  top_p: 1.2\n",
        "configs/x.yaml:3:10: llm.top_p: expected at most 1, got '1.2'.",
    ),
    "a word that YAML 1.1 took for a boolean": (
        "prompt: p\ncleaning:\n  trim: no\n",
        "configs/x.yaml:3:9: cleaning.trim: expected true or false, got 'no'.",
    ),
    "text for a list": (
        "prompt: p\ncontext:\n  exclude: name\n",
        "configs/x.yaml:3:12: context.exclude: expected a list, got 'name'. Write [name].",
    ),
    "nothing for a list": (
        "prompt: p\nowners:\n",
        "configs/x.yaml:2:1: owners: expected a list, got nothing. Write [] for an empty list.",
    ),
    "list for text": (
        "prompt: [a]\n",
        "configs/x.yaml:1:9: prompt: expected text, got a list.",
    ),
    "text for a block": (
        "prompt: p\nattempts: 5\n",
        "configs/x.yaml:2:11: attempts: expected a block with keys, got '5'. Keys: attempts, retry_failed",
    ),
    "text for free keys": (
        "prompt: p\ntags: a\n",
        "configs/x.yaml:2:7: tags: expected a block of `key: value` lines, got 'a'.",
    ),
    "rule of a block": (
        "prompt: p\ngrouping:\n  mode: group_output\n",
        "configs/x.yaml:2:1: grouping: mode 'group_output' needs a `column` to group by.",
    ),
    "no block at all": (
        "prompt:p\n",
        (
            "configs/x.yaml:1:1: the file has to hold `key: value` lines, and this is 'prompt:p'. "
            "Write a space after each colon, as in `description: …`."
        ),
    ),
}


@pytest.mark.parametrize(("text", "expected"), ONE_MISTAKE.values(), ids=ONE_MISTAKE.keys())
def test_one_mistake_is_one_line_with_place_and_remedy(text, expected):
    """File, line, column, key, what was expected and what was given are all there."""
    message = parse_message(text)
    assert message.startswith(expected)
    assert "\n" not in message


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    """Nobody has to start a run once for each mistake."""
    message = parse_message(
        "temperature: 1\nprompt: p\nllm:\n  seed: x\ncleaning:\n  trim: off\nexport:\n  formats: [cvs]\n"
    )
    headline, *lines = message.splitlines()
    assert headline == "configs/x.yaml has 4 problems:"
    assert [line.split(": ")[:2] for line in lines] == [
        ["  configs/x.yaml:1:1", "temperature"],
        ["  configs/x.yaml:4:9", "llm.seed"],
        ["  configs/x.yaml:6:9", "cleaning.trim"],
        ["  configs/x.yaml:8:13", "export.formats[0]"],
    ]


def test_a_long_value_is_cut_in_messages():
    """A prompt pasted into the wrong place does not fill the terminal."""
    assert len(parse_message(f"prompt: p\nllm:\n  seed: {'x' * 5000}\n")) < 200


@pytest.mark.parametrize("typed", ["no", "12:30", "007", "1.10", "2024-01-02", "true"])
def test_text_fields_keep_what_was_typed(typed):
    """Where text is meant, a scalar that looks like something else stays text."""
    text = f"prompt: {typed}\ntags: {{ {typed!r}: {typed} }}\ninput:\n  sheet: {typed}\n"
    settings = parse_task(text, file=FILE)
    assert (settings.prompt, settings.tags, settings.input.sheet) == (typed, {typed: typed}, typed)
    assert type(settings.prompt) is str


def test_types_of_fields_decide():
    """The same spelling is a number, a boolean or text, as its field asks."""
    text = (
        "prompt: 7\ninput:\n  header_row: 7\ncleaning:\n  trim: false\n"
        "llm:\n  temperature: 7\n  extra: {a: 7, b: false, c: no, d: '7', e: [1.5], f: null}\n"
    )
    settings = parse_task(text, file=FILE)
    assert settings.prompt == "7"
    assert settings.input.header_row == 7
    assert settings.cleaning.trim is False
    assert settings.llm.temperature == 7.0
    extra = {"a": 7, "b": False, "c": "no", "d": "7", "e": [1.5], "f": None}
    assert settings.llm.extra == extra
    assert not any(isinstance(value, PlainScalar) for value in settings.llm.extra.values())


def test_a_block_with_all_keys_commented_out_is_not_given():
    """Commenting out every key of a block brings its defaults back."""
    settings = parse_task("prompt: p\nlimits:\n#  max_in_flight: 2\ntags:\n", file=FILE)
    assert settings == parse_task("prompt: p", file=FILE)


def test_copied_text_is_understood():
    """A config copied from a web page with a byte order mark and no-break spaces works."""
    settings = parse_task("\ufeffprompt:\u00a0p\nllm:\n\u00a0\u202fseed: 3\n", file=FILE)
    assert (settings.prompt, settings.llm.seed) == ("p", 3)


def test_any_settings_can_be_parsed():
    """A prompt file is parsed like a task file; its templates come out as they were written."""
    text = "system: |\n  Be short.\nuser: '{{ row_block }}'\n"
    prompt = parse_settings(PromptSettings, parse_yaml(text, file="prompts/x.yaml"))
    assert (prompt.system, prompt.user) == ("Be short.\n", "{{ row_block }}")


def test_parse_endpoints_names_the_place():
    """Mistakes in the endpoints file are told like those of a task, and a pasted key is not repeated."""
    with pytest.raises(ConfigError) as caught:
        parse_endpoints("endpoints:\n  mine:\n    api_key: sk-123\n", file="configs/endpoints.yaml")
    message = str(caught.value)
    assert message.startswith(
        "configs/endpoints.yaml:3:5: endpoints.mine.api_key: unknown key. Did you mean 'api_key_env'?"
    )
    assert "sk-123" not in message


def build_document(text):
    document = parse_yaml(text, file=FILE)
    return parse_settings(TaskSettings, document), document


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (
            {"office": EndpointSettings(base_url="http://x/v1")},
            "there is no endpoint 'ofice'. Did you mean 'office'? Known: azure, gemini, llama.cpp, office, ",
        ),
        (
            {"ofice": EndpointSettings()},
            "the endpoint 'ofice' has no address. Give it a `base_url`, a `base_url_env` or a `preset`",
        ),
    ],
)
def test_an_endpoint_that_cannot_be_used(own, expected):
    """An unknown endpoint and one without an address are told at `llm.endpoint`."""
    settings, document = build_document("prompt: p\nllm:\n  endpoint: ofice\n")
    with pytest.raises(ConfigError) as caught:
        find_endpoint(settings.llm, own, document=document)
    assert str(caught.value).startswith(f"configs/x.yaml:3:13: llm.endpoint: {expected}")


def test_an_own_endpoint_changes_the_built_in_one_of_its_name():
    """What is not given for a built-in name stays as it is built in."""
    settings, document = build_document("prompt: p\nllm:\n  endpoint: openai\n")
    endpoint = find_endpoint(
        settings.llm, {"openai": EndpointSettings(max_in_flight=3)}, document=document
    )
    assert (endpoint.max_in_flight, endpoint.api_key_env) == (3, "OPENAI_API_KEY")


def test_every_example_of_the_endpoints_file_is_valid():
    """The shipped file is valid as it is, and with all of its examples switched on."""
    text = (ROOT / "configs" / "endpoints.yaml").read_text(encoding="utf-8")
    switched_on = re.sub(r"^  # (?=\w+:$|  )", "  ", text, flags=re.MULTILINE)
    assert parse_endpoints(text, file=FILE).endpoints == {}
    assert list(parse_endpoints(switched_on, file=FILE).endpoints) == [
        "openai",
        "office_vllm",
        "my_server",
        "private_azure",
    ]
