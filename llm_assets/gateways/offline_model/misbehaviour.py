"""Which troubles the offline endpoint makes on purpose, and when."""

import hashlib
from dataclasses import dataclass, fields
from typing import Literal, get_args

from llm_assets.errors import ConfigError, suggest

Trouble = Literal[
    "rate_limited",
    "server_errors",
    "resets",
    "slow",
    "hanging",
    "cut_off",
    "invalid_json",
    "refusals",
    "wrong_content_type",
    "cut_bodies",
]
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """Shares of requests, from 0 to 1, that meet a trouble; none does by default.

    Which requests they are depends on the seed, the request's bytes and how often it came, so that the same run
    meets the same troubles and a request that is sent again may be served. A request meets one trouble at most.
    """

    rate_limited: float = 0
    """Status 429 with a `Retry-After` header."""
    server_errors: float = 0
    """Status 500 or 503."""
    resets: float = 0
    """The connection breaks in the middle of the reply."""
    slow: float = 0
    """A right answer, after `slow_seconds`."""
    hanging: float = 0
    """No answer until the client gives up."""
    cut_off: float = 0
    """Half an answer, with finish reason `length`."""
    invalid_json: float = 0
    """Half an answer that claims to be whole."""
    refusals: float = 0
    """A refusal, or nothing and finish reason `content_filter`."""
    wrong_content_type: float = 0
    """Status 200 with a page of HTML."""
    cut_bodies: float = 0
    """Status 200 with half of a body."""
    seed: int = 0
    """Another seed, other requests that meet trouble."""
    latency_seconds: float = 0
    """How long every answer takes."""
    slow_seconds: float = 5
    """How long slow answers take in addition."""
    retry_after_seconds: float = 1
    """What a reply with status 429 asks for."""
    max_in_flight: int = 0
    """More requests than this at once get status 429; 0 is no limit."""

    def __post_init__(self) -> None:
        for switch in fields(self):
            value: float = getattr(self, switch.name)
            highest = 1 if switch.name in TROUBLES else float("inf")
            if not 0 <= value <= highest:
                wish = "a share from 0 to 1" if highest == 1 else "0 or more"
                raise ConfigError(
                    f"The offline model cannot have {switch.name}={value:g}.",
                    remedy=f"Give {wish}.",
                )
        total: float = sum(getattr(self, trouble) for trouble in TROUBLES)
        if total > 1 + 1e-9:
            raise ConfigError(
                f"The offline model's troubles add up to {total:g}, more than all requests.",
                remedy="Lower some of the shares: a request meets one trouble at most.",
            )

    @property
    def has_troubles(self) -> bool:
        """Whether any request can meet one."""
        return any(getattr(self, trouble) for trouble in TROUBLES)


GOOD_BEHAVIOUR = Misbehaviour()


def parse_misbehaviour(text: str) -> Misbehaviour:
    """Read `rate_limited=0.05,slow=0.1`; an empty text is good behaviour.

    A `ConfigError` names a switch that there is not, with those there are, or a value that is no number.
    """
    switches = {switch.name: switch.type for switch in fields(Misbehaviour)}
    values: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in switches:
            raise ConfigError(
                f"The offline model has no switch {name!r}. {suggest(name, switches)}".strip(),
                remedy=f"Use some of: {', '.join(switches)}.",
            )
        values[name] = _parse_number(name, value, is_whole=switches[name] is int)
    return Misbehaviour(**values)  # pyright: ignore[reportArgumentType] -- whole numbers were read as int


def _parse_number(name: str, value: str, *, is_whole: bool) -> float:
    try:
        return int(value) if is_whole else float(value)
    except ValueError as exc:
        kind = "whole number" if is_whole else "number"
        raise ConfigError(
            f"The offline model's switch {name!r} has the value {value!r}.",
            remedy=f"Write a {kind}, as in `{name}={1 if is_whole else 0.1}`.",
        ) from exc


def decide_trouble(behaviour: Misbehaviour, digest: str, *, times_asked: int) -> Trouble | None:
    """The trouble that a request meets when it comes for the `times_asked`-th time."""
    spelled = f"{behaviour.seed}:{times_asked}:{digest}".encode()
    draw = int.from_bytes(hashlib.sha256(spelled).digest()[:7]) / 2**56
    for trouble in TROUBLES:
        draw -= getattr(behaviour, trouble)
        if draw < 0:
            return trouble
    return None
