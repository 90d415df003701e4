import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.gateways.tables.typed_cells import (
    build_text_cell,
    build_typed_cell,
    build_whole_number,
)

CASES = [
    # value, as text, kept
    ("x", "x", "x"),
    (None, "", None),
    (True, "true", True),
    (7, "7", 7),
    (3.0, "3", 3.0),
    (-0.5, "-0.5", -0.5),
    (1e300, "1e+300", 1e300),
    (math.nan, "", None),
    (math.inf, "inf", "inf"),
    (Decimal("1.50"), "1.50", "1.50"),
    (Decimal("1E+3"), "1000", "1000"),
    (date(2026, 1, 2), "2026-01-02", "2026-01-02"),
    (
        datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "2026-01-02T03:04:00+00:00",
        "2026-01-02T03:04:00+00:00",
    ),
    (time(3, 4), "03:04:00", "03:04:00"),
    (timedelta(hours=30, seconds=5), "30:00:05", "30:00:05"),
    (-timedelta(minutes=1.5), "-0:01:30", "-0:01:30"),
    (timedelta(milliseconds=250), "0:00:00.25", "0:00:00.25"),
    ([date(2026, 1, 2), None, 1.5], '["2026-01-02",null,1.5]', '["2026-01-02",null,1.5]'),
    ({"b": 1, "a": [True]}, '{"a":[true],"b":1}', '{"a":[true],"b":1}'),
    ([("k", Decimal("0.1"))], '[["k","0.1"]]', '[["k","0.1"]]'),
    ("a\udc80b", "a\ufffdb", "a\ufffdb"),
]


@pytest.mark.parametrize(("value", "text", "kept"), CASES)
def test_values_of_typed_formats(value, text, kept):
    """Every type has one spelling as text, and what can be kept is kept with its type."""
    assert build_text_cell(value) == text
    built = build_typed_cell(value)
    assert (built, type(built)) == (kept, type(kept))


@pytest.mark.parametrize("value", [b"x", [b"x"], {"a": {1, 2}}, object()])
def test_values_that_no_cell_holds(value):
    """Bytes and foreign objects are refused in place of being spelled in some way."""
    for build in (build_text_cell, build_typed_cell):
        with pytest.raises(ValueError, match="it holds"):
            build(value)


@pytest.mark.parametrize(
    ("value", "number"),
    [(3.0, 3), (-2.0, -2), (0.5, 0.5), (2.0**60, 2.0**60), (math.inf, math.inf)],
)
def test_whole_numbers_of_float_formats(value, number):
    """A float becomes a whole number where it is exactly that one and no neighbour."""
    built = build_whole_number(value)
    assert (built, type(built)) == (number, type(number))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_every_cell_can_be_written_as_json(value):
    """Whatever JSON or parquet holds becomes a cell that strict JSON and UTF-8 can hold."""
    for build in (build_text_cell, build_typed_cell):
        json.dumps(build(value), allow_nan=False, ensure_ascii=False).encode()
