import pytest

from llm_assets.config.grouping import ContextSettings
from llm_assets.core.context import (
    Cut,
    cut_values,
    decide_visible_columns,
    render_row_block,
)
from llm_assets.core.ids import RowId
from llm_assets.core.safe_cells import render_cell
from llm_assets.errors import ConfigError

COLUMNS = ("title", "Body", "author")
ROW_ID = RowId("r1")


@pytest.mark.parametrize(
    ("settings", "visible"),
    [
        ({}, ("title", "Body", "author")),
        ({"include": ("author", "title")}, ("title", "author")),
        ({"exclude": ("Body",)}, ("title", "author")),
        ({"hidden": ("Body", "label")}, ("title", "author")),
        ({"hidden": ("Body",), "exclude": ("title",)}, ("author",)),
        ({"order": "alphabetical"}, ("author", "Body", "title")),
        ({"include": ("title", "Body"), "order": "alphabetical"}, ("Body", "title")),
        ({"include": ("title", "title")}, ("title",)),
    ],
)
def test_visible_columns(settings, visible):
    """The lists decide which columns are seen, `order` alone decides how they follow each other."""
    assert decide_visible_columns(COLUMNS, ContextSettings(**settings)) == visible


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("include", ContextSettings(include=("title", "autor"))),
        ("exclude", ContextSettings(exclude=("title", "autor"))),
    ],
)
def test_unknown_column_is_named_with_its_neighbours(key, settings):
    """A misspelt column is an error that says which setting, which name, what was meant and what there is."""
    with pytest.raises(ConfigError) as caught:
        decide_visible_columns(COLUMNS, settings)
    message = str(caught.value)
    assert f"`context.{key}` names 'autor'" in message
    assert "Did you mean 'author'?" in message
    assert "'title', 'Body', 'author'" in message


def test_excluding_every_column_is_an_error():
    """A model that would see nothing is a mistake to mend, not an item to pay for."""
    with pytest.raises(ConfigError, match=r"`context\.exclude` leaves the model no column"):
        decide_visible_columns(COLUMNS, ContextSettings(exclude=COLUMNS))
    with pytest.raises(ConfigError, match="and the hidden columns leave the model no column"):
        decide_visible_columns(COLUMNS, ContextSettings(hidden=COLUMNS))


def test_table_without_columns_has_nothing_to_decide():
    """A table that has no columns is empty, whatever the settings name."""
    assert decide_visible_columns((), ContextSettings(include=("title",))) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("{{ 7*7 }}", "{{ 7*7 }}"),
        (" as it is\n", " as it is\n"),
        ("", ""),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
    ],
)
def test_scalars_as_text(value, text):
    """Text stays as it is, nothing stays nothing, the rest is spelled as in JSON."""
    assert render_cell(value) == text


def test_row_block_has_a_line_for_each_column_in_the_given_order():
    """A row block names every column once, in order, without a blank behind the name of an empty cell."""
    values = {"a": "x: y", "b": None, "c": True, "d": ""}
    assert render_row_block(values, ("c", "a", "b", "d")) == "c: true\na: x: y\nb:\nd:"


def test_longer_texts_are_cut_and_recorded():
    """A text over the limit keeps its beginning and leaves a record; one at the limit and a number stay whole."""
    values = {"long": "abcdef", "just": "abcd", "number": 123456, "hidden": "abcdef"}
    kept, cuts = cut_values(values, columns=("number", "long", "just"), max_chars=4, row_id=ROW_ID)
    assert kept == {"number": 123456, "long": "abcd", "just": "abcd"}
    assert cuts == (Cut(column="long", row_id=ROW_ID, n_chars=6, n_chars_kept=4),)


def test_without_a_limit_nothing_is_cut():
    """No limit keeps every value of the visible columns, and the very same texts."""
    text = "x" * 10_000
    kept, cuts = cut_values({"a": text, "b": 1}, columns=("a",), max_chars=None, row_id=ROW_ID)
    assert kept == {"a": text}
    assert kept["a"] is text
    assert cuts == ()
