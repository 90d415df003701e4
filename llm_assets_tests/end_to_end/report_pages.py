"""Report pages with made-up items, as many and as hostile as a test needs, without a single call."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from llm_assets.config.task import ReportSettings
from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.group_contexts import GroupContexts, GroupContextsMeta
from llm_assets.core.ids import BatchKey, CallKey, GroupKey, RowId, Sha256, TaskName, WorkId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.llm_outputs import (
    Attempt,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    Outcome,
    build_totals,
)
from llm_assets.core.recorded_calls import (
    CallsOnRecord,
    RecordedAnswer,
    RecordedFault,
    SentMessage,
    TriedCall,
)
from llm_assets.core.report import ConfigSnapshot, build_report
from llm_assets.core.report_items import ItemSources
from llm_assets.core.report_page import build_report_page
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.gateways.report_pages import render_report_html

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SYSTEM = "You sort the notes of a workshop. Answer with JSON."
SHA256 = Sha256("a" * 64)


class PageBuilder:
    """Items are added one by one; `write` makes the page of them."""

    def __init__(
        self, columns: tuple[str, ...] = ("id", "text"), *, column: str | None = None
    ) -> None:
        self._columns = columns
        self._column = column
        self._rows: list[InputRow] = []
        self._items: list[ItemOutput] = []
        self._calls: dict[CallKey, TriedCall] = {}
        self._parts = {fingerprint_text(SYSTEM): SYSTEM}

    def add(
        self,
        *values: str,
        output: Mapping[str, object] | None = None,
        outcome: Outcome = "accepted",
        reason: str | None = None,
        answer: str = "{}",
        group: str | None = None,
        verdict: Mapping[str, object] | None = None,
    ) -> None:
        number = len(self._rows) + 1
        row_id = RowId(f"r{number}")
        key = CallKey(fingerprint_text(f"call {number}"))
        self._rows.append(
            InputRow(
                row_id=row_id, line=number + 1, values=dict(zip(self._columns, values, strict=True))
            )
        )
        self._items.append(
            ItemOutput(
                work_id=WorkId(f"w{number}"),
                row_ids=(row_id,),
                group_key=None if group is None else GroupKey(group),
                group_context_id=None,
                outcome=outcome,
                output=None if output is None else dict(output),  # pyright: ignore[reportArgumentType] -- made up by a test
                verdict=None if verdict is None else dict(verdict),  # pyright: ignore[reportArgumentType] -- the same
                reason=reason,
                attempts=(_build_attempt(key, number, problem=reason),),
                accepted_at=NOON if output else None,
            )
        )
        self._calls[key] = self._build_call(f"<note>\n{' '.join(values)}\n</note>", answer, number)

    def write(self, path: Path, **changes: str) -> Path:
        """Write the page, with texts of its HTML replaced."""
        snapshot, outputs = self._build_snapshot(), self._build_outputs()
        items_meta = WorkItemsMeta(
            mode="row",
            grouping_column=self._column,
            columns=self._columns,
            n_items=len(self._items),
            n_rows=len(self._rows),
            n_group_contexts=0,
        )
        report = build_report(
            config=ConfigSnapshot(
                task=TaskName("notes"),
                batch=BatchKey("may"),
                config_path="configs/notes.yaml",
                config_sha256=SHA256,
                schema_path="configs/schemas/notes.py",
                settings={"description": "Sorts notes."},
            ),
            snapshot=snapshot,
            items_meta=items_meta,
            contexts=GroupContexts(
                meta=GroupContextsMeta(grouping_column=None, n_groups=0, n_rows=0), records=()
            ),
            outputs=outputs,
            settings=ReportSettings(),
            artifacts={
                "export as csv": "../../exports/notes/may.csv",
                "llm_outputs": "s3://b/may.jsonl",
            },
        )
        sources = ItemSources(
            snapshot=snapshot,
            columns=self._columns,
            records=outputs.records,
            calls=CallsOnRecord(calls=self._calls, parts=self._parts),
        )
        html = render_report_html(build_report_page(report, sources, partial=None))
        for old, new in changes.items():
            html = html.replace(old, new)
        path.write_text(html, encoding="utf-8")
        return path

    def _build_call(self, user: str, answer: str, number: int) -> TriedCall:
        part = fingerprint_text(user)
        self._parts[part] = user
        fault = RecordedFault(kind="rate_limited", http_status=429, message="Slow down.")
        return TriedCall(
            messages=(
                SentMessage(role="system", parts=(fingerprint_text(SYSTEM),)),
                SentMessage(role="user", parts=(part,)),
            ),
            answer=RecordedAnswer(
                text=answer, refusal=None, model="m-1", latency_seconds=0.1 + number % 17 / 10
            ),
            faults=(fault,) if number % 5 == 0 else (),
        )

    def _build_snapshot(self) -> InputSnapshot:
        meta = InputMeta(
            input_path="data/notes/may.csv",
            sha256=SHA256,
            format="csv",
            encoding="utf-8",
            n_rows=len(self._rows),
            n_cols=len(self._columns),
            columns=self._columns,
            n_nulls=0,
        )
        return InputSnapshot(meta=meta, records=tuple(self._rows))

    def _build_outputs(self) -> LLMOutputs:
        meta = LLMOutputsMeta(
            endpoint="bench",
            model="m-1",
            is_rehearsal=False,
            prompt_path="prompts/notes.yaml",
            prompt_sha256=SHA256,
            schema_sha256=SHA256,
            judge_model=None,
            judge_prompt_sha256=None,
            structured_output="json_schema",
            parameters={"temperature": 0},
            totals=build_totals(self._items),
        )
        return LLMOutputs(meta=meta, records=tuple(self._items))


def _build_attempt(key: CallKey, number: int, *, problem: str | None) -> Attempt:
    return Attempt(
        number=1,
        purpose="generate",
        call_key=key,
        finish_reason="stop",
        problem=problem,
        is_repaired=False,
        prompt_tokens=100 + number % 50,
        completion_tokens=10 + number % 7,
        cached_tokens=0,
        is_approximate=False,
        cost_usd=Decimal(number) / 100_000,
        answered_at=NOON,
    )
