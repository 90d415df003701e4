import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.grouping import ContextSettings, GroupingSettings
from llm_assets.core.context import Cut
from llm_assets.core.fingerprint import build_id
from llm_assets.core.group_contexts import build_group_contexts, build_groups
from llm_assets.core.ids import RowId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.errors import ConfigError, InputError

BY_TEAM = GroupingSettings(mode="group_output", column="team")
PLAIN = ContextSettings()
COLUMNS = ("team", "name", "goals")
ROWS = [("red", "Ada", 2), ("blue", "Bo", 0), ("red", "Cy", 1), ("red", "Di", None)]

cells = st.sampled_from(["", "a", "b", "{{ x }}"])


def make_snapshot(rows, columns=COLUMNS):
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
    records = tuple(
        InputRow(row_id=RowId(f"r{n}"), line=n + 2, values=dict(zip(columns, row, strict=True)))
        for n, row in enumerate(rows)
    )
    return InputSnapshot(meta=meta, records=records)


def make_contexts(rows=ROWS, *, grouping=BY_TEAM, **settings):
    context = ContextSettings(**settings)
    return build_group_contexts(make_snapshot(rows), grouping=grouping, context=context)


def test_groups_stand_in_the_order_first_seen_and_rows_in_input_order():
    """Each group is written out once, with its rows one below the other and an empty line between them."""
    contexts = make_contexts()
    assert [record.group_key for record in contexts.records] == ["red", "blue"]
    red, blue = contexts.records
    assert red.text == (
        "team: red\nname: Ada\ngoals: 2\n\nteam: red\nname: Cy\ngoals: 1\n\nteam: red\nname: Di\ngoals:"
    )
    assert blue.text == "team: blue\nname: Bo\ngoals: 0"
    assert (red.n_rows, red.n_rows_used, red.cuts) == (3, 3, ())
    assert (contexts.meta.grouping_column, contexts.meta.n_groups, contexts.meta.n_rows) == (
        "team",
        2,
        4,
    )


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"include": ("name", "goals")}, "name: Bo\ngoals: 0"),
        ({"exclude": ("team",), "order": "alphabetical"}, "goals: 0\nname: Bo"),
        ({"row_template": "- {{ name }}: {{ goals }}"}, "- Bo: 0"),
        ({"row_template": "<p>{__ROW_KV_BLOCK__}</p>", "include": ("name",)}, "<p>name: Bo</p>"),
        ({"truncate_field_chars": 2}, "team: bl\nname: Bo\ngoals: 0"),
        ({"max_context_chars": 7}, "team: b"),
    ],
)
def test_every_setting_shapes_the_text(settings, text):
    """Columns, their order, the template and both limits decide what stands in a context."""
    assert make_contexts([("blue", "Bo", 0)], **settings).records[0].text == text


def test_the_cap_keeps_the_first_rows_and_is_recorded():
    """A capped group shows its first rows and still says how many it has."""
    grouping = GroupingSettings(mode="group_output", column="team", max_rows_per_group=2)
    red, blue = make_contexts(grouping=grouping, row_template="{{ name }}").records
    assert (red.text, red.n_rows, red.n_rows_used) == ("Ada\n\nCy", 3, 2)
    assert (blue.text, blue.n_rows, blue.n_rows_used) == ("Bo", 1, 1)


def test_every_cut_is_recorded_with_its_row():
    """Cuts of values name column and row, the cut of the whole comes last and names neither."""
    red, blue = make_contexts(
        row_template="{{ name }}", include=("name",), truncate_field_chars=2, max_context_chars=5
    ).records
    assert red.text == "Ad\n\nC"
    assert red.cuts == (
        Cut(column="name", row_id=RowId("r0"), n_chars=3, n_chars_kept=2),
        Cut(column=None, row_id=None, n_chars=10, n_chars_kept=5),
    )
    assert blue.cuts == ()


def test_the_id_is_of_the_key_and_the_text():
    """A context is named by its content, so that equal groups of two inputs share it and others do not."""
    record = make_contexts().records[1]
    assert record.group_context_id == build_id(["blue", record.text])
    hidden = make_contexts([("red", "x", 1), ("blue", "x", 1)], include=("name",)).records
    assert hidden[0].text == hidden[1].text
    assert hidden[0].group_context_id != hidden[1].group_context_id


def test_a_cell_that_looks_like_a_template_comes_out_verbatim():
    """Neither spelling of a template inside a cell is rendered on its way into a context."""
    rows = [("red", "{{ 7*7 }}", None), ("red", "{__ROW_KV_BLOCK__}", None)]
    contexts = make_contexts(rows, include=("name",), row_template="{__ROW_KV_BLOCK__}")
    assert contexts.records[0].text == "name: {{ 7*7 }}\n\nname: {__ROW_KV_BLOCK__}"


def test_group_keys_are_text():
    """Numbers, truth values and empty cells make groups too; a number and its text make the same one."""
    rows = [(1, "a", 0), ("1", "b", 0), (True, "c", 0), (None, "d", 0), ("", "e", 0)]
    keys = [(record.group_key, record.n_rows) for record in make_contexts(rows).records]
    assert keys == [("1", 2), ("true", 1), ("", 2)]


def test_row_mode_has_no_contexts():
    """Where rows stand alone nothing is grouped, and the template is not even looked at."""
    contexts = make_contexts(grouping=GroupingSettings(), row_template="{{ nobody }}")
    assert contexts.records == ()
    assert contexts.meta.model_dump() == {
        "format_version": 1,
        "grouping_column": None,
        "n_groups": 0,
        "n_rows": 0,
    }


@pytest.mark.parametrize("columns", [COLUMNS, ()])
def test_empty_input_gives_an_empty_artifact(columns):
    """A table without rows, or without any column, has no groups and is no error."""
    snapshot = make_snapshot([], columns)
    contexts = build_group_contexts(snapshot, grouping=BY_TEAM, context=PLAIN)
    assert contexts.records == ()
    assert (contexts.meta.n_groups, contexts.meta.n_rows) == (0, 0)


def test_a_missing_grouping_column_is_a_value_error_with_the_columns():
    """The error names the file, the missing column, what was meant and what there is, even without rows."""
    grouping = GroupingSettings(mode="group_output", column="teams")
    with pytest.raises(ValueError, match="'teams'") as caught:
        make_contexts([], grouping=grouping)
    assert isinstance(caught.value, InputError)
    message = str(caught.value)
    assert "data/teams.csv has no column 'teams'" in message
    assert "Columns: 'team', 'name', 'goals'." in message
    assert "Did you mean 'team'?" in message


def test_a_template_cannot_use_an_excluded_column():
    """What is kept from the model cannot come back through the template, not even for an empty table."""
    with pytest.raises(ConfigError, match="uses 'goals'"):
        make_contexts([], exclude=("goals",), row_template="{{ goals }}")


@given(rows=st.lists(st.tuples(cells, cells, cells)), cap=st.none() | st.integers(1, 3))
def test_every_row_is_in_one_group(rows, cap):
    """Groups are the input sorted by first sight of their key: stored once each, counting every row, repeatable."""
    grouping = GroupingSettings(mode="group_output", column="team", max_rows_per_group=cap)
    contexts = make_contexts(rows, grouping=grouping)
    keys = [record.group_key for record in contexts.records]
    assert keys == list(dict.fromkeys(row[0] for row in rows))
    assert len({record.group_context_id for record in contexts.records}) == len(keys)
    for record in contexts.records:
        assert record.n_rows == sum(row[0] == record.group_key for row in rows)
        assert record.n_rows_used == min(record.n_rows, cap or record.n_rows)
        assert record.text.count("goals:") == record.n_rows_used
    assert contexts.meta.n_rows == len(rows)
    assert make_contexts(rows, grouping=grouping) == contexts


@given(rows=st.lists(st.tuples(cells, cells, cells)))
def test_groups_hold_their_rows_in_input_order(rows):
    """No row is lost, doubled or moved within its group."""
    snapshot = make_snapshot(rows)
    groups = build_groups(snapshot, "team")
    for key, members in groups.items():
        assert members == [row for row in snapshot.records if row.values["team"] == key]
    assert sum(map(len, groups.values())) == len(rows)
