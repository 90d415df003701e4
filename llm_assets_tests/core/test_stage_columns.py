"""The columns of the stages before the model; real stages are put side by side in defs/test_metadata.py."""

import pytest

from llm_assets.config.grouping import Mode
from llm_assets.core.ids import RowId, WorkId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.stage_columns import (
    ItemNames,
    StageColumn,
    build_context_columns,
    build_item_columns,
    build_snapshot_columns,
    name_item_columns,
)
from llm_assets.core.values import Scalar
from llm_assets.core.work_items import WorkItem, WorkItems, WorkItemsMeta


def build_snapshot(**values: Scalar) -> InputSnapshot:
    columns = tuple(values)
    meta = InputMeta(
        input_path="in.csv",
        sha256="0",
        format="csv",
        encoding=None,
        n_rows=1,
        n_cols=len(columns),
        columns=columns,
        n_nulls=0,
    )
    return InputSnapshot(meta=meta, records=(InputRow(row_id=RowId("r"), line=2, values=values),))


def build_meta(*columns: str, mode: Mode = "row", grouping: str | None = None) -> WorkItemsMeta:
    return WorkItemsMeta(
        mode=mode,
        grouping_column=grouping,
        columns=columns,
        n_items=1,
        n_rows=1,
        n_group_contexts=0,
    )


def build_items(meta: WorkItemsMeta, **values: Scalar) -> WorkItems:
    item = WorkItem(
        work_id=WorkId("w"),
        row_ids=(),
        group_key=None,
        group_context_id=None,
        values=values,
        occurrence=0,
        cuts=(),
    )
    return WorkItems(meta=meta, records=(item,))


def list_origins(column: StageColumn) -> list[str]:
    return [f"{origin.stage}.{origin.column}" for origin in column.origins]


def test_the_columns_of_a_snapshot_are_those_of_the_file():
    """Each comes from the column of its name; the one that names the rows is filled and unique."""
    columns = build_snapshot_columns(build_snapshot(id="1", n=1.5, text="a"), id_column="id")
    assert [(column.name, column.kind) for column in columns] == [
        ("id", "text"),
        ("n", "number"),
        ("text", "text"),
    ]
    assert [list_origins(column) for column in columns] == [
        ["input_file.id"],
        ["input_file.n"],
        ["input_file.text"],
    ]
    assert [column.is_filled and column.is_unique for column in columns] == [True, False, False]


def test_a_groups_text_comes_from_the_columns_the_model_may_see():
    """The key comes from the grouping column, the text from what is shown; the counts are the stage's own."""
    columns = build_context_columns("team", shown=("a", "b"))
    assert {column.name: list_origins(column) for column in columns if column.origins} == {
        "group_key": ["input_snapshot.team"],
        "text": ["input_snapshot.a", "input_snapshot.b"],
    }


@pytest.mark.parametrize(
    ("meta", "names"),
    [
        (
            build_meta("a"),
            ItemNames(values=("a",), work_id="work_id", group_key=None, n_rows="n_rows"),
        ),
        (
            build_meta("work_id", "status.work_id"),
            ItemNames(
                values=("work_id", "status.work_id"),
                work_id="status.status.work_id",
                group_key=None,
                n_rows="n_rows",
            ),
        ),
        (
            build_meta("a", mode="row_output_with_group_context", grouping="team"),
            ItemNames(values=("a",), work_id="work_id", group_key="group_key", n_rows="n_rows"),
        ),
        (
            build_meta("a", "work_id", mode="group_output", grouping="team"),
            ItemNames(values=(), work_id="work_id", group_key="group_key", n_rows="n_rows"),
        ),
    ],
)
def test_no_two_columns_of_the_items_have_one_name(meta: WorkItemsMeta, names: ItemNames):
    """The input's columns keep their names; an item that is a whole group shows none of them."""
    assert name_item_columns(meta) == names


def test_an_item_comes_from_all_that_the_model_sees_of_it():
    """Its name stands for its content: the row's columns and its group, or the text of the whole group."""
    columns = build_item_columns(build_items(build_meta("a", "b"), a="x", b=1))
    assert {column.name: list_origins(column) for column in columns} == {
        "work_id": ["input_snapshot.a", "input_snapshot.b"],
        "n_rows": [],
        "a": ["input_snapshot.a"],
        "b": ["input_snapshot.b"],
    }
    within = build_meta("a", mode="row_output_with_group_context", grouping="team")
    columns = build_item_columns(build_items(within, a="x"))
    assert list_origins(columns[0]) == ["input_snapshot.a", "input_snapshot.team"]
    whole = build_meta("a", mode="group_output", grouping="team")
    columns = build_item_columns(build_items(whole))
    assert {column.name: list_origins(column) for column in columns} == {
        "work_id": ["group_contexts.group_key", "group_contexts.text"],
        "group_key": ["input_snapshot.team"],
        "n_rows": [],
    }
