"""Whatever a schema asks for, the answer is valid under it."""

import datetime as dt
import enum
import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model

from llm_assets.gateways.offline_model.content import Content
from llm_assets.gateways.offline_model.filling import Filling
from llm_assets.gateways.offline_model.focus import parse_focus
from llm_assets.gateways.offline_model.schema_reading import parse_shape

TICKET = (
    "subject: Charged twice\nbody: I was charged 2 times, 19.90 each. Refund one, please!\nid: T-77"
)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    kind: Literal["leaf"]
    value: int


class Node(BaseModel):
    kind: Literal["node"]
    children: list["Node"]
    left: Union[Leaf, "Node"]
    right: Optional["Node"] = None


def fill(schema: dict, text: str = TICKET, *, is_echo: bool = False) -> object:
    content = Content(focus=parse_focus(text))
    return Filling(content=content, is_echo=is_echo).fill(parse_shape(json.dumps(schema)))


def fill_model(
    model: type[BaseModel], text: str = TICKET, *, is_echo: bool = False
) -> dict[str, Any]:
    answer = json.dumps(fill(model.model_json_schema(), text, is_echo=is_echo), ensure_ascii=False)
    return model.model_validate_json(answer, strict=True).model_dump()


def build_bounded_text(low: int, span: int):
    return Annotated[str, Field(min_length=low, max_length=low + span)]


def build_integer(low: int, step: int, *, is_open: bool):
    if is_open:
        return Annotated[int, Field(gt=low, lt=low + 2 * step + 1, multiple_of=step)]
    return Annotated[int, Field(ge=low, le=low + step, multiple_of=step)]


def build_number(low: float, span: float, *, is_open: bool):
    if is_open:
        return Annotated[float, Field(gt=low, lt=low + span)]
    return Annotated[float, Field(ge=low, le=low + span)]


PLAIN_TYPES = st.one_of(
    st.sampled_from(
        [
            str,
            int,
            float,
            bool,
            None,
            Colour,
            Literal["low", "high"],
            Literal[1, "one"] | None,
            dt.date,
            dt.datetime,
            dt.time,
            dt.timedelta,
            uuid.UUID,
            Node,
            Annotated[str, Field(pattern=r"^[A-Z]{2,3}-\d{4}$")],
            Annotated[str, Field(pattern=r"^(low|mid|high)( risk)?$", min_length=6)],
            Annotated[str, Field(pattern=r"\w+@\w+\.(com|org)")],
            Annotated[float, Field(multiple_of=0.25, ge=1.1, le=2)],
        ]
    ),
    st.builds(build_bounded_text, st.integers(0, 60), st.integers(0, 30)),
    st.builds(build_integer, st.integers(-50, 50), st.integers(1, 9), is_open=st.booleans()),
    st.builds(build_number, st.floats(-9, 9), st.floats(0.01, 9), is_open=st.booleans()),
)


def extend_types(inner: st.SearchStrategy):
    sizes = st.integers(0, 5)
    return st.one_of(
        inner.map(lambda kind: Optional[kind]),  # noqa: UP045 -- built while the test runs
        st.tuples(inner, inner).map(lambda pair: Union[pair]),  # noqa: UP007
        st.tuples(inner, inner).map(lambda pair: tuple[pair]),
        st.builds(
            lambda kind, n: Annotated[list[kind], Field(min_length=n, max_length=n + 1)],
            inner,
            sizes,
        ),
        st.builds(lambda kind, n: Annotated[dict[str, kind], Field(min_length=n)], inner, sizes),
        inner.map(lambda kind: dict[Colour, kind]),
        st.builds(lambda kind, low: build_model({"inner": kind, "after": low}), inner, inner),
    )


def build_model(fields: Mapping[str, object]) -> type[BaseModel]:
    members: dict[str, Any] = {name: (kind, ...) for name, kind in fields.items()}
    return create_model("Made", __config__=ConfigDict(extra="forbid"), **members)


NAMES = [
    "summary",
    "keywords",
    "question",
    "confidence",
    "score",
    "is_urgent",
    "name",
    "total",
    "x",
]
MODELS = st.dictionaries(
    st.sampled_from(NAMES), st.recursive(PLAIN_TYPES, extend_types, max_leaves=4), max_size=4
).map(build_model)


@settings(max_examples=150, deadline=None)
@given(model=MODELS, text=st.one_of(st.just(TICKET), st.text(max_size=200)), is_echo=st.booleans())
def test_every_answer_is_valid_under_its_model(model: type[BaseModel], text: str, *, is_echo: bool):
    """Pydantic, in strict mode, takes every answer, whatever the schema and whatever the content."""
    fill_model(model, text, is_echo=is_echo)


@pytest.mark.parametrize(
    "kind",
    [
        Annotated[set[int], Field(min_length=4)],
        Annotated[set[Annotated[int, Field(ge=3, le=8)]], Field(min_length=6)],
        Annotated[set[str], Field(min_length=40)],
        Annotated[set[bool | None], Field(min_length=3)],
        Annotated[set[Colour], Field(min_length=2)],
        Annotated[set[Annotated[str, Field(max_length=1)]], Field(min_length=9)],
        Annotated[set[Annotated[str, Field(pattern=r"^[ab]\d$")]], Field(min_length=12)],
        Annotated[set[dt.date], Field(min_length=5)],
    ],
    ids=lambda kind: str(kind.__args__[0]) + str(kind.__metadata__[0].metadata),
)
def test_members_of_a_set_differ(kind: object):
    """As many different values as the schema asks for are found, where there are so many."""
    fill_model(build_model({"sentiment": kind}))


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"const": 7}, 7),
        ({"enum": [None]}, None),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 0}, []),
        ({"type": ["null", "integer"], "minimum": 5, "maximum": 5}, 5),
        (
            {"type": "array", "prefixItems": [{"const": 1}, {"const": "b"}], "items": False},
            [1, "b"],
        ),
        ({"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 3}]}, 3),
        ({"oneOf": [{"type": "null"}, {"const": "x"}]}, "x"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"const": 1}}}, 1),
        ({"type": "object", "required": ["a"], "additionalProperties": {"const": 1}}, {"a": 1}),
        ({"minimum": 4, "maximum": 4}, 4),
        ({"type": "number", "description": "How many (minimum: 9, maximum: 9)"}, 9),
    ],
)
def test_keywords_that_leave_one_value_give_that_value(schema: dict, answer: object):
    """References, combinations and bounds are all read, also bounds that only the description names."""
    assert fill(schema) == answer


def test_members_come_in_the_order_of_the_schema():
    """Where confidence is decided last, it is still written where the schema has it."""
    model = build_model({"confidence": float, "category": Literal["billing", "bug"], "note": str})
    assert list(fill_model(model)) == ["confidence", "category", "note"]


def test_confidence_follows_how_clear_the_choice_was():
    """A text full of one category's words is answered with more confidence than one with none."""
    model = build_model({"category": Literal["billing", "bug"], "confidence": float})
    clear = fill_model(model, "body: The invoice was paid, yet my card was charged; refund it.")
    vague = fill_model(model, "body: Good morning from Lisbon.")
    assert 0.5 <= vague["confidence"] < clear["confidence"] <= 0.95


def test_an_average_is_computed_over_the_rows():
    """`average_rating` is the mean of the rows' `rating`."""
    rows = "rating: 5\ncomment: fine course\n\nrating: 2\ncomment: too slow for me"
    assert fill_model(build_model({"average_rating": float}), rows)["average_rating"] == 3.5


def test_a_number_of_the_text_within_bounds_answers_a_sum():
    """A field that asks for an integer gets one that the text has, the first that the bounds allow."""
    model = build_model({"answer": Annotated[int, Field(ge=10)]})
    assert fill_model(model, "question: Of 3 hens each lays 16 eggs; 4 break.")["answer"] == 16


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("is_acceptable", "body: awful", True),
        ("is_urgent", "body: our production is down", True),
        ("is_urgent", "body: a small wish", False),
        ("has_complaint", "body: the worst and rudest support", True),
        ("mentions_refund", "body: please send the refund", True),
        ("mentions_refund", "body: all is well", False),
    ],
)
def test_a_truth_value_follows_from_the_text(name: str, text: str, *, answer: bool):
    """Verdicts are favourable; other questions are answered by the words of the text."""
    assert fill_model(build_model({name: bool}), text)[name] is answer


def test_echo_repeats_the_content_cut_to_size():
    """Free text fields hold the content; choices are made as ever."""
    model = build_model(
        {"note": str, "short": Annotated[str, Field(max_length=9)], "kind": Literal["bug", "other"]}
    )
    echo = fill_model(model, "body: The printer is broken.", is_echo=True)
    assert echo == {
        "note": "The printer is broken.",
        "short": "The prin…",
        "kind": "bug",
    }


def test_a_list_ends_where_the_text_does():
    """Without a least length it is not filled up with the same sentence and a number behind it."""
    model = build_model({"weaknesses": list[str], "strengths": list[str]})
    rows = "to_improve: The second book was expensive\nwent_well: Many dialogues in each lesson"
    assert fill_model(model, rows) == {
        "weaknesses": ["The second book was expensive"],
        "strengths": ["Many dialogues in each lesson"],
    }


def test_a_list_that_the_prompt_has_is_copied():
    """Each field of the list's name is a member, once, in that order, as far as the schema offers it."""
    model = build_model(
        {
            "headings": Annotated[list[str], Field(max_length=2)],
            "blocks": list[Literal["text", "table", "stamp"]],
        }
    )
    page = "heading: Rent\nheading: Terms\nheading: Rent\nheading: Late fees"
    page += (
        "\nblock: stamp\nblock: text\nblock: drawing\nbody: Rent is due on the first of a month."
    )
    assert fill_model(model, page) == {"headings": ["Rent", "Terms"], "blocks": ["stamp", "text"]}
