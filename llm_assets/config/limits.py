"""How fast an endpoint may be asked, and what may be spent."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from llm_assets.config.base import Settings


class LimitSettings(Settings):
    """How fast and how patiently the endpoint is asked."""

    max_in_flight: Annotated[int, Field(ge=1)] | None = None
    """Requests under way at once; 1 is strictly one after the other.

    Where it is not given, their number is found by trying, up to the endpoint's own limit.
    """
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Requests that leave in a minute; what the endpoint says of itself where it is not given."""
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Tokens that leave and come back in a minute; what the endpoint says of itself where it is not given."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 120.0
    """The whole of a call, from sending to the last byte."""
    fault_retries: Annotated[int, Field(ge=0)] = 5
    """How often one call is sent again after a passing fault of the provider."""
    backoff_seconds: Annotated[float, Field(gt=0)] = 1.0
    """The first wait after a fault; each further one is up to twice as long."""
    max_backoff_seconds: Annotated[float, Field(gt=0)] = 60.0
    """The longest wait, unless the provider asks for a longer one."""
    warm_up: bool = True
    """Whether one call of each long beginning that prompts share goes first, so that the others find it cached.

    Holds for endpoints that cache prefixes (`caches_prefixes`); no call is added, but the others wait for that one.
    """
    progress_seconds: Annotated[float, Field(gt=0)] = 5.0
    """How often a run says how far it is."""


class BudgetSettings(Settings):
    """What may be spent. What does not fit is left out and runs next time."""

    per_run_usd: Annotated[Decimal, Field(gt=0)] | None = None
    """US dollars for one run of one batch."""
    per_day_usd: Annotated[Decimal, Field(gt=0)] | None = None
    """US dollars for a day in UTC, over all tasks and runs of this ledger, also those that run at the same time."""
    per_run_tokens: Annotated[int, Field(ge=1)] | None = None
    """Tokens for one run of one batch; works for a model without a known price, too."""
    warn_at: Annotated[float, Field(gt=0, le=1)] = 0.8
    """The share of a cap from which on a run warns."""

    @property
    def is_capped(self) -> bool:
        """Whether there is any cap at all."""
        return (self.per_run_usd, self.per_day_usd, self.per_run_tokens) != (None, None, None)
