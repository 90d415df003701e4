import pytest

from llm_assets.core.ids import BatchKey, RowId, WorkId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.trace_choice import (
    build_ambiguous_error,
    find_line_item,
    find_named,
    find_row_item,
)
from llm_assets.core.work_items import WorkItem
from llm_assets.errors import InputError

MAY = BatchKey("may")


def build_work(number, *rows):
    return WorkItem(
        work_id=WorkId(f"w{number}"),
        row_ids=tuple(RowId(f"r{row}") for row in rows),
        group_key=None,
        group_context_id=None,
        values={},
        occurrence=0,
        cuts=(),
    )


def build_snapshot(*lines):
    meta = InputMeta(
        input_path="may.csv",
        sha256="a" * 64,
        format="csv",
        encoding=None,
        n_rows=len(lines),
        n_cols=1,
        columns=("a",),
        n_nulls=0,
    )
    rows = (
        InputRow(row_id=RowId(f"r{at}"), line=line, values={"a": at})
        for at, line in enumerate(lines)
    )
    return InputSnapshot(meta=meta, records=tuple(rows))


SNAPSHOT = build_snapshot(2, 3, 6)
WORKS = (build_work(1, 0, 2), build_work(2, 1))


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        ("ab", ("abc", "abc-2", "abd")),
        ("abd", ("abd",)),
        ("abc", ("abc",)),
        ("abc-", ("abc-2",)),
        ("x", ()),
    ],
)
def test_the_beginning_of_a_name(beginning, found):
    """A name that is there means itself, although others begin so; else all that begin so."""
    assert find_named(["abc", "abc-2", "abd"], beginning) == found


@pytest.mark.parametrize(("number", "work_id"), [(1, "w1"), (2, "w2"), (3, "w1")])
def test_an_item_by_its_row(number, work_id):
    """Rows are counted below the header; a group answers for each of its rows."""
    assert find_row_item(WORKS, SNAPSHOT, number=number, batch=MAY).work_id == work_id


@pytest.mark.parametrize(
    ("line", "work_id"), [(2, "w1"), (3, "w2"), (4, "w2"), (5, "w2"), (6, "w1")]
)
def test_an_item_by_its_line(line, work_id):
    """Any line of a row that has several means that row."""
    assert find_line_item(WORKS, SNAPSHOT, line=line, batch=MAY).work_id == work_id


@pytest.mark.parametrize("number", [0, 4])
def test_a_row_that_is_not_there(number):
    """The message says how rows are counted."""
    with pytest.raises(InputError, match="below the header, from 1 to 3"):
        find_row_item(WORKS, SNAPSHOT, number=number, batch=MAY)


@pytest.mark.parametrize("line", [1, 7])
def test_a_line_that_is_not_there(line):
    """The header is no row, and after the last row nothing is known."""
    with pytest.raises(InputError, match=f"line {line} of may.csv.*line 2.*line 6"):
        find_line_item(WORKS, SNAPSHOT, line=line, batch=MAY)
    with pytest.raises(InputError, match="has no rows"):
        find_line_item((), build_snapshot(), line=line, batch=MAY)


def test_a_name_that_means_several():
    """The message says which, or in which batches the one item is."""
    two = build_ambiguous_error("a", [(MAY, WorkId("ab")), (MAY, WorkId("ac"))])
    assert "ab (may), ac (may)" in str(two)
    one = build_ambiguous_error("a", [(MAY, WorkId("ab")), (BatchKey("june"), WorkId("ab"))])
    assert "june, may" in str(one)
    assert "--batch" in str(one)
