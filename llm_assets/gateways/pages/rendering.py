"""How a page becomes one HTML file that needs nothing else and runs nothing but its own script."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import JsonValue

from llm_assets.core.assessment_text import (
    list_gaps,
    list_notes,
    list_shown_groups,
    render_interval,
    render_score,
    render_total,
)
from llm_assets.core.gate_text import list_people_notes, name_route
from llm_assets.core.llm_outputs import Totals
from llm_assets.core.money import render_cost
from llm_assets.gateways import pages

if TYPE_CHECKING:
    from jinja2 import Environment

_HARMFUL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""What HTML cannot hold: control characters and half characters."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""Not by the machine's language, so that a page is the same everywhere."""


def render_page(template: str, *, style: str, scripts: Iterable[str], **values: object) -> str:
    """Fill a template of this folder; every value in it is text, whatever it looks like.

    The page's own style and its scripts, joined into one, stand inside of it. A content policy allows these two by
    their hashes and nothing else, so that a text which found its way into the page as HTML would still do and fetch
    nothing.
    """
    own_style, own_script = _read(style), "".join(map(_read, scripts))
    policy = (
        f"default-src 'none'; style-src '{_hash(own_style)}'; script-src '{_hash(own_script)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page = _build_environment().get_template(template)
    return page.render(style=own_style, script=own_script, policy=policy, **values)


@cache
def _build_environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_replace_harmful,
    )
    environment.filters.update(_FILTERS)
    return environment


@cache
def _read(name: str) -> str:
    return files(pages).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _replace_harmful(value: object) -> object:
    if (
        type(value) is not str
    ):  # what is marked as HTML is ours, and was made without such characters
        return value
    return _HARMFUL.sub("\ufffd", value)


def render_number(value: float) -> str:
    """A count with thousands apart."""
    return f"{value:,}"


def render_percent(share: float) -> str:
    """A share of one; a small one is not shown as nothing."""
    return f"{share:.1%}" if share >= 0.001 or share == 0 else "< 0.1%"


def render_totals_cost(totals: Totals) -> str:
    """What calls cost, also where some of their prices are not known."""
    return render_cost(
        totals.cost_usd, n_calls=totals.n_calls, n_calls_unpriced=totals.n_calls_unpriced
    )


def render_when(time: datetime) -> str:
    """A time for people, in UTC, to the minute."""
    return f"{time.day} {_MONTHS[time.month - 1]} {time:%Y, %H:%M}"


def render_pretty(value: JsonValue) -> str:
    """A value as indented JSON."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


def render_plain(value: JsonValue) -> str:
    """A value as people read it: text as it is, a list with a line for each entry, what is nested deeper as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, dict) and _is_flat(value.values()):
        return "\n".join(_list_fields(value))
    if isinstance(value, list) and _is_flat(value):
        return "\n".join(f"• {render_plain(each)}" for each in value)
    if isinstance(value, list) and all(
        isinstance(each, dict) and _is_flat(each.values()) for each in value
    ):
        return "\n".join(
            f"• {' · '.join(_list_fields(each))}" for each in value if isinstance(each, dict)
        )
    return render_pretty(value)


def _is_flat(values: Iterable[JsonValue]) -> bool:
    return not any(isinstance(each, list | dict) for each in values)


def _list_fields(values: Mapping[str, JsonValue]) -> list[str]:
    """Of an object without lists and objects in it, such as `name: Ana`; what is empty says nothing."""
    return [f"{name}: {render_plain(each)}" for name, each in values.items() if each is not None]


def render_path(path: str) -> str:
    """A relative path as an address."""
    return quote(path, errors="replace")


_FILTERS: Mapping[str, Callable[..., object]] = {
    "number": render_number,
    "percent": render_percent,
    "when": render_when,
    "pretty": render_pretty,
    "plain": render_plain,
    "path": render_path,
    "cost": render_totals_cost,
    "score": render_score,
    "route": name_route,
    "people_notes": list_people_notes,
    "interval": render_interval,
    "total": render_total,
    "notes": list_notes,
    "gaps": list_gaps,
    "shown_groups": list_shown_groups,
}
"""What templates do with a value beyond Jinja's own."""
