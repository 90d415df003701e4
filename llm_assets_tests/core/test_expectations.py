import pytest

from llm_assets.config.expected import ExpectedSettings
from llm_assets.core.expectations import (
    Expectation,
    check_columns,
    find_expectation,
    index_rows,
)
from llm_assets.core.ids import GroupKey, RowId
from llm_assets.core.input_snapshot import InputMeta, InputRow
from llm_assets.errors import InputError
from llm_assets_tests.core.labelled import build_item

META = InputMeta(
    input_path="data/may.csv",
    sha256="0" * 64,
    format="csv",
    encoding="utf-8",
    n_rows=1,
    n_cols=2,
    columns=("text", "label"),
    n_nulls=0,
)


def build_settings(column: str = "label", **changes: object) -> ExpectedSettings:
    return ExpectedSettings.model_validate({"fields": {"mood": column}} | changes)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (
            build_settings("lable"),
            ("data/may.csv has no column 'lable', which `expected.fields`", "'label'?", "required"),
        ),
        (build_settings(group_by="topic"), ("no column 'topic', which `expected.group_by` names",)),
    ],
)
def test_a_column_that_is_not_there_is_told_before_anything_is_asked(
    settings: ExpectedSettings, parts: tuple[str, ...]
):
    """A misspelt name would hide nothing, and the model would read the labels."""
    with pytest.raises(InputError) as caught:
        check_columns(META, settings)
    assert [part for part in parts if part not in str(caught.value)] == []


def test_batches_without_labels_can_be_allowed():
    """A task whose next batches nobody has labelled says so."""
    check_columns(META, build_settings())
    check_columns(META, build_settings("human", required=False))
    check_columns(META, build_settings("human", file="labels.csv", id_column="id"))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("good",), Expectation("good")),
        (("",), Expectation(None)),
        ((None,), Expectation(None)),
        ((" ",), Expectation(None)),
        ((0,), Expectation(0)),
        ((False,), Expectation(value=False)),
        (("good", "", "good"), Expectation("good")),
        (("good", "bad"), Expectation(None, is_conflicting=True)),
        ((1, True), Expectation(None, is_conflicting=True)),
    ],
)
def test_the_rows_of_an_item_have_to_agree(labels: tuple[object, ...], expected: Expectation):
    """Blank cells expect nothing; of a group whose rows expect different things nothing can be said."""
    rows = [
        InputRow(row_id=RowId(f"r{at}"), line=at + 2, values={"label": label})  # pyright: ignore[reportArgumentType] -- cells of a test
        for at, label in enumerate(labels)
    ]
    item = build_item(row_ids=tuple(row.row_id for row in rows))
    found = find_expectation(item, "label", labels=index_rows(rows), label_key="row")
    assert (found, type(found.value)) == (expected, type(expected.value))


def test_a_group_is_found_by_its_key():
    """A table about groups names them, and one that it does not name expects nothing."""
    labels = {"lathe": {"label": "good"}}
    for key, value in (("lathe", "good"), ("doors", None)):
        item = build_item(row_ids=(RowId("lathe"),), group_key=GroupKey(key))
        found = find_expectation(item, "label", labels=labels, label_key="group")
        assert found == Expectation(value)
