"""Items and rows with labels, for scoring."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from llm_assets.config.expected import ExpectedSettings
from llm_assets.core.assessment import Assessment, build_assessment
from llm_assets.core.expectations import LabelKey, Labels, index_rows
from llm_assets.core.ids import GroupKey, RowId, Sha256, WorkId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.item_scores import score_items
from llm_assets.core.llm_outputs import (
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    Outcome,
    build_totals,
)
from llm_assets.core.values import Scalar


def build_item(
    output: Mapping[str, JsonValue] | None = None,
    *,
    row_ids: Sequence[str] = ("r1",),
    outcome: Outcome = "accepted",
    verdict: Mapping[str, JsonValue] | None = None,
    group_key: GroupKey | None = None,
) -> ItemOutput:
    """An item's end, with nothing in it that scoring does not look at."""
    is_accepted = outcome == "accepted"
    return ItemOutput(
        work_id=WorkId(f"w-{row_ids[0]}"),
        row_ids=tuple(map(RowId, row_ids)),
        group_key=group_key,
        group_context_id=None,
        outcome=outcome,
        output=dict(output or {}) if is_accepted else None,
        verdict=dict(verdict) if verdict is not None else None,
        reason=None if is_accepted else "No.",
        attempts=(),
        accepted_at=None,
    )


def build_snapshot(*rows: Mapping[str, Scalar]) -> InputSnapshot:
    """Rows called r1, r2 and so on."""
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return InputSnapshot(
        meta=InputMeta(
            input_path="data/may.csv",
            sha256="0" * 64,
            format="csv",
            encoding="utf-8",
            n_rows=len(rows),
            n_cols=len(columns),
            columns=columns,
            n_nulls=0,
        ),
        records=tuple(
            InputRow(row_id=RowId(f"r{at}"), line=at + 1, values=dict(row))
            for at, row in enumerate(rows, start=1)
        ),
    )


def build_outputs(*items: ItemOutput) -> LLMOutputs:
    """The items as one batch that the offline model answered."""
    return LLMOutputs(
        meta=LLMOutputsMeta(
            endpoint="offline",
            model="extractive",
            is_rehearsal=True,
            prompt_path="prompts/notes.yaml",
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


def assess(
    settings: ExpectedSettings,
    rows: Sequence[Mapping[str, Scalar]],
    items: Sequence[ItemOutput],
    *,
    labels: Labels | None = None,
    label_key: LabelKey = "row",
) -> Assessment:
    """The assessment of a batch whose labels stand in the input unless others are given."""
    snapshot, outputs = build_snapshot(*rows), build_outputs(*items)
    scores = score_items(
        snapshot,
        outputs,
        labels=index_rows(snapshot.records) if labels is None else labels,
        label_key=label_key,
        settings=settings,
    )
    return build_assessment(scores, settings, labels_file=None, is_rehearsal=True)
