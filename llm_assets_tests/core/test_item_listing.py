import pytest

from llm_assets.core.ids import BatchKey
from llm_assets.core.item_columns import (
    ItemColumn,
    build_item_record,
    choose_columns,
    list_default_names,
    parse_column_names,
    read_column,
)
from llm_assets.core.item_listing import ItemOrder, build_listing, parse_outcomes
from llm_assets.core.llm_outputs import OUTCOMES
from llm_assets.errors import InputError
from llm_assets_tests.core.test_report import build_attempt, build_item, build_verdict
from llm_assets_tests.core.test_report_items import build_sources

ITEMS = (
    build_item(0, output={"label": "ok", "deep": {"score": 3}}, verdict={"reason": "well said"}),
    build_item(1, outcome="invalid", reason="score: not a number"),
    build_item(2, outcome="failed", reason="HTTP 500", attempts=()),
)


def list_items(*items, outcomes=(), order: ItemOrder = "rows"):
    return build_listing(
        BatchKey("may"),
        build_sources(*items).snapshot,
        items,
        telling_columns=("b",),
        outcomes=parse_outcomes(outcomes),
        order=order,
    )


def read(items, *names):
    """The values of these columns, item by item."""
    columns = choose_columns(names, [each.item for each in items], input_columns=("a", "b"))
    return [[read_column(listed, column) for column in columns] for listed in items]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ((), OUTCOMES),
        (("failed",), ("failed",)),
        (("failed", "invalid", "failed"), ("failed", "invalid")),
        (("not_accepted",), OUTCOMES[1:]),
        (("not_accepted", "accepted"), OUTCOMES),
    ],
)
def test_outcomes_asked_for(asked, wanted):
    """None means all, several add up, and `not_accepted` is everything else than accepted."""
    assert parse_outcomes(asked) == set(wanted)


def test_an_unknown_outcome_is_told():
    """The message names the outcome that was meant."""
    with pytest.raises(InputError, match=r"'faild'.*Did you mean 'failed'"):
        parse_outcomes(["faild"])


@pytest.mark.parametrize(("order", "numbers"), [("rows", [1, 2, 3]), ("failures", [2, 3, 1])])
def test_order(order, numbers):
    """The rows' own, or the items that need a look first."""
    assert [listed.number for listed in list_items(*ITEMS, order=order)] == numbers


def test_only_the_outcomes_asked_for_are_listed():
    """An item keeps the number of its row, whatever is left out before it."""
    assert [listed.number for listed in list_items(*ITEMS, outcomes=["failed"])] == [3]


def test_values_of_an_item():
    """Its own, those of its row and those of its output and verdict, nested ones by their path."""
    items = list_items(*ITEMS)
    names = ("row", "line", "outcome", "attempts", "tokens", "cost_usd", "a", "deep.score")
    assert read(items, *names, "judge.reason")[0] == [1, 2, "accepted", 1, 1_050, "0.01", 0, 3, "well said"]  # fmt: skip
    assert read(items, "outcome", "reason", "answer", "label")[1] == [
        "invalid",
        "score: not a number",
        "score: not a number",
        None,
    ]


def test_a_call_counts_once():
    """Where two answers brought the same call to the judge, it was paid once; an unknown price makes all unknown."""
    calls = (build_attempt("1", key="a"), build_verdict("j", verdict=True, cost="2"))
    (twice,) = list_items(build_item(0, attempts=(*calls, calls[1])))
    (unknown,) = list_items(build_item(0, attempts=(*calls, build_attempt(None, key="b"))))
    assert read([twice], "cost_usd", "attempts", "tokens") == [["3", 1, 2_100]]
    assert read([unknown], "cost_usd", "attempts") == [[None, 2]]


def test_names_the_export_uses_are_understood():
    """Who has the export open finds its columns here by the same names."""
    names = ("status", "error", "group_key")
    assert read(list_items(*ITEMS), *names)[1] == ["invalid", "score: not a number", None]


def test_a_name_with_its_source_means_one_thing():
    """A table's column called like a field or like a value of ours is still to be had."""
    item = build_item(0, output={"a": "field", "row": "field"})
    (values,) = read(list_items(item), "a", "input.a", "output.a", "row", "output.row")
    assert values == [0, 0, "field", 1, "field"]


def test_unknown_columns_are_told():
    """All of them, each with what may have been meant, and the names there are."""
    with pytest.raises(InputError, match=r"'lable'.*'label'.*'nonsense'.*Choose from: batch, row") as caught:  # fmt: skip
        read(list_items(*ITEMS), "lable", "nonsense")
    assert "deep.score" in str(caught.value)


def test_a_field_can_be_asked_for_where_nothing_was_accepted():
    """Nobody knows the fields then; the cells are empty."""
    assert read(list_items(ITEMS[1]), "output.label", "output.deep.score") == [[None, None]]
    with pytest.raises(InputError):
        read(list_items(ITEMS[1]), "label")


def test_a_group_has_no_values_of_a_row():
    """It says how many rows it has and where they start."""
    (listed,) = list_items(build_item(1, 2, group="blue"))
    assert read([listed], "a", "line", "group", "input") == [[None, [3, 4], "blue", "2 rows"]]
    assert build_item_record(listed, input_columns=("a",))["input"] is None


def test_what_is_shown_by_default():
    """The batch where there are several, the group where there are groups."""
    rows, groups = list_items(ITEMS[0]), list_items(build_item(1, 2, group="blue"))
    assert "batch" not in list_default_names(rows)
    assert "group" not in list_default_names(rows)
    assert "group" in list_default_names(groups)
    other = build_listing(
        BatchKey("june"),
        build_sources(ITEMS[0]).snapshot,
        ITEMS[:1],
        telling_columns=(),
        outcomes=frozenset(OUTCOMES),
        order="rows",
    )
    assert list_default_names((*rows, *other))[0] == "batch"


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ((), ()),
        (("a,b", "c"), ("a", "b", "c")),
        ((" a , b ,",), ("a", "b")),
        (('"x, y",a',), ("x, y", "a")),
        (("a,a",), ("a",)),
    ],
)
def test_names_in_lists(texts, names):
    """Commas separate names; quotes hold one together; a name given twice is one column."""
    assert parse_column_names(texts) == names


def test_everything_of_an_item():
    """The record for scripts has input and output, each whole."""
    (listed, *_) = list_items(*ITEMS)
    record = build_item_record(listed, input_columns=("a", "b"))
    assert record["output"] == ITEMS[0].output
    assert record["input"] == listed.rows[0].values
    assert (record["row"], record["line"], record["row_ids"]) == (1, 2, ["r0"])
    assert read_column(listed, ItemColumn(name="x", source="judge", path=("none",))) is None
