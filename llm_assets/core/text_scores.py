"""Which number a piece of text gives, and when it gives none."""

import re
from dataclasses import dataclass

from llm_assets.core.short_text import shorten_line

MAX_QUOTED_CHARS = 61
"""Sixty and the ellipsis. It goes back to the model: quoted otherwise, answered calls would be other calls."""

_NUMBER = (
    r"(?<![\w.,/])[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d{1,9})?|\d{1,15}(?:[.,]\d{1,9})?|\.\d{1,9})"
    r"(?![\w]|[.,]\d)"
)
_FOUND = re.compile(_NUMBER)
_OF_SCALE = re.compile(
    rf"({_NUMBER})\s{{0,3}}(?:/|\bout\s+of\b|\bof\b)\s{{0,3}}(\d{{1,9}}(?:[.,]\d{{1,9}})?)(?![\w/]|[.,]\d)",
    re.IGNORECASE,
)
_PERCENT = re.compile(rf"({_NUMBER})\s{{0,2}}(?:%|per\s?cent\b)", re.IGNORECASE)
_RANGE_AHEAD = re.compile(r"\s{0,3}(?:-|\u2013|\u2014|\bto\b|\.\.)\s{0,3}[-+]?\d", re.IGNORECASE)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_MARKS = str.maketrans({"\u2212": "-", "*": None, "_": None, "`": None})
"""A minus sign is a hyphen to `float`; marks of emphasis are nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Between which values a number has to lie; None where there is no bound."""

    low: float | None = None
    high: float | None = None
    is_integer: bool = False

    def __str__(self) -> str:
        """As messages say it."""
        low = "any number" if self.low is None else f"{self.low:g}"
        return f"{low} to {'any number' if self.high is None else f'{self.high:g}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoScore:
    """Why a text gives no number that can be taken."""

    problem: str


def read_score(text: str, bounds: Bounds) -> int | float | NoScore:
    """The number of a text such as `8/10`, `8 out of 10`, `-2`, `3.5`, `80%` or `8, because …`.

    A number is never moved to fit: out of its bounds, on another scale, one of several or not whole where it has to
    be, it is reported. Per cent are taken as a share where the upper bound is 1.
    """
    plain = _drop_scale(text.translate(_MARKS), bounds).strip()
    found = _find_score(plain, bounds)
    if isinstance(found, NoScore):
        return found
    if bounds.is_integer and found != int(found):
        return NoScore(problem=f"{found:g} is not a whole number")
    is_low = bounds.low is not None and found < bounds.low
    if is_low or (bounds.high is not None and found > bounds.high):
        return NoScore(problem=f"{found:.15g} is outside of {bounds}")
    return int(found) if bounds.is_integer else found


def _find_score(text: str, bounds: Bounds) -> float | NoScore:
    """The number the text begins with, else its only one; a scale or a per cent sign behind it counts."""
    numbers = list(_FOUND.finditer(text))
    if not numbers:
        return NoScore(problem=f"there is no number in {_quote(text)}")
    first = numbers[0]
    is_leading = not any(char.isalnum() for char in text[: first.start()])
    on_scale, percent = (
        [match for match in form.finditer(text) if not is_leading or match.start() == first.start()]
        for form in (_OF_SCALE, _PERCENT)
    )
    chosen = (on_scale or percent or numbers)[0]
    others = {match[0] for match in on_scale or percent or numbers} - {chosen[0]}
    if _RANGE_AHEAD.match(text, chosen.end()) or (others and not is_leading):
        return NoScore(problem=f"there are several numbers in {_quote(text)}")
    value = _parse(chosen[1] if on_scale or percent else chosen[0])
    if on_scale:
        return _read_on_scale(value, _parse(chosen[2]), bounds)
    return _read_percent(value, bounds) if percent else value


def _read_on_scale(value: float, scale: float, bounds: Bounds) -> float | NoScore:
    if bounds.high is not None and scale != bounds.high:
        return NoScore(problem=f"{value:g} of {scale:g} is on another scale than {bounds}")
    return value


def _read_percent(value: float, bounds: Bounds) -> float | NoScore:
    if bounds.high is None or bounds.high == 100:
        return value
    if bounds.high == 1:
        return value / 100
    return NoScore(problem=f"{value:g}% is on another scale than {bounds}")


def _drop_scale(text: str, bounds: Bounds) -> str:
    """The text without a mention of its bounds, such as `on a scale of 1 to 10`."""
    if bounds.low is None or bounds.high is None:
        return text
    low, high = (re.escape(f"{bound:g}") for bound in (bounds.low, bounds.high))
    return re.sub(
        rf"(?<![\w.,/-]){low}\s{{0,3}}(?:to|-|\u2013|\u2014|\.\.)\s{{0,3}}{high}(?![\w/]|[.,]\d)",
        " ",
        text,
    )


def _parse(number: str) -> float:
    if _THOUSANDS.fullmatch(number):
        return float(number.replace(",", ""))
    return float(number.replace(",", "."))


def _quote(text: str) -> str:
    shown = shorten_line(text, max_chars=MAX_QUOTED_CHARS)
    return f"`{shown}`" if shown else "an empty part"
