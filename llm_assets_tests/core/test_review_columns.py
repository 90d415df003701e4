from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from llm_assets.core.output_forms import OutputForm
from llm_assets.core.review_columns import build_review_columns


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    depth: int = Field(gt=0, le=9)


class Wide(BaseModel):
    label: Literal["a", "b"]
    maybe: Literal["a", "b"] | None
    none_too: Literal["a", None]  # noqa: PYI061 -- another form of the same in a schema
    color: Color
    color_or_none: Color | None = None
    always: Literal["x"]
    level: Literal[1, 2]
    text: str = "default"
    text_or_none: str | None = None
    price: Decimal
    inner: Inner
    anything: Any
    numbers: list[int] = []


COLUMNS = {
    column.name: column
    for column in build_review_columns(("id", "label"), (OutputForm(None, Wide),))
}
CHOICES = {
    "label": (("a", "b"), False),
    "maybe": (("a", "b"), True),
    "none_too": (("a",), True),
    "color": (("red", "blue"), False),
    "color_or_none": (("red", "blue"), True),
    "always": (("x",), False),
    "level": ((1, 2), False),
    "text": ((), False),
    "text_or_none": ((), True),
    "price": ((), False),
    "inner.depth": ((), False),
    "anything": ((), True),
    "numbers": ((), False),
}


@pytest.mark.parametrize("name", CHOICES)
def test_a_column_knows_what_its_field_takes(name):
    """The choices there are, and whether an empty cell means that there is no value, come from the schema."""
    column = COLUMNS[name]
    assert (column.choices, column.is_nullable) == CHOICES[name]
    assert column.is_editable


def test_the_columns_stand_in_their_order():
    """Ids, input, output, what the gate saw, and what a person fills in; an input's name gives way."""
    assert list(COLUMNS) == [
        "work_id",
        "input_sha256",
        "id",
        "input.label",
        *CHOICES,
        "gate_value",
        "why",
        "decision",
        "note",
        "reviewer",
    ]


def test_bounds_come_from_the_schema():
    """Those that hold for the value itself; what else the schema says is checked when the workbook comes back."""
    depth = COLUMNS["inner.depth"]
    assert (depth.minimum, depth.maximum) == (None, 9.0)
    assert (depth.about or "").startswith("more than 0")
