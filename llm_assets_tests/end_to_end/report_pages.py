"""Report pages with made-up items, as many and as hostile as a test needs, without a single call."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from llm_assets.config.task import ReportSettings
from llm_assets.core.corrections import (
    CORRECTION_STATES,
    CorrectionRecord,
    Corrections,
    CorrectionsMeta,
    CorrectionState,
)
from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.gate import ROUTES, GateDecision, GateDecisions, GateMeta, Route
from llm_assets.core.group_contexts import GroupContexts, GroupContextsMeta
from llm_assets.core.ids import (
    BatchKey,
    CallKey,
    GroupKey,
    RowId,
    Sha256,
    StepName,
    TaskName,
    WorkId,
)
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.item_fates import build_fates
from llm_assets.core.llm_outputs import (
    Attempt,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    Outcome,
    StepAccount,
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
from llm_assets_tests.core.reviews import build_correction

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SYSTEM = "You sort the notes of a workshop. Answer with JSON."
SHA256 = Sha256("a" * 64)


class PageBuilder:
    """Items are added one by one; `write` makes the page of them."""

    def __init__(
        self,
        columns: tuple[str, ...] = ("id", "text"),
        *,
        column: str | None = None,
        steps: tuple[str, ...] = (),
    ) -> None:
        self._steps = tuple(map(StepName, steps))
        self._decisions: list[GateDecision] = []
        self._corrections: list[CorrectionRecord] = []
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
        route: Route | None = None,
        why: str = "",
        written: Mapping[str, object] | None = None,
        reviewer: str = "Ana",
    ) -> None:
        """Add a row with its item; `written` is what a person published in place of the output."""
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
                attempts=self._build_attempts(key, number, problem=reason),
                accepted_at=NOON if output else None,
            )
        )
        if route is not None:
            self._decide(number, route=route, why=why, written=written, reviewer=reviewer)
        self._calls[key] = self._build_call(f"<note>\n{' '.join(values)}\n</note>", answer, number)

    def write(self, path: Path, **changes: str) -> Path:
        """Write the page, with texts of its HTML replaced."""
        snapshot, outputs = self._build_snapshot(), self._build_outputs()
        gate, corrections = self._build_gate()
        fates = build_fates(gate, corrections)
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
            gate=gate.meta if self._decisions else None,
            fates=fates,
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
            fates=fates,
            steps=self._steps,
        )
        html = render_report_html(build_report_page(report, sources, partial=None))
        for old, new in changes.items():
            html = html.replace(old, new)
        path.write_text(html, encoding="utf-8")
        return path

    def _build_attempts(
        self, key: CallKey, number: int, *, problem: str | None
    ) -> tuple[Attempt, ...]:
        only = _build_attempt(key, number, problem=problem)
        if not self._steps:
            return (only,)
        return tuple(
            replace(only, step=step, call_key=key if at == 0 else CallKey(f"{key[:-1]}{at}"))
            for at, step in enumerate(self._steps)
        )

    def _decide(
        self,
        number: int,
        *,
        route: Route,
        why: str,
        written: Mapping[str, object] | None,
        reviewer: str,
    ) -> None:
        item = self._items[-1]
        is_person = written is not None
        self._decisions.append(
            GateDecision(
                work_id=item.work_id,
                row_ids=item.row_ids,
                group_key=None,
                route=route,
                value=0.5,
                threshold=0.8,
                why=why,
                origin="person" if is_person else "model",
                reviewer=reviewer if is_person else None,
            )
        )
        if written is not None:
            correction = build_correction(
                "edit",
                dict(written),  # pyright: ignore[reportArgumentType] -- made up by a test
                key=f"r{number}",
                note=why,
                reviewer=reviewer,
            )
            self._corrections.append(
                CorrectionRecord(state="applied", work_id=item.work_id, correction=correction)
            )

    def _build_gate(self) -> tuple[GateDecisions, Corrections]:
        routes = [each.route for each in self._decisions]
        meta = GateMeta(
            field="confidence",
            at_least=0.8,
            routes={route: routes.count(route) for route in ROUTES},
            n_by_people=len(self._corrections),
            n_outdated=0,
        )
        states: dict[CorrectionState, int] = dict.fromkeys(CORRECTION_STATES, 0)
        corrections = Corrections(
            meta=CorrectionsMeta(states=states), records=tuple(self._corrections)
        )
        return GateDecisions(meta=meta, records=tuple(self._decisions)), corrections

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
        accounts = tuple(
            StepAccount(name=step, after=self._steps[max(at - 1, 0) : at], made=meta)
            for at, step in enumerate(self._steps)
        )
        return LLMOutputs(
            meta=meta.model_copy(update={"steps": accounts}), records=tuple(self._items)
        )


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
