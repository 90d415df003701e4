import threading
from types import SimpleNamespace

import pytest
import requests
import tiktoken

from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.gateways import token_counter
from llm_assets.gateways.token_counter import build_token_counter

TEXT = "How many tokens has a sentence with <|endoftext|> in it?"


def replace_tables(monkeypatch: pytest.MonkeyPatch, load):
    monkeypatch.setattr(tiktoken, "encoding_for_model", load)


def test_the_offline_model_is_counted_as_it_counts(monkeypatch):
    """For the built-in model no table is looked for, and the count says that it is approximate."""
    replace_tables(monkeypatch, pytest.fail)
    counter = build_token_counter("extractive", is_offline=True)
    assert counter.is_approximate
    assert counter.count(TEXT) == count_tokens_approximately(TEXT)


def test_a_known_table_counts_exactly(monkeypatch):
    """Where the model's table can be had, text with special marks in it is counted like any other."""
    encoding = SimpleNamespace(encode_ordinary=lambda text: text.split())
    replace_tables(monkeypatch, lambda model: encoding)
    counter = build_token_counter("gpt-4.1", is_offline=False)
    assert not counter.is_approximate
    assert counter.count(TEXT) == 10


@pytest.mark.parametrize(
    "error",
    [
        KeyError("no such model"),
        ValueError("damaged table"),
        requests.ConnectionError("no network"),
        requests.exceptions.SSLError("a proxy in between"),
        PermissionError("cache folder"),
    ],
)
def test_a_table_that_cannot_be_had_is_no_error(monkeypatch, error):
    """An unknown model, a broken table and a missing network all lead to the flagged counter."""

    def fail(model):
        raise error

    replace_tables(monkeypatch, fail)
    counter = build_token_counter("gpt-9", is_offline=False)
    assert counter.is_approximate
    assert counter.count(TEXT) == count_tokens_approximately(TEXT)


def test_a_silent_network_is_not_waited_for(monkeypatch):
    """A download that never ends is given up after the limit, and the run goes on."""
    is_over = threading.Event()
    replace_tables(monkeypatch, lambda model: is_over.wait(30))
    monkeypatch.setattr(token_counter, "LOAD_SECONDS", 0.01)
    try:
        assert build_token_counter("gpt-4.1", is_offline=False).is_approximate
    finally:
        is_over.set()
