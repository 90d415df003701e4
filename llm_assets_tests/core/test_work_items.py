import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from llm_assets.config.grouping import ContextSettings, GroupingSettings
from llm_assets.core.context import Cut
from llm_assets.core.fingerprint import render_json
from llm_assets.core.group_contexts import GroupContext, build_group_contexts
from llm_assets.core.ids import RowId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.work_items import WorkItem, build_work_items
from llm_assets.errors import ConfigError, InputError, StorageError

COLUMNS = ("team", "name", "secret")
ROWS = [("red", "Ada", "x"), ("blue", "Bo", "y"), ("red", "Cy", "z"), ("red", "Ada", "x")]
ROW_MODES = ("row", "row_output_with_group_context")
MODES = (*ROW_MODES, "group_output")

cells = st.sampled_from(["", "a", "b", "{{ x }}"]) | st.none() | st.integers(0, 1) | st.booleans()
tables = st.lists(st.tuples(cells, cells, cells), max_size=12)


def make_snapshot(rows, columns=COLUMNS, *, row_ids=None):
    meta = InputMeta(
        input_path="data/teams.csv",
        sha256="0" * 64,
        format="csv",
        encoding="utf-8",
        n_rows=len(rows),
        n_cols=len(columns),
        columns=columns,
        n_nulls=0,
    )
    names = row_ids or [f"r{n}" for n in range(len(rows))]
    records = tuple(
        InputRow(row_id=RowId(name), line=n + 2, values=dict(zip(columns, row, strict=True)))
        for n, (name, row) in enumerate(zip(names, rows, strict=True))
    )
    return InputSnapshot(meta=meta, records=records)


def make_grouping(mode, *, cap=None, column="team"):
    return GroupingSettings(
        mode=mode, column=None if mode == "row" else column, max_rows_per_group=cap
    )


def build_both(snapshot, *, mode="row", cap=None, column="team", id_column=None, **settings):
    """The contexts and the items of a snapshot."""
    grouping, context = make_grouping(mode, cap=cap, column=column), ContextSettings(**settings)
    contexts = build_group_contexts(snapshot, grouping=grouping, context=context)
    return contexts, build_work_items(
        snapshot, contexts=contexts, grouping=grouping, context=context, id_column=id_column
    )


def make_items(rows=ROWS, **options):
    return build_both(make_snapshot(rows), **options)[1]


def list_ids(rows=ROWS, **options):
    return [item.work_id for item in make_items(rows, **options).records]


def test_row_mode_makes_an_item_of_every_row():
    """A row on its own carries its visible values, and no trace of a group."""
    items = make_items(exclude=("secret",))
    assert [item.row_ids for item in items.records] == [("r0",), ("r1",), ("r2",), ("r3",)]
    assert items.records[1].values == {"team": "blue", "name": "Bo"}
    assert {(item.group_key, item.group_context_id) for item in items.records} == {(None, None)}
    assert items.meta.model_dump() == {
        "format_version": 1,
        "mode": "row",
        "grouping_column": None,
        "columns": ("team", "name"),
        "n_items": 4,
        "n_rows": 4,
        "n_group_contexts": 0,
    }


def test_a_row_with_group_context_refers_to_its_group():
    """A row seen among its group has its own values and its group's context by id, capped or not."""
    contexts, items = build_both(
        make_snapshot(ROWS), mode="row_output_with_group_context", cap=1, include=("name",)
    )
    red, blue = (record.group_context_id for record in contexts.records)
    assert [item.group_context_id for item in items.records] == [red, blue, red, red]
    assert [item.group_key for item in items.records] == ["red", "blue", "red", "red"]
    assert [item.values["name"] for item in items.records] == ["Ada", "Bo", "Cy", "Ada"]
    assert (items.meta.n_items, items.meta.n_rows, items.meta.n_group_contexts) == (4, 4, 2)


def test_group_output_makes_an_item_of_every_group():
    """A group's item answers for all of its rows, those beyond the cap too, and has no values of its own."""
    contexts, items = build_both(make_snapshot(ROWS), mode="group_output", cap=1)
    assert [item.group_key for item in items.records] == ["red", "blue"]
    assert [item.row_ids for item in items.records] == [("r0", "r2", "r3"), ("r1",)]
    assert [item.group_context_id for item in items.records] == [
        record.group_context_id for record in contexts.records
    ]
    assert [(item.values, item.occurrence, item.cuts) for item in items.records] == [
        ({}, 0, ())
    ] * 2
    assert (items.meta.n_items, items.meta.n_rows) == (2, 4)


@pytest.mark.parametrize("mode", ROW_MODES)
def test_repeated_rows_are_counted(mode):
    """Equal rows have the same id up to the number of the repetition, and know that number."""
    first, _, other, repeated = make_items(mode=mode).records
    assert (first.occurrence, other.occurrence, repeated.occurrence) == (0, 0, 1)
    assert repeated.work_id == f"{first.work_id}-2"


@pytest.mark.parametrize("mode", ROW_MODES)
def test_named_rows_keep_their_ids_among_equals(mode):
    """With an id column equal rows are told apart by name, so that their order changes no id."""
    names = ["n0", "n1", "n2", "n3"]
    options = {"mode": mode, "id_column": "team"}
    _, items = build_both(make_snapshot(ROWS, row_ids=names), **options)
    _, turned = build_both(make_snapshot(ROWS[::-1], row_ids=names[::-1]), **options)
    ids = {item.row_ids: item.work_id for item in items.records}
    assert len(set(ids.values())) == 4
    assert {item.row_ids: item.work_id for item in turned.records} == ids
    assert [item.occurrence for item in items.records] == [0, 0, 0, 1]


SHAPING = [
    ({"include": ("team",)}, MODES),
    ({"exclude": ("secret",)}, MODES),
    ({"order": "alphabetical"}, MODES),
    ({"truncate_field_chars": 1}, MODES),
    ({"row_template": "<{{ row_block }}>"}, ("row_output_with_group_context", "group_output")),
    ({"max_context_chars": 9}, ("row_output_with_group_context", "group_output")),
    ({"cap": 1}, ()),
    ({"include": COLUMNS}, ()),
    ({"row_template": "{__ROW_KV_BLOCK__}"}, ("row_output_with_group_context",)),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("settings", "modes"), SHAPING)
def test_which_settings_make_other_items(settings, modes, mode):
    """An id depends on the settings that shape what the model sees of the item in its mode, and on no others."""
    rows = [("red", "Ada", "x"), ("blue", "Bo", "y")]
    before, after = set(list_ids(rows, mode=mode)), set(list_ids(rows, mode=mode, **settings))
    assert before.isdisjoint(after) if mode in modes else before == after


def test_each_mode_makes_items_of_its_own():
    """The same row asked about in another way is another question."""
    rows = [("red", "Ada", "x")]
    assert len({list_ids(rows, mode=mode)[0] for mode in MODES}) == 3


def test_a_number_is_not_its_text():
    """Cells of different kinds are different content, even where they are spelled alike."""
    rows = [("red", value, "") for value in (1, "1", 1.0, True, "true", None, "")]
    assert len(set(list_ids(rows))) == len(rows)
    assert {item.occurrence for item in make_items(rows).records} == {0}


def test_cuts_are_recorded_and_come_after_the_id():
    """A cut value leaves a record in its item, and rows that differ behind the cut stay different items."""
    rows = [("red", "Barbara", "x"), ("red", "Barbapapa", "x")]
    items = make_items(rows, truncate_field_chars=5).records
    assert [item.values["name"] for item in items] == ["Barba", "Barba"]
    assert items[1].cuts == (Cut(column="name", row_id=RowId("r1"), n_chars=9, n_chars_kept=5),)
    assert [item.occurrence for item in items] == [0, 0]
    assert items[0].work_id != items[1].work_id


def test_another_row_of_the_group_changes_only_the_context():
    """A row's item keeps its id when its group grows, while its context becomes another one."""
    options = {"mode": "row_output_with_group_context"}
    before = make_items(ROWS, **options).records[0]
    after = make_items([*ROWS, ("red", "Eve", "x")], **options).records[0]
    assert after.work_id == before.work_id
    assert after.group_context_id != before.group_context_id


def test_another_row_makes_another_item_of_its_group_alone():
    """In `group_output` the rows are the question: a new one changes its own group's item and no other."""
    before = list_ids(mode="group_output")
    after = list_ids([*ROWS, ("red", "Eve", "x")], mode="group_output")
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("columns", [COLUMNS, ()])
def test_empty_input_gives_an_empty_artifact(mode, columns):
    """A table without rows, or without any column, has no items and is no error."""
    contexts, items = build_both(make_snapshot([], columns), mode=mode)
    assert (contexts.records, items.records) == ((), ())
    assert (items.meta.n_items, items.meta.n_rows, items.meta.columns) == (0, 0, columns)


@pytest.mark.parametrize("mode", ["group_output", "row_output_with_group_context"])
@pytest.mark.parametrize("other", [ROWS[:2], ROWS[:3], [("green", "Ada", "x")], []])
def test_contexts_of_other_rows_are_refused(mode, other):
    """Items never refer to contexts that were made from another table."""
    contexts, _ = build_both(make_snapshot(other), mode=mode)
    with pytest.raises(StorageError, match="made from other rows"):
        build_work_items(
            make_snapshot(ROWS),
            contexts=contexts,
            grouping=make_grouping(mode),
            context=ContextSettings(),
            id_column=None,
        )


def test_wrong_columns_are_refused():
    """Unknown column names stop this stage like the one before it."""
    snapshot = make_snapshot(ROWS)
    contexts, _ = build_both(snapshot)
    with pytest.raises(InputError, match="no column 'squad'"):
        build_work_items(
            snapshot,
            contexts=contexts,
            grouping=make_grouping("group_output", column="squad"),
            context=ContextSettings(),
            id_column=None,
        )
    with pytest.raises(ConfigError, match=r"`context\.include` names 'nam'"):
        make_items(include=("nam",))


@given(rows=tables, mode=st.sampled_from(ROW_MODES), cap=st.none() | st.integers(1, 2))
def test_rows_in_are_rows_covered(rows, mode, cap):
    """Row modes cover every row once, in input order, by items with ids of their own."""
    snapshot = make_snapshot(rows)
    _, items = build_both(snapshot, mode=mode, cap=cap)
    assert [item.row_ids for item in items.records] == [(row.row_id,) for row in snapshot.records]
    assert [item.values for item in items.records] == [row.values for row in snapshot.records]
    assert len({item.work_id for item in items.records}) == len(rows)


@given(rows=tables, cap=st.none() | st.integers(1, 2))
def test_groups_cover_every_row_once(rows, cap):
    """`group_output` covers every row by exactly one item, whatever the cap."""
    contexts, items = build_both(make_snapshot(rows), mode="group_output", cap=cap)
    covered = sorted(int(name[1:]) for item in items.records for name in item.row_ids)
    assert covered == list(range(len(rows)))
    assert len({item.work_id for item in items.records}) == len(items.records)
    assert [len(item.row_ids) for item in items.records] == [
        record.n_rows for record in contexts.records
    ]


@given(table=tables.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
@pytest.mark.parametrize("mode", ROW_MODES)
def test_order_changes_no_id(mode, table):
    """Rows in another order are the same items, repeated rows included."""
    rows, moved = table
    assert set(list_ids(rows, mode=mode)) == set(list_ids(moved, mode=mode))


@given(rows=tables, secrets=st.lists(cells, min_size=12, max_size=12))
@pytest.mark.parametrize("mode", MODES)
def test_an_excluded_column_changes_no_id(mode, rows, secrets):
    """What the model does not see has no part in any id, nor in any context."""
    changed = [(*row[:2], secret) for row, secret in zip(rows, secrets, strict=False)]
    before = build_both(make_snapshot(rows), mode=mode, exclude=("secret",))
    assert build_both(make_snapshot(changed), mode=mode, exclude=("secret",)) == before


@given(rows=tables, mode=st.sampled_from(MODES), added=st.tuples(cells, cells, cells))
def test_a_new_row_adds_to_the_ids_of_rows(rows, mode, added):
    """A row put behind the others leaves every item of a row, and of another group, what it was."""
    before, after = list_ids(rows, mode=mode), list_ids([*rows, added], mode=mode)
    if mode == "group_output":
        assert len(set(before) - set(after)) <= 1
    else:
        assert after[:-1] == before


@given(rows=tables)
def test_contexts_are_stored_once_a_group(rows):
    """Every item's context is there, every context is used, and none is there twice."""
    contexts, items = build_both(make_snapshot(rows), mode="row_output_with_group_context")
    stored = [record.group_context_id for record in contexts.records]
    assert len(stored) == len(set(stored))
    assert set(stored) == {item.group_context_id for item in items.records}


@given(rows=tables, mode=st.sampled_from(MODES))
def test_the_same_rows_give_the_same_bytes(rows, mode):
    """Building twice gives the same JSON, and reading that JSON gives the same items."""
    adapter = TypeAdapter(tuple[WorkItem, ...])
    first, second = (make_items(rows, mode=mode).records for _ in range(2))
    text = render_json(adapter.dump_python(first, mode="json"))
    assert text == render_json(adapter.dump_python(second, mode="json"))
    assert adapter.validate_json(text) == first


@pytest.mark.parametrize(
    ("n_rows", "n_groups", "least_share"), [(50, 5, 0.68), (20_000, 2_000, 0.77)]
)
def test_shared_contexts_save_their_bytes(n_rows, n_groups, least_share):
    """Rows of five columns and 400 characters take that much less than with the context in every item."""
    columns = ("group", "title", "kind", "note", "text")
    rows = [
        (f"group-{n % n_groups:05}", f"title {n:06}", "kind", "n" * 60, f"{n:06}" + "t" * 304)
        for n in range(n_rows)
    ]
    snapshot = make_snapshot(rows, columns, row_ids=[f"{n:020x}" for n in range(n_rows)])
    contexts, items = build_both(snapshot, mode="row_output_with_group_context", column="group")
    plain_items = dump_records(WorkItem, items.records)
    plain_contexts = dump_records(GroupContext, contexts.records)
    texts = {each["group_context_id"]: each["text"] for each in plain_contexts}
    n_stored_bytes = count_bytes(plain_items) + count_bytes(plain_contexts)
    for item in plain_items:
        item["group_context"] = texts[item.pop("group_context_id")]
    assert 1 - n_stored_bytes / count_bytes(plain_items) >= least_share


def dump_records(record_type, records):
    """Records as the plain data that is written to a file."""
    adapter = TypeAdapter(record_type)
    return [adapter.dump_python(record, mode="json") for record in records]


def count_bytes(plain_records):
    """The bytes of plain records as JSON, one on each line."""
    return sum(len(render_json(record).encode()) + 1 for record in plain_records)
