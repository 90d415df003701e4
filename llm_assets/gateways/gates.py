"""Which calls wait at the same gate."""

from collections.abc import Callable
from dataclasses import dataclass, field

from llm_assets.config.task import LimitSettings
from llm_assets.core.concurrency import build_concurrency
from llm_assets.core.rate_limit import RateLimit
from llm_assets.gateways.clock import Clock
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.gate import Gate


@dataclass(slots=True, kw_only=True)
class Gates:
    """One gate for each endpoint, also where several steps and their judges share one."""

    limits: LimitSettings
    clock: Clock
    note_wait: Callable[[str], None]
    by_address: dict[str, Gate] = field(default_factory=dict[str, Gate])

    def find(self, connection: Connection) -> Gate:
        """The gate of an endpoint."""
        gate = self.by_address.get(connection.base_url)
        if gate is None:
            gate = self.by_address[connection.base_url] = self._build(connection)
        return gate

    def _build(self, connection: Connection) -> Gate:
        limits = self.limits
        own_ceiling = limits.max_in_flight
        return Gate(
            concurrency=build_concurrency(
                ceiling=own_ceiling or connection.endpoint.max_in_flight,
                is_fixed=own_ceiling is not None or connection.endpoint.is_offline,
            ),
            rate=RateLimit(
                requests_per_minute=limits.requests_per_minute,
                tokens_per_minute=limits.tokens_per_minute,
            ),
            clock=self.clock,
            note_wait=self.note_wait,
        )
