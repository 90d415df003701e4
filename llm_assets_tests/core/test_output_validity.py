from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, computed_field, field_validator

from llm_assets.core.answers import ValidAnswer, parse_answer
from llm_assets.core.output_validity import reads_what_it_writes, validate_outputs


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Part(Closed):
    name: str
    weight: float = 1.0


class Plain(Closed):
    title: str
    mood: Literal["good", "bad"] | None = None
    on: date
    price: Decimal | None
    tags: frozenset[str] = frozenset()
    parts: tuple[Part, ...] = ()

    @field_validator("title")
    @classmethod
    def _tidy(cls, value: str) -> str:
        return value.strip()


class Computed(Closed):
    n: int = Field(ge=0)

    @computed_field
    @property
    def double(self) -> int:
        return 2 * self.n


class TwoAliases(Closed):
    n: int = Field(ge=0, validation_alias="read", serialization_alias="written")


class Serialized(Closed):
    n: Annotated[int, PlainSerializer(str, return_type=str)] = Field(ge=0)


class Holder(Closed):
    inner: Computed


ANSWERS: dict[type[BaseModel], str] = {
    Plain: '{"title": " a ", "on": "2026-03-01", "price": 1.5, "tags": ["b", "a"], "parts": [{"name": "p"}]}',
    Computed: '{"n": 2}',
    TwoAliases: '{"read": 2}',
    Serialized: '{"n": 2}',
    Holder: '{"inner": {"n": 2}}',
}


def parse_output(model: type[BaseModel]):
    answer = parse_answer(ANSWERS[model], model)
    assert isinstance(answer, ValidAnswer)
    return answer.output


def test_what_the_schema_made_of_an_answer_is_valid_under_it():
    """Dates, decimals, sets, defaults and nested models pass again in the form in which they are kept."""
    assert [v.state for v in validate_outputs([parse_output(Plain)], Plain)] == ["valid"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"mood": "fair"}, "`mood`"),
        ({"on": "yesterday"}, "`on`"),
        ({"price": "much"}, "`price`"),
        ({"more": 1}, "`more`"),
        ({"parts": [{"name": 1}]}, "`parts.0.name`"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(change, problem):
    """An output that the schema would not take from a model is invalid, the others beside it are not."""
    good = parse_output(Plain)
    validities = validate_outputs([good, {**good, **change}], Plain)
    assert [validity.state for validity in validities] == ["valid", "invalid"]
    assert problem in validities[1].problem


@pytest.mark.parametrize("model", [Computed, TwoAliases, Serialized, Holder])
def test_a_schema_that_does_not_read_what_it_writes_proves_nothing(model: type[BaseModel]):
    """A good output of such a schema is not called invalid."""
    assert not reads_what_it_writes(model)
    assert [v.state for v in validate_outputs([parse_output(model)], model)] == ["unknown"]


@pytest.mark.parametrize("model", [Plain, Part])
def test_most_schemas_read_what_they_write(model: type[BaseModel]):
    """Defaults and decimals look different in the two forms, and still the one reads the other."""
    assert reads_what_it_writes(model)
