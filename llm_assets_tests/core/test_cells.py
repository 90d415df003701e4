import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.task import NULL_TOKENS, CleaningSettings
from llm_assets.core.cells import build_cell_rules, clean_cell, clean_cells, is_nulled, tidy_cell

DEFAULT = build_cell_rules(CleaningSettings(), column="a")
OFF = CleaningSettings(trim=False, flatten_whitespace=False, null_tokens=())
DIRTY = st.text(alphabet=" \t\n\r\v\u2028\xa0\\,;|aN/é").map(str)


@pytest.mark.parametrize(
    ("cell", "cleaned"),
    [
        ("  x ", "x"),
        ("\xa0x\u2003", "x"),
        ("a\nb", "a b"),
        ("a\r\nb\tc\u2028d", "a b c d"),
        ("a  \n\n  b", "a b"),
        ("a  b", "a  b"),
        ("a\xa0b\nc", "a\xa0b c"),
        ("None", ""),
        (" n/a\n", ""),
        ("[None]", ""),
        ("none of it", "none of it"),
        ("NA", "NA"),
        ("", ""),
        (r"foo\,bar", r"foo\,bar"),
        (None, None),
        (0, 0),
        (1.5, 1.5),
        (False, False),
    ],
)
def test_defaults(cell, cleaned):
    """Outer white space, breaks and null tokens go; everything else, and what is not text, stays."""
    built = clean_cell(cell, DEFAULT)
    assert (built, type(built)) == (cleaned, type(cleaned))


@pytest.mark.parametrize("token", NULL_TOKENS)
def test_every_null_token(token):
    """Each token of the list empties a cell, and a longer text that holds it stays."""
    assert clean_cell(token, DEFAULT) == ""
    assert clean_cell(f"{token}!", DEFAULT) == f"{token}!"


@pytest.mark.parametrize(
    ("switched_on", "cell", "cleaned"),
    [
        ({}, " a\tb\\,None ", " a\tb\\,None "),
        ({"trim": True}, " a\tb ", "a\tb"),
        ({"flatten_whitespace": True}, " a\t\nb ", " a b "),
        ({"null_tokens": ("-",)}, "-", ""),
        ({"null_tokens": ("-",)}, "None", "None"),
        ({"null_tokens": ("-",)}, " - ", " - "),
        ({"null_tokens": ("-",), "trim": True}, " - ", ""),
        ({"undo_escapes": True}, r"foo\,bar\;x\|y\n\\", r"foo,bar;x|y\n\\"),
        ({"undo_escapes": True, "null_tokens": ("a,b",)}, r"a\,b", ""),
    ],
)
def test_each_switch_alone(switched_on, cell, cleaned):
    """Every rule can be switched by itself and does nothing else."""
    rules = build_cell_rules(OFF.model_copy(update=switched_on), column="a")
    assert clean_cell(cell, rules) == cleaned


def test_null_tokens_of_one_column():
    """A column's own list stands in place of the general one, and an empty list keeps every label."""
    settings = CleaningSettings(null_tokens_by_column={"theme": (), "b": ("?",)})
    rules = [build_cell_rules(settings, column=column) for column in ("theme", "b", "c")]
    assert clean_cells(["N/A", "N/A", "N/A"], rules) == ["N/A", "N/A", ""]
    assert clean_cells(["?", "?", "?"], rules) == ["?", "", "?"]


@pytest.mark.parametrize(
    ("cell", "was_token"),
    [("None", True), (" NaN ", True), ("  ", False), ("", False), ("x", False), (None, False)],
)
def test_what_counts_as_nulled(cell, was_token):
    """Only a null token counts, not white space that was trimmed away."""
    assert is_nulled(cell, DEFAULT) is was_token


@given(DIRTY, st.booleans(), st.booleans())
def test_cleaning_twice_changes_nothing_more(text, trim, flatten_whitespace):
    """A cleaned cell is clean."""
    settings = CleaningSettings(trim=trim, flatten_whitespace=flatten_whitespace)
    rules = build_cell_rules(settings, column="a")
    once = clean_cell(text, rules)
    assert clean_cell(once, rules) == once


@given(DIRTY)
def test_only_white_space_is_touched(text):
    """Tidying moves no letter, and leaves no break and no outer white space."""
    tidied = tidy_cell(text, DEFAULT)
    assert "".join(tidied.split()) == "".join(text.split())
    assert tidied == tidied.strip()
    assert len(tidied.splitlines()) <= 1
    assert "\t" not in tidied
