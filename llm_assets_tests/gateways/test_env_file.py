import os

import pytest

from llm_assets.errors import ConfigError
from llm_assets.gateways.env_file import load_env_file, read_env_file


def test_only_missing_variables_are_set(tmp_path, monkeypatch):
    """Loading `.env` leaves alone what the environment sets already."""
    (tmp_path / ".env").write_text("LLM_ASSETS_A=file\nLLM_ASSETS_B=file\n")
    monkeypatch.setenv("LLM_ASSETS_A", "environment")
    monkeypatch.setenv("LLM_ASSETS_B", "to be undone")
    monkeypatch.delenv("LLM_ASSETS_B")
    load_env_file(tmp_path)
    assert (os.environ["LLM_ASSETS_A"], os.environ["LLM_ASSETS_B"]) == ("environment", "file")


def test_reading_changes_no_environment(tmp_path):
    """Reading `.env` has no effect on the process."""
    (tmp_path / ".env").write_text("\ufeffLLM_ASSETS_C=file\n", encoding="utf-8")
    assert read_env_file(tmp_path) == {"LLM_ASSETS_C": "file"}
    assert "LLM_ASSETS_C" not in os.environ


def test_no_file_sets_nothing(tmp_path):
    """A project needs no `.env`."""
    assert read_env_file(tmp_path) == {}


def test_a_wrong_encoding_is_told_without_a_value(tmp_path):
    """A `.env` that is not UTF-8 is named with the line, and no content of it is shown."""
    (tmp_path / ".env").write_bytes(b"A=1\nKEY=secret\xe9\n")
    with pytest.raises(
        ConfigError, match=r"\.env is not UTF-8: line 2 holds the byte 0xE9"
    ) as caught:
        read_env_file(tmp_path)
    assert "secret" not in str(caught.value)
