"""Tables in the UI stay small, whatever the batch is like."""

from pathlib import Path

import dagster as dg
import pytest

from llm_assets.core.stage_columns import ColumnOrigin, StageColumn
from llm_assets.defs.project_definitions import build_scope
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.table_metadata import (
    MAX_CELL_CHARS,
    MAX_COLUMNS,
    MAX_PREVIEW_COLUMNS,
    MAX_ROWS,
    MAX_WORDS_CHARS,
    build_column_lineage,
    build_column_schema,
    build_preview,
    choose_shown,
    describe_table,
)
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import build_project

MAX_BYTES = 100_000
LONG = "x" * 5000


@pytest.fixture
def scope(tmp_path: Path) -> TaskScope:
    project = Project(root=build_project(tmp_path).root, environ={})
    return build_scope(project, load_task(project, "notes"), observers=(), key_prefix=("shop",))


def build_column(name: str, *origins: str) -> StageColumn:
    found = tuple(ColumnOrigin(stage="work_items", column=origin) for origin in origins)
    return StageColumn(name=name, kind="text", description=LONG, rules=(LONG,), origins=found)


def test_a_preview_is_a_few_rows_with_short_cells():
    """Rows beyond the first ones are not even drawn; a long text is cut, JSON is text, numbers stay numbers."""
    rows = iter([{"a": LONG, "b": 1.5, "c": {"x": [1]}, "d": True}] * (MAX_ROWS + 1))
    preview = build_preview(rows, ["a", "b", "c", "d", "e"])
    assert len(preview.records) == MAX_ROWS
    assert len(list(rows)) == 1
    cells = preview.records[0].data
    assert cells == {
        "a": "x" * (MAX_CELL_CHARS - 1) + "…",
        "b": 1.5,
        "c": '{"x":[1]}',
        "d": True,
        "e": None,
    }


def test_a_wide_table_is_shown_in_part_and_says_so():
    """Previews, schema and lineage keep to the first columns; the schema tells how many more there are."""
    names = [f"c{number}" for number in range(MAX_COLUMNS + 5)]
    preview = build_preview([dict.fromkeys(names, "x")], names)
    assert [column.name for column in preview.schema.columns] == names[:MAX_PREVIEW_COLUMNS]
    schema = build_column_schema([build_column(name) for name in names])
    assert [column.name for column in schema.columns] == names[:MAX_COLUMNS]
    assert list(schema.constraints.other) == ["5 more columns"]
    assert not build_column_schema([build_column("a")]).constraints.other


def build_input_column(name: str) -> StageColumn:
    origin = ColumnOrigin(stage="input_snapshot", column=name)
    return StageColumn(name=name, kind="text", origins=(origin,))


@pytest.mark.parametrize(
    ("n_input", "n_own", "shown"),
    [
        (4, 4, ["i0", "i1", "i2", "i3", "o0", "o1", "o2", "o3"]),
        (20, 9, ["i0", "i1", "i2", "o0", "o1", "o2", "o3", "o4"]),
        (20, 2, ["i0", "i1", "i2", "i3", "i4", "i5", "o0", "o1"]),
        (2, 9, ["i0", "i1", "o0", "o1", "o2", "o3", "o4", "o5"]),
        (9, 0, ["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7"]),
    ],
)
def test_a_wide_input_leaves_room_for_what_a_stage_adds(n_input: int, n_own: int, shown: list[str]):
    """A preview shows columns of both kinds in their order, the input's fewer where there are too many."""
    columns = [build_input_column(f"i{number}") for number in range(n_input)]
    columns += [build_column(f"o{number}", "work_id") for number in range(n_own)]
    assert choose_shown(columns) == shown


def test_descriptions_and_rules_are_cut():
    """A choice among a thousand values is not kept with every batch."""
    (column,) = build_column_schema([build_column("a")]).columns
    assert column.description is not None
    assert len(column.description) == len(column.constraints.other[0]) == MAX_WORDS_CHARS


def test_lineage_names_assets_by_their_whole_key(scope: TaskScope):
    """A project that puts a prefix before the keys finds its own assets; a column from nowhere is left out."""
    lineage = build_column_lineage(scope, [build_column("a", "x", "y"), build_column("b")])
    key = dg.AssetKey(["shop", "notes", "work_items"])
    assert lineage.deps_by_column == {
        "a": [dg.TableColumnDep(key, "x"), dg.TableColumnDep(key, "y")]
    }


def test_the_worst_table_is_a_small_event(scope: TaskScope):
    """A thousand columns of long texts, each from another column, take a bounded place in the history."""
    names = [f"column {number}" for number in range(1000)]
    row = dict.fromkeys(names, LONG)
    columns = [build_column(name, name) for name in names]
    metadata = describe_table(scope, columns, rows=[row] * 100, n_rows=100)
    event = dg.AssetMaterialization("a", metadata=metadata)
    assert len(dg.serialize_value(event)) < MAX_BYTES
