import pytest

from llm_assets.config.export import ExportColumnSettings
from llm_assets.core.export_choice import decide_columns
from llm_assets.core.export_columns import (
    ExportColumn,
    build_input_columns,
    build_status_columns,
    build_unique_names,
)
from llm_assets.errors import ConfigError

AVAILABLE = build_unique_names(
    [
        *build_input_columns(["id", "text"], []),
        ExportColumn(name="mood", source="output", path=("mood",), kind="text"),
        ExportColumn(name="score", source="output", path=("score",), kind="integer"),
        *build_status_columns("row"),
    ]
)
STATUS = [column.name for column in build_status_columns("row")]


def choose(*chosen, is_rehearsal=False):
    return decide_columns(
        AVAILABLE,
        chosen=[ExportColumnSettings.model_validate(choice) for choice in chosen],
        is_rehearsal=is_rehearsal,
    )


def choose_names(*chosen, is_rehearsal=False):
    return [column.name for column in choose(*chosen, is_rehearsal=is_rehearsal)]


def refuse(*chosen):
    with pytest.raises(ConfigError) as caught:
        choose(*chosen)
    return caught.value


def test_nothing_chosen_is_everything():
    """Without a choice all columns are there: input, output, status."""
    assert choose() == AVAILABLE


def test_a_column_takes_its_new_name_and_type_and_keeps_its_place_of_origin():
    """`as` and `type` change what the files show, not where the values come from."""
    (column,) = choose({"column": "mood", "as": "Mood", "type": "json"})
    assert (column.name, column.kind) == ("Mood", "json")
    assert (column.source, column.path) == ("output", ("mood",))


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (("status", "id"), ["status", "id"]),
        (("score", "*"), ["score", "id", "text", "mood", *STATUS]),
        (("output.*", "id"), ["mood", "score", "id"]),
        (("input.*", "status"), ["id", "text", "status"]),
        (("judge.*", "id"), ["id"]),
        (
            ({"column": "id", "as": "no"}, "output.*", "*"),
            ["no", "mood", "score", "text", *STATUS],
        ),
        (("output.*", "mood"), ["score", "mood"]),
        ((*STATUS, "*"), [*STATUS, "id", "text", "mood", "score"]),
        (("id", {"column": "id", "as": "again"}), ["id", "again"]),
    ],
)
def test_patterns_stand_for_what_is_not_named(chosen, names):
    """`*` is every column that the list does not name, `<source>.*` those of one source, each once."""
    assert choose_names(*chosen) == names


def test_unknown_choices_are_told_at_once():
    """One error names every wrong choice, the likely meaning, and all columns there are."""
    error = refuse("statsu", "xyz", {"column": "output.*", "as": "x"})
    assert "'statsu'. Did you mean 'status'?" in error.what
    assert "'xyz'." in error.what
    assert "'output.*' stands for many columns" in error.what
    assert "cost_usd, answered_by" in error.remedy


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        (("error", "error"), "error"),
        (("id", {"column": "mood", "as": "id"}), "id"),
        (({"column": "mood", "as": "text"}, "input.*"), "text"),
    ],
)
def test_two_columns_of_one_name_are_refused(chosen, name):
    """A name that would stand twice in the header is named."""
    assert f"two columns would be named {name!r}" in refuse(*chosen).what


@pytest.mark.parametrize(
    ("is_rehearsal", "chosen", "names"),
    [
        (False, ("error", "status"), ["error", "status"]),
        (True, ("error", "status"), ["error", "status", "answered_by"]),
        (True, ("answered_by", "status"), ["answered_by", "status"]),
        (True, ({"column": "answered_by", "as": "who"}, "id"), ["who", "id"]),
        (True, ({"column": "id", "as": "answered_by"},), ["answered_by", "status.answered_by"]),
    ],
)
def test_rehearsal_is_always_marked(is_rehearsal, chosen, names):
    """Columns come as chosen; only a rehearsal adds who answered."""
    assert choose_names(*chosen, is_rehearsal=is_rehearsal) == names
