"""How a shape is filled from a text, so that the result is always valid under its schema."""

from dataclasses import dataclass, field
from typing import assert_never

from pydantic import JsonValue

from llm_assets.core.fingerprint import render_json
from llm_assets.gateways.offline_model.choices import rank_options
from llm_assets.gateways.offline_model.content import Content, read_numbers
from llm_assets.gateways.offline_model.lexicon import build_stems
from llm_assets.gateways.offline_model.numbers import (
    find_variant,
    fit_number,
    is_within,
    place_on_scale,
)
from llm_assets.gateways.offline_model.roles import Role, decide_role
from llm_assets.gateways.offline_model.shapes import (
    About,
    AnyOf,
    Choice,
    Member,
    Number,
    Record,
    Sequence,
    Shape,
    Text,
    Truth,
)
from llm_assets.gateways.offline_model.texts import build_text, fit_text

ITEMS_BY_ROLE: dict[Role, int] = {"keyword": 4, "question": 3, "name": 3}
DEFAULT_ITEMS = 2
"""How long a list is where the schema does not say."""
EXTRA_MEMBERS = 2
LAST_VARIANT = 32
"""After so many values of a set, null may be one of them."""
LEAST_CONFIDENCE = 0.5
CONFIDENCE_SPAN = 0.45


_SCALES: frozenset[Role] = frozenset({"certainty", "urgency", "rating", "mood"})
NO_NAME = About()
"""Of a value that is no member of anything."""
NULL = Choice(options=(None,))


@dataclass(slots=True)
class Filling:
    """One answer in the making."""

    content: Content
    is_echo: bool = False
    """Whether free texts repeat the content instead of telling about it."""
    _margins: list[float] = field(default_factory=list[float])
    """How clear the choices were that were made so far."""

    def fill(self, shape: Shape, about: About = NO_NAME, nth: int = 0) -> JsonValue:
        """A value of that shape; another `nth` gives another value where the shape has several."""
        match shape:
            case Text():
                return self._fill_text(shape, about, nth)
            case Number():
                return self._fill_number(shape, about, nth)
            case Choice():
                return self._fill_choice(shape, about, nth)
            case Truth():
                return self._decide_truth(about) is (nth % 2 == 0)
            case Sequence():
                return self._fill_sequence(shape, about, nth)
            case Record():
                return self._fill_record(shape, nth)
            case AnyOf():
                return self._fill_any(shape, about, nth)
            case _:
                assert_never(shape)

    def _fill_text(self, shape: Text, about: About, nth: int) -> str:
        if self.is_echo and shape.pattern is None and shape.format is None:
            mark = f" {nth + 1}" if nth else ""
            return fit_text(f"{self.content.text}{mark}", shape, nth)
        return build_text(about, shape, self.content, nth)

    def _fill_choice(self, shape: Choice, about: About, nth: int) -> JsonValue:
        if len(shape.options) == 1:
            return shape.options[0]
        ranking = rank_options(shape.options, about, self.content)
        self._margins.append(ranking.margin)
        return ranking.options[nth % len(ranking.options)]

    def _fill_number(self, shape: Number, about: About, nth: int) -> float:
        value = self._choose_number(shape, about, nth)
        if value is None:
            value = self._choose_number(shape, about, 0) or 0.0
            value = find_variant(value, shape, nth)
        return fit_number(value, shape)

    def _choose_number(self, shape: Number, about: About, nth: int) -> float | None:
        """The number that the field's role or the text gives; None where there are not so many."""
        role = decide_role(about)
        if role in _SCALES:
            return self._measure(role, shape, about) if nth == 0 else None
        given = read_numbers(self.content.get_field(about.name) or "")
        found = [number for number in (*given, *self.content.numbers) if is_within(number, shape)]
        if nth < len(found):
            return found[nth]
        if nth == 0 and role == "count":
            return float(len(self.content.focus.fields) or len(self.content.sentences))
        return None

    def _measure(self, role: Role, shape: Number, about: About) -> float:
        if role == "certainty":
            return place_on_scale(self._confidence, shape, low=0, high=1)
        if role == "urgency":
            return place_on_scale(0.8 if self.content.is_urgent else 0.4, shape, low=1, high=5)
        ratings = self.content.list_field_numbers(about.name)
        if ratings:
            return round(sum(ratings) / len(ratings), 2)
        return place_on_scale(0.5 + self.content.mood / 2.5, shape, low=1, high=5)

    @property
    def _confidence(self) -> float:
        margin = sum(self._margins) / len(self._margins) if self._margins else 0.0
        return LEAST_CONFIDENCE + CONFIDENCE_SPAN * margin

    def _decide_truth(self, about: About) -> bool:
        """A verdict is favourable; anything else is true where the text speaks of it."""
        role = decide_role(about)
        if role == "verdict":
            return True
        if role == "urgency":
            return self.content.is_urgent
        if role == "criticism":
            return self.content.mood < 0
        name = build_stems(about.name.replace("_", " "))
        return bool(name & self.content.stems)

    def _fill_sequence(self, shape: Sequence, about: About, nth: int) -> list[JsonValue]:
        values = [self.fill(each, about, nth) for each in shape.first]
        n_wanted = ITEMS_BY_ROLE.get(decide_role(about), DEFAULT_ITEMS)
        n_items = max(
            shape.min_items, n_wanted if shape.max_items is None else min(n_wanted, shape.max_items)
        )
        if shape.rest is None:
            return values
        if nth == 0 and not shape.first and not self.is_echo:
            values = self._copy_members(shape.rest, about)[: shape.max_items]
            n_items = max(shape.min_items, len(values)) if values else n_items
        seen = {render_json(value) for value in values}
        for variant in range(nth, nth + 4 * n_items + LAST_VARIANT):
            if len(values) >= n_items:
                break
            value = self.fill(shape.rest, about, variant)
            spelling = render_json(value)
            is_spare = len(values) >= shape.min_items and _is_makeshift(value, values)
            if spelling not in seen and not is_spare:
                seen.add(spelling)
                values.append(value)
        while len(values) < shape.min_items and not shape.is_unique:
            values.append(self.fill(shape.rest, about))
        return values

    def _copy_members(self, shape: Shape, about: About) -> list[JsonValue]:
        """The members that stand in the prompt, each in a field of the list's name."""
        given = self.content.list_field_values(about.name) if about.name else ()
        if isinstance(shape, Choice):
            return [each for each in given if each in shape.options]
        if not isinstance(shape, Text) or shape.pattern is not None or shape.format is not None:
            return []
        members = (fit_text(each, shape, place) for place, each in enumerate(given))
        return list(dict.fromkeys(members))

    def _fill_record(self, shape: Record, nth: int) -> dict[str, JsonValue]:
        """Members in the order of the schema; how sure the answer is of itself is decided last."""
        record: dict[str, JsonValue] = {member.name: None for member in shape.members}
        for member in sorted(shape.members, key=_is_about_certainty):
            record[member.name] = self.fill(member.shape, member.about, nth)
        if shape.extra is not None and shape.key is not None:
            self._add_extra_members(record, shape, shape.key, shape.extra)
        return record

    def _add_extra_members(
        self, record: dict[str, JsonValue], shape: Record, key: Shape, extra: Shape
    ) -> None:
        n_wanted = EXTRA_MEMBERS if not shape.members else 0
        n_most = n_wanted if shape.max_members is None else min(n_wanted, shape.max_members)
        n_members = max(n_most, shape.min_members)
        for variant in range(4 * n_members + LAST_VARIANT):
            if len(record) >= n_members:
                break
            name = str(self.fill(key, About(name="keyword"), variant))
            if name not in record:
                record[name] = self.fill(extra, About(name=name), variant)

    def _fill_any(self, shape: AnyOf, about: About, nth: int) -> JsonValue:
        """The first option, then the others in turn; null only where nothing else is left."""
        *others, last = shape.options
        options = others if last == NULL else shape.options
        if last == NULL and nth >= LAST_VARIANT:
            return None
        variant, place = divmod(nth, len(options))
        return self.fill(options[place], about, variant)


def _is_about_certainty(member: Member) -> bool:
    return decide_role(member.about) == "certainty"


def _is_makeshift(value: JsonValue, others: list[JsonValue]) -> bool:
    """Whether a value only fills a list that must be longer: null, or another one with a number behind it."""
    if isinstance(value, str):
        return any(value.startswith(other) for other in others if isinstance(other, str))
    return value is None
