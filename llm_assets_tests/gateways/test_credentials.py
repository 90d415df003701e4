import pytest

from llm_assets.config.endpoint import PRESETS, EndpointSettings
from llm_assets.errors import ConfigError
from llm_assets.gateways.credentials import read_api_key, read_base_url, read_secret
from llm_assets.gateways.project import Project


def test_a_key_comes_from_the_environment_or_the_file(tmp_path):
    """Both sources serve, blanks around a key do not count, and its text shows nothing."""
    (tmp_path / ".env").write_text("FILE_KEY=sk-file\n")
    project = Project(root=tmp_path, environ={"MY_KEY": " sk-environment\n"})
    secret = read_secret("MY_KEY", project=project, endpoint="mine")
    assert secret.get_secret_value() == "sk-environment"
    assert "sk-environment" not in repr(secret)
    from_file = read_secret("FILE_KEY", project=project, endpoint="mine")
    assert from_file.get_secret_value() == "sk-file"


@pytest.mark.parametrize("environ", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": "  "}])
def test_a_missing_key_names_variable_endpoint_and_place(tmp_path, environ):
    """The message says which variable of which endpoint is missing, and where to put it."""
    project = Project(root=tmp_path, environ=environ)
    with pytest.raises(ConfigError) as caught:
        read_api_key(PRESETS["openai"], name="openai", project=project)
    assert str(caught.value) == (
        "The endpoint 'openai' needs the variable OPENAI_API_KEY, which is not set or empty. "
        "Set it in the environment, or add the line `OPENAI_API_KEY=…` to .env in the project folder."
    )


def test_a_key_in_place_of_a_variable_is_not_repeated(tmp_path):
    """A key pasted as `api_key_env` stays out of the message."""
    endpoint = EndpointSettings(base_url="http://x/v1", api_key_env="sk-proj-abc123")
    with pytest.raises(ConfigError, match="`api_key_env` that names no variable") as caught:
        read_api_key(endpoint, name="mine", project=Project(root=tmp_path, environ={}))
    assert "abc123" not in str(caught.value)


@pytest.mark.parametrize("value", ["“sk-quoted”", "sk-a\nsk-b"])
def test_a_key_that_was_copied_badly_is_told_without_it(tmp_path, value):
    """Characters that no header can carry are found before a request, and not shown."""
    project = Project(root=tmp_path, environ={"MY_KEY": value})
    with pytest.raises(ConfigError, match="MY_KEY holds characters that no key has") as caught:
        read_secret("MY_KEY", project=project, endpoint="mine")
    assert "sk-" not in str(caught.value)


def test_an_endpoint_without_a_key_needs_none(tmp_path):
    """Nothing is asked for where the endpoint names no variable."""
    project = Project(root=tmp_path, environ={})
    assert read_api_key(PRESETS["offline"], name="offline", project=project) is None


def test_an_address_may_come_from_a_variable(tmp_path):
    """A given address comes first, then the variable; a missing one is told."""
    azure, empty = PRESETS["azure"], Project(root=tmp_path, environ={})
    project = Project(root=tmp_path, environ={"AZURE_OPENAI_BASE_URL": "https://a/v1"})
    assert read_base_url(azure, name="azure", project=project) == "https://a/v1"
    assert read_base_url(PRESETS["vllm"], name="vllm", project=empty) == "http://127.0.0.1:8000/v1"
    with pytest.raises(ConfigError, match="'azure' needs the variable AZURE_OPENAI_BASE_URL"):
        read_base_url(azure, name="azure", project=empty)
