"""The columns of outputs and exports; that real stages agree with each other is shown in defs/test_metadata.py."""

from dataclasses import replace

import pytest
from pydantic import BaseModel, Field

from llm_assets.config.grouping import Mode
from llm_assets.core.answer_columns import (
    MAX_ORIGINS,
    AnswerSchemas,
    build_answer_columns,
    build_line_columns,
    build_record_columns,
    iter_record_rows,
    name_output_columns,
)
from llm_assets.core.export import ExportMeta
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.ids import Sha256, WorkId
from llm_assets.core.json_schema import build_json_schema
from llm_assets.core.llm_outputs import ItemOutput, LLMOutputs, LLMOutputsMeta, build_totals
from llm_assets.core.stage_columns import StageColumn
from llm_assets.core.work_items import WorkItemsMeta


class Place(BaseModel):
    city: str


class Answer(BaseModel):
    summary: str = Field(min_length=1, description="In a sentence.")
    reason: str
    place: Place | None


class Verdict(BaseModel):
    verdict: bool


SCHEMAS = AnswerSchemas(output=build_json_schema(Answer, mode="serialization"), verdict=None)
JUDGED = replace(SCHEMAS, verdict=build_json_schema(Verdict, mode="serialization"))
FIELDS = ["summary", "reason", "place.city"]
OWN = ["work_id", "group_key", "n_rows", "status.reason", "attempts"]


def build_outputs(**more: str) -> LLMOutputs:
    """One accepted item and one that is not; `more` are fields that the schema does not name."""
    accepted = ItemOutput(
        work_id=WorkId("w1"),
        row_ids=(),
        group_key=None,
        group_context_id=None,
        outcome="accepted",
        output={"summary": "S", "reason": "R", "place": {"city": "C"}, **more},
        verdict={"verdict": True},
        reason=None,
        attempts=(),
        accepted_at=None,
    )
    failed = replace(
        accepted, work_id=WorkId("w2"), outcome="failed", output=None, verdict=None, reason="Why."
    )
    records = (accepted, failed)
    return LLMOutputs(
        meta=LLMOutputsMeta(
            endpoint="e",
            model="m",
            is_rehearsal=False,
            prompt_path="p",
            prompt_sha256=Sha256("1"),
            schema_sha256=Sha256("2"),
            judge_model=None,
            judge_prompt_sha256=None,
            structured_output="prompt",
            parameters={},
            totals=build_totals(records),
        ),
        records=records,
    )


def build_items_meta(*columns: str, mode: Mode = "row") -> WorkItemsMeta:
    return WorkItemsMeta(
        mode=mode,
        grouping_column=None if mode == "row" else columns[0],
        columns=columns,
        n_items=2,
        n_rows=2,
        n_group_contexts=0,
    )


def list_origins(meta: WorkItemsMeta, *prompt_names: str) -> list[str]:
    """Where a field comes from, as `stage.column`."""
    columns = build_record_columns(
        build_outputs(), SCHEMAS, items_meta=meta, prompt_names=frozenset(prompt_names)
    )
    (column,) = [column for column in columns if column.name == "summary"]
    return [f"{origin.stage}.{origin.column}" for origin in column.origins]


def test_fields_keep_their_names_and_what_is_said_of_the_item_gives_way():
    """A field called like one of the stage's own columns keeps its name; the own column is prefixed."""
    names = [column.name for column in name_output_columns(build_outputs(), SCHEMAS)]
    assert names == ["outcome", *FIELDS, *OWN]


def test_a_verdict_and_a_field_that_the_schema_does_not_name_are_columns():
    """The judge's fields follow the output's; what else an output holds is there, too."""
    names = [column.name for column in name_output_columns(build_outputs(more="x"), JUDGED)]
    assert names == ["outcome", *FIELDS, "judge.verdict", "more", *OWN]


def test_records_are_rows_of_the_columns():
    """Each record has a value for every column; one without an output has empty fields and says why."""
    outputs = build_outputs()
    rows = list(iter_record_rows(outputs, name_output_columns(outputs, JUDGED)))
    assert rows[0]["place.city"] == "C"
    assert (rows[0]["reason"], rows[0]["status.reason"]) == ("R", None)
    assert (rows[1]["reason"], rows[1]["status.reason"]) == (None, "Why.")
    assert [row["judge.verdict"] for row in rows] == [True, None]
    assert [row["outcome"] for row in rows] == ["accepted", "failed"]


@pytest.mark.parametrize(
    ("mode", "prompt_names", "origins"),
    [
        ("row", ("b", "llm_schema"), ["work_items.b"]),
        ("row", ("row_block",), ["work_items.a", "work_items.b"]),
        ("row", ("b", "row"), ["work_items.a", "work_items.b"]),
        ("row", ("llm_schema",), []),
        ("row", ("b", "output_json"), ["work_items.b"]),
        (
            "row_output_with_group_context",
            ("b", "group_context"),
            ["work_items.b", "group_contexts.text"],
        ),
        (
            "group_output",
            ("group_context", "group_key"),
            ["work_items.group_key", "group_contexts.text"],
        ),
    ],
)
def test_a_field_comes_from_what_the_prompt_shows(
    mode: Mode, prompt_names: tuple[str, ...], origins: list[str]
):
    """Columns by their names, all of them where the prompt shows the row as such, and the group's text and key."""
    assert list_origins(build_items_meta("a", "b", mode=mode), *prompt_names) == origins


def test_a_column_called_like_a_name_of_the_prompt_is_not_taken_for_it():
    """`group_key` in a prompt is the group; the input's column of that name is shown by the row alone."""
    meta = build_items_meta("a", "group_key", mode="row_output_with_group_context")
    assert list_origins(meta, "group_key") == ["work_items.status.group_key"]


def test_many_columns_for_many_fields_come_as_the_whole_item():
    """Where pairs of columns and fields would fill the history, a field comes from the item itself."""
    n_shown = MAX_ORIGINS // len(FIELDS)
    columns = [f"c{number}" for number in range(n_shown + 1)]
    assert len(list_origins(build_items_meta(*columns[:n_shown]), "row")) == n_shown
    assert list_origins(build_items_meta(*columns), "row") == ["work_items.work_id"]


def build_lines(*columns: ExportColumn, only_accepted: bool = False) -> tuple[StageColumn, ...]:
    meta = ExportMeta(columns=columns, n_rows=2, n_accepted=1, n_left_out=0, is_rehearsal=False)
    return build_line_columns(meta, build_outputs(), JUDGED, only_accepted=only_accepted)


def test_the_columns_of_an_export_come_from_input_and_outputs():
    """An input column comes from the snapshot, a field from the outputs, a status column from what it is made of."""
    columns = (
        ExportColumn(name="text", source="input", path=("text",), kind="text"),
        *build_answer_columns(JUDGED, "json"),
        ExportColumn(name="status", source="status", path=("status",), kind="text"),
        ExportColumn(name="error", source="status", path=("error",), kind="text"),
    )
    lineage = {
        column.name: [f"{origin.stage}.{origin.column}" for origin in column.origins]
        for column in build_lines(*columns)
    }
    assert lineage == {
        "text": ["input_snapshot.text"],
        "summary": ["llm_outputs.summary"],
        "reason": ["llm_outputs.reason"],
        "place": ["llm_outputs.place.city"],
        "judge.verdict": ["llm_outputs.judge.verdict"],
        "status": ["llm_outputs.outcome"],
        "error": ["llm_outputs.status.reason"],
    }


@pytest.mark.parametrize("only_accepted", [True, False])
def test_a_required_field_is_filled_where_there_is_an_output(*, only_accepted: bool):
    """No column promises to be filled for rows that failed, unless those were left out."""
    summary, _, place, _ = build_lines(
        *build_answer_columns(JUDGED, "flatten"), only_accepted=only_accepted
    )
    condition = () if only_accepted else ("filled where `status` is accepted",)
    assert summary.description == "In a sentence."
    assert summary.is_filled is only_accepted
    assert summary.rules == ("characters: at least 1", *condition)
    assert not place.is_filled
    assert place.rules == ()
