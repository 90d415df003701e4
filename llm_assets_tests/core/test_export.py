from decimal import Decimal

import pytest

from llm_assets.config.export import ExportSettings
from llm_assets.config.grouping import Mode
from llm_assets.core.calls import Purpose
from llm_assets.core.export import REHEARSAL_MARK, build_export
from llm_assets.core.export_columns import ExportColumn
from llm_assets.core.ids import CallKey, GroupKey, RowId, Sha256, WorkId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.llm_outputs import (
    Attempt,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    Outcome,
    build_totals,
)
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.errors import ConfigError, StorageError

LABEL = ExportColumn(name="label", source="output", path=("label",), kind="text")
CITY = ExportColumn(name="place.city", source="output", path=("place", "city"), kind="text")


def build_attempt(cost: str | None = "0.0010", *, number=1, purpose: Purpose = "generate"):
    return Attempt(
        number=number,
        purpose=purpose,
        call_key=CallKey(f"{purpose}-{number}"),
        finish_reason="stop",
        problem=None,
        is_repaired=False,
        prompt_tokens=10,
        completion_tokens=5,
        cached_tokens=0,
        is_approximate=False,
        cost_usd=None if cost is None else Decimal(cost),
        answered_at=None,
    )


def build_item(
    *rows,
    outcome: Outcome = "accepted",
    output=None,
    verdict=None,
    reason=None,
    attempts=(),
    group=None,
):
    return ItemOutput(
        work_id=WorkId(f"w{rows[0]}"),
        row_ids=tuple(RowId(f"r{row}") for row in rows),
        group_key=None if group is None else GroupKey(group),
        group_context_id=None,
        outcome=outcome,
        output={"label": "ok"} if outcome == "accepted" and output is None else output,
        verdict=verdict,
        reason=reason,
        attempts=attempts,
        accepted_at=None,
    )


def build_snapshot(rows, columns=("text",)):
    return InputSnapshot(
        meta=InputMeta(
            input_path="data/in.csv",
            sha256="0" * 64,
            format="csv",
            encoding="utf-8",
            n_rows=len(rows),
            n_cols=len(columns),
            columns=tuple(columns),
            n_nulls=0,
        ),
        records=tuple(
            InputRow(row_id=RowId(f"r{at}"), line=at + 2, values=values)
            for at, values in enumerate(rows)
        ),
    )


def build_outputs(*items, is_rehearsal=False):
    return LLMOutputs(
        meta=LLMOutputsMeta(
            endpoint="openai",
            model="gpt-test",
            is_rehearsal=is_rehearsal,
            prompt_path="prompts/p.yaml",
            prompt_sha256=Sha256("1" * 64),
            schema_sha256=Sha256("2" * 64),
            judge_model=None,
            judge_prompt_sha256=None,
            structured_output="json_schema",
            parameters={},
            totals=build_totals(items),
        ),
        records=items,
    )


def export(
    snapshot, outputs, *, mode: Mode = "row", column=None, output_columns=(LABEL,), **settings
):
    return build_export(
        snapshot,
        outputs,
        items_meta=WorkItemsMeta(
            mode=mode,
            grouping_column=column,
            columns=snapshot.meta.columns,
            n_items=len(outputs.records),
            n_rows=len(snapshot.records),
            n_group_contexts=0,
        ),
        settings=ExportSettings.model_validate(settings),
        output_columns=output_columns,
    )


REASON = ExportColumn(name="judge.reason", source="judge", path=("reason",), kind="text")
SCORE = ExportColumn(name="judge.score", source="judge", path=("score",), kind="integer")


def get_names(table):
    return [column.name for column in table.meta.columns]


def test_the_verdict_stands_beside_the_output_it_accepted():
    """A task with a judge has its verdict's fields between output and status; a rejected row has neither."""
    table = export(
        build_snapshot([{"text": "a"}, {"text": "b"}]),
        build_outputs(
            build_item(0, verdict={"reason": "fine", "score": 11}),
            build_item(1, outcome="rejected", reason="too vague"),
        ),
        output_columns=(LABEL, REASON, SCORE),
    )
    assert get_names(table)[:6] == [
        "text",
        "label",
        "judge.reason",
        "judge.score",
        "status",
        "error",
    ]
    assert [list(record.values.values())[:6] for record in table.records] == [
        ["a", "ok", "fine", 11, "accepted", None],
        ["b", None, None, None, "rejected", "too vague"],
    ]


def test_rejected_rows_can_be_left_out():
    """`only_accepted` leaves rejected rows out and counts them."""
    table = export(
        build_snapshot([{"text": "a"}, {"text": "b"}]),
        build_outputs(build_item(0), build_item(1, outcome="rejected", reason="too vague")),
        only_accepted=True,
    )
    assert (table.meta.n_rows, table.meta.n_accepted, table.meta.n_left_out) == (1, 1, 1)
    assert [record.work_id for record in table.records] == ["w0"]


def test_a_field_of_the_output_is_not_covered_by_one_of_the_verdict():
    """An output field that the judge's model has too still gets its own column."""
    table = export(
        build_snapshot([{"text": "a"}]),
        build_outputs(build_item(0, output={"reason": "mine"}, verdict={"reason": "the judge's"})),
        output_columns=(REASON,),
    )
    assert table.records[0].values["reason"] == "mine"
    assert table.records[0].values["judge.reason"] == "the judge's"


def test_a_verdict_that_was_asked_for_twice_is_paid_once():
    """A repeated answer brings the same call to the judge; the row's cost counts it once."""
    verdict = build_attempt("0.0020", purpose="judge")
    table = export(
        build_snapshot([{"text": "a"}]),
        build_outputs(
            build_item(
                0,
                outcome="rejected",
                attempts=(build_attempt(), verdict, build_attempt(number=2), verdict),
            )
        ),
    )
    assert table.records[0].values["cost_usd"] == "0.004"
    assert table.records[0].values["attempts"] == 2


def test_every_row_is_there_in_input_order():
    """Rows that failed stand among the others, with their status, reason, attempts and cost."""
    table = export(
        build_snapshot([{"text": "a"}, {"text": "b"}]),
        build_outputs(
            build_item(
                1,
                outcome="invalid",
                reason="no label",
                attempts=(build_attempt(), build_attempt("0.0005", number=2)),
                group="g",
            ),
            build_item(0, attempts=(build_attempt("0.00000100"),)),
        ),
    )
    assert [list(record.values.values()) for record in table.records] == [
        ["a", "ok", "accepted", None, 1, "0.000001", "gpt-test", "w0", None],
        ["b", None, "invalid", "no label", 2, "0.0015", "gpt-test", "w1", "g"],
    ]
    assert [record.work_id for record in table.records] == ["w0", "w1"]
    assert get_names(table) == [
        "text",
        "label",
        "status",
        "error",
        "attempts",
        "cost_usd",
        "answered_by",
        "work_id",
        "group_key",
    ]
    assert (table.meta.n_rows, table.meta.n_accepted, table.meta.n_left_out) == (2, 1, 0)


@pytest.mark.parametrize(
    ("attempts", "cost"),
    [
        ((), "0"),
        ((build_attempt("0"),), "0"),
        ((build_attempt(None),), None),
        ((build_attempt("0.5"), build_attempt(None, number=2)), None),
        ((build_attempt("0.1"), build_attempt("0.2", number=2)), "0.3"),
    ],
)
def test_unknown_cost_is_empty_and_not_zero(attempts, cost):
    """Only a cost that is wholly known is written, to the last digit."""
    table = export(build_snapshot([{"text": "a"}]), build_outputs(build_item(0, attempts=attempts)))
    assert table.records[0].values["cost_usd"] == cost


def test_judging_is_no_attempt():
    """Attempts count the answers asked for, not the verdicts on them."""
    attempts = (build_attempt(), build_attempt(purpose="judge"))
    table = export(build_snapshot([{"text": "a"}]), build_outputs(build_item(0, attempts=attempts)))
    assert table.records[0].values["attempts"] == 1
    assert table.records[0].values["cost_usd"] == "0.002"


def test_rehearsal_is_marked_on_each_answered_line():
    """What the offline model answered says so, also where the person chose other columns."""
    table = export(
        build_snapshot([{"text": "a"}, {"text": "b"}]),
        build_outputs(
            build_item(0, attempts=(build_attempt("0"),)),
            build_item(1, outcome="skipped"),
            is_rehearsal=True,
        ),
        columns=("label",),
    )
    assert [record.values for record in table.records] == [
        {"label": "ok", "answered_by": REHEARSAL_MARK},
        {"label": None, "answered_by": None},
    ]
    assert table.meta.is_rehearsal


def test_one_line_for_each_group():
    """In `group_output` a line has the grouping column, the output and the number of rows."""
    table = export(
        build_snapshot(
            [
                {"course": "A", "text": "x"},
                {"course": "B", "text": "y"},
                {"course": "A", "text": "z"},
            ],
            columns=("course", "text"),
        ),
        build_outputs(build_item(0, 2, group="A"), build_item(1, group="B")),
        mode="group_output",
        column="course",
        columns=("course", "label", "n_rows"),
    )
    assert [list(record.values.values()) for record in table.records] == [
        ["A", "ok", 2],
        ["B", "ok", 1],
    ]


def test_nested_value_is_found_by_its_path():
    """A dotted column reads through the objects, and is empty where one of them is missing."""
    table = export(
        build_snapshot([{"text": "a"}, {"text": "b"}]),
        build_outputs(
            build_item(0, output={"place": {"city": "Ulm"}}), build_item(1, output={"place": None})
        ),
        output_columns=(CITY,),
    )
    assert [record.values["place.city"] for record in table.records] == ["Ulm", None]


def test_output_fields_that_clash_with_the_input_are_told_apart():
    """The input keeps its name, the output's field of that name gets a prefix, and both have their values."""
    table = export(
        build_snapshot([{"label": "old", "status": "open"}], columns=("label", "status")),
        build_outputs(build_item(0)),
    )
    values = table.records[0].values
    assert (values["label"], values["output.label"]) == ("old", "ok")
    assert (values["status"], values["status.status"]) == ("open", "accepted")


def test_field_outside_the_schema_is_not_dropped():
    """A field that no column covers follows after those that are known."""
    table = export(
        build_snapshot([{"text": "a"}]),
        build_outputs(build_item(0, output={"zeta": [1], "label": "x", "alpha": 2})),
    )
    assert get_names(table)[:4] == ["text", "label", "alpha", "zeta"]
    assert table.records[0].values["zeta"] == [1]


def test_only_accepted_counts_what_it_leaves_out():
    """Rows without an accepted output are left out when asked, and counted."""
    table = export(
        build_snapshot([{"text": "a"}, {"text": "b"}]),
        build_outputs(build_item(0, outcome="refused"), build_item(1)),
        only_accepted=True,
    )
    assert [record.work_id for record in table.records] == ["w1"]
    assert (table.meta.n_rows, table.meta.n_left_out) == (1, 1)


@pytest.mark.parametrize("mode", ["row", "group_output"])
def test_empty_batch_keeps_its_header(mode):
    """A batch without rows gives the columns and no lines."""
    column = "text" if mode == "group_output" else None
    table = export(build_snapshot([]), build_outputs(), mode=mode, column=column)
    assert table.records == ()
    assert get_names(table)[:3] == ["text", "label", "status"]


@pytest.mark.parametrize(
    ("items", "part"),
    [
        ([build_item(0)], "1 rows have none, the first on line 3"),
        ([build_item(0), build_item(1), build_item(2)], "1 outputs belong to other rows"),
    ],
)
def test_outputs_of_other_rows_are_refused(items, part):
    """No row is exported without its own item, and no item silently goes missing."""
    with pytest.raises(StorageError, match=part):
        export(build_snapshot([{"text": "a"}, {"text": "b"}]), build_outputs(*items))


def test_unknown_column_is_an_error():
    """A column that the export does not have is named with a likely one."""
    with pytest.raises(ConfigError, match="Did you mean 'label'"):
        export(build_snapshot([{"text": "a"}]), build_outputs(build_item(0)), columns=("lable",))


def test_columns_are_renamed_and_read_as_what_they_are_to_be():
    """A column has the name and the type that the config gives it; its values are of that type."""
    table = export(
        build_snapshot(
            [{"stars": "5", "text": "a"}, {"stars": "", "text": "b"}], columns=("stars", "text")
        ),
        build_outputs(
            build_item(0, attempts=(build_attempt("0.0015"),)), build_item(1, outcome="failed")
        ),
        columns=(
            {"column": "label", "as": "Mood"},
            {"column": "stars", "type": "integer"},
            {"column": "cost_usd", "as": "Cost", "type": "number"},
        ),
    )
    assert [(column.name, column.kind) for column in table.meta.columns] == [
        ("Mood", "text"),
        ("stars", "integer"),
        ("Cost", "number"),
    ]
    assert [record.values for record in table.records] == [
        {"Mood": "ok", "stars": 5, "Cost": 0.0015},
        {"Mood": None, "stars": None, "Cost": 0},
    ]


def test_a_value_that_cannot_be_read_stays():
    """What is not of the type that the config names is exported as it is, so that nothing is lost."""
    table = export(
        build_snapshot([{"text": "five"}]),
        build_outputs(build_item(0)),
        columns=({"column": "text", "type": "integer"},),
    )
    assert table.records[0].values == {"text": "five"}
