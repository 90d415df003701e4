import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.export_values import ColumnKind
from llm_assets.core.review_cells import (
    EXACT_INTEGERS,
    Unreadable,
    build_cell,
    is_cut,
    is_same,
    read_value,
)
from llm_assets.core.review_columns import ReviewColumn

SAME = {
    "whole number": (4, 4.0),
    "number as text": (0.5, "0.5"),
    "fewer digits": (0.30000000000000004, 0.3),
    "text of a number": ("4", 4),
    "boolean as text": (True, "TRUE"),
    "line ends": ("a\r\nb\rc", "a\nb\nc"),
    "nothing": (None, ""),
}
OTHER = {
    "another number": (4, 5),
    "a small change": (0.5, 0.5001),
    "no number": (4, "four"),
    "emptied number": (4, None),
    "emptied text": ("a", None),
    "filled": (None, "a"),
    "another text": ("a", "b"),
    "a space more": ("a", "a "),
    "a number made of a text": ("007", 7),
    "the other boolean": (True, False),
    "zero for nothing": (None, 0),
    "true for one": (1, True),
}


@pytest.mark.parametrize(("written", "found"), SAME.values(), ids=SAME.keys())
def test_what_a_program_rewrote_is_no_edit(written, found):
    """Only what a person must have done counts."""
    assert is_same(build_cell(written), found)


@pytest.mark.parametrize(("written", "found"), OTHER.values(), ids=OTHER.keys())
def test_what_a_person_changed_is_an_edit(written, found):
    """However small it is."""
    assert not is_same(build_cell(written), found)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_a_cell_is_the_same_as_itself(value):
    """Whatever the value is, an untouched cell is untouched."""
    cell = build_cell(value)
    assert is_same(cell, cell)
    assert is_same(cell, float(cell) if type(cell) is int else cell)


READ: dict[str, tuple[ColumnKind, bool, object, object]] = {
    "text": ("text", False, " a ", " a "),
    "number in a text": ("text", False, 4.0, "4"),
    "boolean in a text": ("text", False, True, "true"),
    "emptied text": ("text", False, None, ""),
    "emptied text that may be none": ("text", True, None, None),
    "integer": ("integer", False, 4.0, 4),
    "integer as text": ("integer", False, " 4 ", 4),
    "number": ("number", False, 0.25, 0.25),
    "number as text": ("number", False, "0.25", 0.25),
    "emptied number": ("number", False, None, None),
    "boolean": ("boolean", False, True, True),
    "boolean as text": ("boolean", False, "FALSE", False),
    "boolean as a number": ("boolean", False, 1, True),
    "day": ("date", False, "2026-03-01", "2026-03-01"),
    "day as a moment": ("date", False, "2026-03-01T00:00:00", "2026-03-01"),
    "moment as a day": ("datetime", False, "2026-03-01", "2026-03-01T00:00:00"),
    "list": ("json", False, '["a", 1]', ["a", 1]),
    "number in a union": ("json", False, 4.0, 4),
    "boolean in a union": ("json", False, True, True),
    "text in a union": ("json", False, "plain", "plain"),
}


@pytest.mark.parametrize(("kind", "is_nullable", "cell", "value"), READ.values(), ids=READ.keys())
def test_a_cell_is_read_as_its_column(kind, is_nullable, cell, value):
    """The schema's type decides what a cell means, not the program's."""
    column = ReviewColumn(name="x", role="output", kind=kind, is_nullable=is_nullable)
    found = read_value(cell, column)
    assert (found, type(found)) == (value, type(value))


UNREADABLE: dict[str, tuple[ColumnKind, object, str]] = {
    "comma": ("number", "0,8", "'0,8' is not a number such as 0.8"),
    "fraction": ("integer", 4.5, "'4.5' is not a whole number"),
    "word": ("boolean", "maybe", "'maybe' is not true or false"),
    "another day": ("date", "1.3.2026", "'1.3.2026' is not a day such as 2026-03-01"),
    "open list": ("json", "[1", "it is not valid JSON ("),
    "no number of JSON": ("json", "[NaN]", "it is not valid JSON (NaN is no number of JSON)"),
}


@pytest.mark.parametrize(("kind", "cell", "sentence"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_said(kind, cell, sentence):
    """In words that a person can act on."""
    found = read_value(cell, ReviewColumn(name="x", role="output", kind=kind))
    assert isinstance(found, Unreadable)
    assert found.sentence.startswith(sentence)


def test_a_choice_keeps_its_type():
    """A choice that is a number or looks like one comes back as what the schema lists."""
    column = ReviewColumn(name="x", role="output", kind="json", choices=("1", 2, True))
    assert [read_value(cell, column) for cell in (1, "2", " TRUE")] == [
        "1",
        2,
        Unreadable("' TRUE' is none of: 1, 2, true."),
    ]


def test_long_values_are_cut_and_large_numbers_are_text():
    """A cell holds 32,767 characters, and a number's first 15 digits."""
    assert build_cell(EXACT_INTEGERS) == str(EXACT_INTEGERS)
    assert is_cut(["x" * 40_000])
    assert not is_cut("x" * 32_000)
    assert not is_cut("_x0041_")
    assert is_same(build_cell("x" * 40_000), build_cell("x" * 40_000))
