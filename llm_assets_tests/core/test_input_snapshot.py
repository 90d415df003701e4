from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.task import CleaningSettings
from llm_assets.core.input_snapshot import InputSnapshot, build_input_snapshot
from llm_assets.core.table import RawRow, RawTable
from llm_assets.core.values import Scalar
from llm_assets.errors import InputError

COLUMNS = ("id", "text")
PLAIN = CleaningSettings()
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), max_size=12)


def _snapshot(
    rows: Sequence[tuple[Scalar, ...]],
    *,
    columns=COLUMNS,
    cleaning=PLAIN,
    id_column=None,
    table_format="csv",
) -> InputSnapshot:
    table = RawTable(
        path="in/t.csv",
        format=table_format,
        encoding="utf-8",
        sha256="0" * 64,
        columns=columns,
        rows=(RawRow(line=line, cells=cells) for line, cells in enumerate(rows, start=2)),
    )
    return build_input_snapshot(table, cleaning=cleaning, id_column=id_column)


def _ids(snapshot: InputSnapshot) -> list[str]:
    return [row.row_id for row in snapshot.records]


def test_rows_and_meta():
    """Rows keep order, lines and cleaned values; the meta counts them and the cells that tokens emptied."""
    snapshot = _snapshot([(" 1", "None"), ("2", "  "), ("n/a", "x\ny")])
    assert [row.line for row in snapshot.records] == [2, 3, 4]
    assert [row.values for row in snapshot.records] == [
        {"id": "1", "text": ""},
        {"id": "2", "text": ""},
        {"id": "", "text": "x y"},
    ]
    meta = snapshot.meta
    assert (meta.input_path, meta.sha256, meta.format, meta.encoding) == (
        "in/t.csv",
        "0" * 64,
        "csv",
        "utf-8",
    )
    assert (meta.n_rows, meta.n_cols, meta.columns, meta.n_nulls) == (3, 2, COLUMNS, 2)


def test_no_rows():
    """A header alone gives a snapshot without records."""
    snapshot = _snapshot([])
    assert (snapshot.records, snapshot.meta.n_rows, snapshot.meta.n_cols) == ((), 0, 2)


def test_content_names_rows():
    """Equal content has one name with the number of its occurrence, and dirt makes no difference."""
    first, other, second, third = _ids(_snapshot([("1", "x"), ("1", "y"), ("1 ", "x"), ("1", "x")]))
    assert first != other
    assert (second, third) == (f"{first}-2", f"{first}-3")


def test_content_names_are_pinned():
    """The name of a row is the same in every version, because later artifacts refer to it."""
    assert _ids(_snapshot([("1", "x")])) == ["0ec8878371262b937781"]


def test_the_kind_of_a_value_is_part_of_the_content():
    """A number and its text name different rows, as they reach the model differently."""
    number, text, nothing, empty = _ids(_snapshot([(1, "x"), ("1", "x"), (None, "x"), ("", "x")]))
    assert len({number, text, nothing, empty}) == 4


@given(ROWS, st.randoms(use_true_random=False))
def test_order_does_not_change_names(rows, random):
    """Reordering rows reorders their names and makes no new ones; all names of a table differ."""
    shuffled = rows.copy()
    random.shuffle(shuffled)
    before, after = _ids(_snapshot(rows)), _ids(_snapshot(shuffled))
    assert sorted(before) == sorted(after)
    assert len(set(before)) == len(rows)
    for row_before, row_after in zip(rows, shuffled, strict=True):
        assert (row_before == row_after) == (
            before[rows.index(row_before)] == after[shuffled.index(row_after)]
        )


@given(ROWS, ROWS)
def test_adding_rows_keeps_the_names_before_them(rows, more):
    """Rows added at the end leave the names of all others as they were."""
    assert _ids(_snapshot(rows + more))[: len(rows)] == _ids(_snapshot(rows))


def test_the_id_column_names_rows():
    """With an id column the cleaned value is the name, a number in its plain spelling."""
    assert _ids(_snapshot([(" k1 ", "x"), (7, "x")], id_column="id")) == ["k1", "7"]


@pytest.mark.parametrize(
    ("rows", "table_format", "message"),
    [
        ([("a", "x"), ("", "x")], "csv", "in/t.csv, line 3: the id column 'id' is empty or holds"),
        (
            [("n/a", "x")],
            "csv",
            "in/t.csv, line 2: the id column 'id' is empty or holds a null token",
        ),
        ([(None, "x")], "jsonl", "in/t.csv, line 2: the id column 'id' is empty"),
        (
            [("a", "x"), (" a", "y")],
            "csv",
            "in/t.csv, line 3: the id column 'id' holds 'a', as line 2",
        ),
        (
            [("a", "x"), ("a", "y")],
            "xlsx",
            "in/t.csv, row 3: the id column 'id' holds 'a', as row 2",
        ),
        ([(1, "x"), ("1", "y")], "parquet", "record 3: the id column 'id' holds '1', as record 2"),
    ],
)
def test_ids_that_name_no_row_or_two(rows, table_format, message):
    """An id that is missing or there twice is refused with its place in the file."""
    with pytest.raises(InputError) as caught:
        _snapshot(rows, id_column="id", table_format=table_format)
    assert message in caught.value.what
    assert "`input.id_column`" in caught.value.remedy


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"id_column": "txt"}, "`input.id_column`"),
        (
            {"cleaning": CleaningSettings(null_tokens_by_column={"txt": ()})},
            "`cleaning.null_tokens_by_column`",
        ),
    ],
)
def test_settings_that_name_no_column(settings, named):
    """A column that the table does not have is an error that lists those it has."""
    with pytest.raises(InputError) as caught:
        _snapshot([("1", "x")], **settings)
    assert f"in/t.csv has no column 'txt', which {named} names" in caught.value.what
    assert "'id', 'text'" in caught.value.what
    assert "Did you mean 'text'?" in caught.value.remedy
