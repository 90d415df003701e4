import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.export_values import is_of_kind, read_as

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "wanted", "read"),
    [
        ("007", "integer", 7),
        ("-12", "integer", -12),
        ("3.0", "integer", 3),
        (7.0, "integer", 7),
        (" 4 ", "integer", 4),
        ("1.5", "number", 1.5),
        ("15", "number", 15),
        ("1e3", "number", 1000.0),
        ("Yes", "boolean", True),
        ("0", "boolean", False),
        (1, "boolean", True),
        ("2026-03-01", "date", "2026-03-01"),
        ("2026-03-01", "datetime", "2026-03-01T00:00:00"),
        ("2026-03-01T10:00:00Z", "datetime", "2026-03-01T10:00:00Z"),
        ("2026-03-01 10:00", "datetime", "2026-03-01 10:00"),
        ('{"a": [1]}', "json", {"a": [1]}),
        (True, "text", "true"),
        (0.5, "text", "0.5"),
        (["a", 1], "text", '["a",1]'),
        ("", "text", ""),
        ("", "integer", None),
        ("  ", "json", None),
        (None, "boolean", None),
    ],
)
def test_what_a_value_is_read_as(value, wanted, read):
    """Text becomes the type that is wanted; blank text is a value that is not there, unless text is wanted."""
    result = read_as(value, wanted)
    assert result == read
    assert type(result) is type(read)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("five", "integer"),
        ("1.5", "integer"),
        ("1_000", "integer"),
        ("٣", "integer"),
        ("9" * 5000, "integer"),
        ("NaN", "number"),
        ("1e999", "number"),
        ("1,5", "number"),
        ("perhaps", "boolean"),
        (2, "boolean"),
        ("2026-02-30", "date"),
        ("20260301", "date"),
        ("2026-W09-7", "date"),
        ("2026-03-01T10:00", "date"),
        ("2026-03-01T25:00", "datetime"),
        ("NaN", "json"),
        ("{", "json"),
        ("[" * 100_000, "json"),
    ],
)
def test_a_value_that_cannot_be_read_stays_as_it_is(value, wanted):
    """Nothing is bent, rounded or dropped to fit a type; such a value is not of the kind."""
    assert read_as(value, wanted) == value
    assert wanted == "json" or not is_of_kind(value, wanted)


@given(
    value=JSON, wanted=st.sampled_from(["text", "integer", "number", "boolean", "date", "datetime"])
)
def test_reading_gives_the_kind_or_the_value(value, wanted):
    """What comes out is of the kind or what went in, and reading it again changes nothing."""
    read = read_as(value, wanted)
    assert is_of_kind(read, wanted) or read == value
    assert read_as(read, wanted) == read


@pytest.mark.parametrize(
    ("value", "kind", "is_one"),
    [
        (True, "integer", False),
        (True, "number", False),
        (1, "boolean", False),
        ("0.0015", "decimal", True),
        ("NaN", "decimal", False),
        (0.5, "decimal", False),
        ([1], "text", False),
        ([1], "json", True),
    ],
)
def test_kinds_are_told_apart(value, kind, is_one):
    """A boolean is no number and a number no boolean; an exact number is text."""
    assert is_of_kind(value, kind) is is_one
