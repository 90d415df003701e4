import pytest

from llm_assets.config.endpoint import PRESETS, EndpointSettings
from llm_assets.config.task import LLMSettings
from llm_assets.errors import ConfigError
from llm_assets.gateways.connections import Connection, build_connection
from llm_assets.gateways.project import Project

KEY = "sk-very-secret-0123456789"


def connect(tmp_path, endpoint: EndpointSettings, *, name="office", **environ: str) -> Connection:
    project = Project(root=tmp_path, environ=environ)
    return build_connection(LLMSettings(endpoint=name, model="m"), endpoint, project=project)


def test_a_connection_holds_what_sending_takes(tmp_path):
    """Address and key are read before the first call."""
    connection = connect(tmp_path, PRESETS["openai"], name="openai", OPENAI_API_KEY=KEY)
    assert (connection.name, connection.api_key) == ("openai", KEY)
    assert connection.base_url == "https://api.openai.com/v1"


def test_a_connection_does_not_show_its_key(tmp_path):
    """However a connection gets into a log, its key does not."""
    connection = connect(tmp_path, PRESETS["openai"], name="openai", OPENAI_API_KEY=KEY)
    assert KEY not in repr(connection)
    assert KEY not in f"{connection} {[connection]}"


def test_a_server_without_a_key_needs_none(tmp_path):
    """An endpoint that names no variable is reached without one."""
    assert connect(tmp_path, PRESETS["ollama"]).api_key is None


def test_a_missing_key_names_its_variable(tmp_path):
    """What is not set is told before anything is sent."""
    with pytest.raises(ConfigError, match="needs the variable OPENAI_API_KEY"):
        connect(tmp_path, PRESETS["openai"])


def test_an_address_may_come_from_a_variable(tmp_path):
    """An address that is no matter for a file is read from where the endpoint says."""
    endpoint = EndpointSettings(base_url_env="OFFICE_URL")
    connection = connect(tmp_path, endpoint, OFFICE_URL="https://llm.office/v1")
    assert connection.base_url == "https://llm.office/v1"


@pytest.mark.parametrize(
    "base_url",
    [
        "localhost:8000/v1",
        "llm.example.com/v1",
        "ftp://llm.example.com/v1",
        "http://",
        "http://host:port/v1",
        "http://[half/v1",
        f"http://{'a' * 70}.example/v1",
        "http://host:99999/v1",
    ],
)
def test_an_address_that_is_none_is_told_before_the_first_call(tmp_path, base_url):
    """A wrong `base_url` is a mistake in a file, and the message names the endpoint and an example."""
    with pytest.raises(ConfigError, match="The `base_url` of the endpoint 'office'") as caught:
        connect(tmp_path, EndpointSettings(base_url=base_url))
    assert "http://127.0.0.1:8000/v1" in caught.value.remedy


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:8000/v1", "https://[::1]:8000/v1", "http://müller.example/v1"]
)
def test_any_http_address_will_do(tmp_path, base_url):
    """Names, numbers and ports of all kinds are addresses."""
    assert connect(tmp_path, EndpointSettings(base_url=base_url)).base_url == base_url
