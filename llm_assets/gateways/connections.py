"""How a task's endpoint is reached: address, key and price, all known before the first call."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from llm_assets.config.embed import EmbedSettings
from llm_assets.config.endpoint import EndpointSettings
from llm_assets.config.task import LLMSettings
from llm_assets.errors import ConfigError
from llm_assets.gateways.credentials import read_api_key, read_base_url
from llm_assets.gateways.price_catalog import ComputeCost, find_price
from llm_assets.gateways.project import Project

TROUBLES_VARIABLE = "LLM_ASSETS_OFFLINE_TROUBLES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Everything that sending a call takes, beside the call."""

    name: str
    """The endpoint's name in the config."""
    endpoint: EndpointSettings
    base_url: str
    api_key: str | None
    compute_cost: ComputeCost
    offline_troubles: str = ""
    """What the offline model is told to do wrong, as in `rate_limited=0.05`; nothing to any other endpoint."""

    def __repr__(self) -> str:
        """Without the key, which must not come out in any log."""
        return f"Connection({self.name!r}, {self.base_url!r})"


def build_connection(
    llm: LLMSettings | EmbedSettings,
    endpoint: EndpointSettings,
    *,
    project: Project,
    needs_key: bool = True,
) -> Connection:
    """Read what the endpoint needs; `ConfigError` names a variable that is not set and an address that is none.

    Who sends nothing needs no key.
    """
    name = llm.endpoint
    base_url = read_base_url(endpoint, name=name, project=project)
    _check_address(base_url, name=name)
    api_key = read_api_key(endpoint, name=name, project=project) if needs_key else None
    return Connection(
        name=name,
        endpoint=endpoint,
        base_url=base_url,
        api_key=None if api_key is None else api_key.get_secret_value(),
        compute_cost=find_price(llm, endpoint, base_url=base_url),
        offline_troubles=project.find_variable(TROUBLES_VARIABLE) or "",
    )


def _check_address(base_url: str, *, name: str) -> None:
    """The address itself stays out of the message: it may hold a password."""
    try:
        parts = urlsplit(base_url)
        parts.port  # noqa: B018 -- raises where it is no number
        (parts.hostname or "").encode("idna")
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise ConfigError(
            f"The `base_url` of the endpoint {name!r} is no http:// or https:// address.",
            remedy="Write it up to and including the version, such as `http://127.0.0.1:8000/v1`.",
        )
