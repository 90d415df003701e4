import pytest

from llm_assets.config.expected import ExpectedSettings
from llm_assets.config.export import ExportSettings
from llm_assets.core.export import ExportTable, build_export
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.errors import ConfigError
from llm_assets_tests.core.labelled import assess, build_item, build_outputs, build_snapshot

MOOD = ExportColumn(name="mood", source="output", path=("mood",), kind="text")
ROWS = ({"text": "a", "label": "good"}, {"text": "b", "label": "bad"}, {"text": "c", "label": ""})
ITEMS = (
    build_item({"mood": "good"}, row_ids=("r1",)),
    build_item(row_ids=("r2",), outcome="failed"),
    build_item({"mood": "good"}, row_ids=("r3",)),
)
EXPECTED = ExpectedSettings.model_validate(
    {"fields": {"mood": "label", "text": {"column": "label", "path": "mood", "scorer": "contains"}}}
)


def export(*columns: object, is_assessed: bool = True) -> ExportTable:
    return build_export(
        build_snapshot(*ROWS),
        build_outputs(*ITEMS),
        items_meta=WorkItemsMeta(
            mode="row",
            grouping_column=None,
            columns=("text",),
            n_items=3,
            n_rows=3,
            n_group_contexts=0,
        ),
        settings=ExportSettings.model_validate({"columns": columns}),
        output_columns=(MOOD,),
        assessment=assess(EXPECTED, ROWS, ITEMS) if is_assessed else None,
    )


def list_names(table: ExportTable) -> list[str]:
    return [column.name for column in table.meta.columns]


def test_scores_stand_between_answers_and_status():
    """The item's own and one for each field; what has no score stays empty, and a missing answer is a 0."""
    table = export()
    assert list_names(table)[:7] == [
        *("text", "label", "mood", "assessment", "assessment.mood", "assessment.text", "status")
    ]
    assert [row.values["assessment"] for row in table.records] == [1.0, 0.0, None]
    assert [row.values["assessment.mood"] for row in table.records] == [1.0, 0.0, None]


def test_scores_are_chosen_like_other_columns():
    """By name, under another name, or all of them at once."""
    table = export("text", {"column": "assessment", "as": "score"}, "assessment.*")
    assert list_names(table) == [
        "text",
        "score",
        "assessment.mood",
        "assessment.text",
        "answered_by",
    ]


def test_a_task_that_expects_nothing_has_no_scores():
    """No column is there, and choosing one is a mistake that is told."""
    assert not [name for name in list_names(export(is_assessed=False)) if "assessment" in name]
    with pytest.raises(ConfigError, match="there is no column 'assessment'"):
        export("assessment", is_assessed=False)
