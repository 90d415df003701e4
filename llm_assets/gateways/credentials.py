"""With which address and key is an endpoint reached?"""

import re

from pydantic import SecretStr

from llm_assets.config.endpoint import EndpointSettings
from llm_assets.errors import ConfigError
from llm_assets.gateways.project import Project


def read_secret(env_name: str, *, project: Project, endpoint: str) -> SecretStr:
    """The key in the variable `env_name`, from the environment or `.env`.

    `ConfigError` names the variable and the endpoint that asks for it, never a value.
    """
    value = _read_variable(env_name, key="api_key_env", project=project, endpoint=endpoint)
    if not value.isascii() or not value.isprintable():
        what = f"The variable {env_name} holds characters that no key has."
        raise ConfigError(what, remedy="Copy the key again, without quotes around it.")
    return SecretStr(value)


def read_api_key(endpoint: EndpointSettings, *, name: str, project: Project) -> SecretStr | None:
    """The key of the endpoint called `name`; None where it asks for none."""
    if endpoint.api_key_env is None:
        return None
    return read_secret(endpoint.api_key_env, project=project, endpoint=name)


def read_base_url(endpoint: EndpointSettings, *, name: str, project: Project) -> str:
    """The address of the endpoint called `name`, from its settings or from the variable that they name."""
    if endpoint.base_url is not None:
        return endpoint.base_url
    env_name = endpoint.base_url_env or ""
    return _read_variable(env_name, key="base_url_env", project=project, endpoint=name)


def _read_variable(env_name: str, *, key: str, project: Project, endpoint: str) -> str:
    value = (project.find_variable(env_name) or "").strip()
    if value:
        return value
    # A key that was pasted in place of a variable's name must not come out in a message.
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", env_name):
        what = f"The endpoint {endpoint!r} has a `{key}` that names no variable which is set."
        remedy = "Write the variable's name there, such as OPENAI_API_KEY, and its value into .env."
        raise ConfigError(what, remedy=remedy)
    what = f"The endpoint {endpoint!r} needs the variable {env_name}, which is not set or empty."
    remedy = (
        f"Set it in the environment, or add the line `{env_name}=…` to .env in the project folder."
    )
    raise ConfigError(what, remedy=remedy)
