import pytest

from llm_assets.config.export import ExportColumnSettings
from llm_assets.errors import ConfigError
from llm_assets_tests.config.task_texts import parse_task


def parse_columns(text):
    return parse_task(f"prompt: p\nexport:\n  columns: {text}\n", file="configs/x.yaml").export


def test_a_column_is_a_name_or_a_block():
    """A bare name and a block with that name alone mean the same; YAML words such as `no` stay names."""
    settings = parse_columns("[id, {column: id}, {column: no, as: 007, type: integer}]")
    assert settings.columns == (
        ExportColumnSettings(column="id"),
        ExportColumnSettings(column="id"),
        ExportColumnSettings.model_validate({"column": "no", "as": "007", "type": "integer"}),
    )


def test_settings_are_written_as_they_are_read():
    """A column without name or type is written as its name, so that a dump is what a person would write."""
    settings = parse_columns("[id, {column: mood, as: Mood}]")
    dumped = settings.model_dump(mode="json", by_alias=True)["columns"]
    assert dumped == ["id", {"column": "mood", "as": "Mood"}]


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ("[{colum: id}]", ("3:14: export.columns[0].colum: unknown key. Did you mean 'column'?",)),
        ("[{column: id, type: txt}]", ("unknown value 'txt'", "Did you mean 'text'?")),
        ("[{as: Mood}]", ("export.columns[0].column: this key is missing",)),
        ("[id, null]", ("export.columns[1]: expected a block with keys, got nothing",)),
        ("id", ("export.columns: expected a list, got 'id'. Write [id].",)),
    ],
)
def test_mistakes_are_told_with_their_place(columns, parts):
    """A wrong entry is named by its place in the list, with what may stand there."""
    with pytest.raises(ConfigError) as caught:
        parse_columns(columns)
    assert [part for part in parts if part not in str(caught.value)] == []
