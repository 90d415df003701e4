"""What the report's table says of each item, and what opens when a person asks for one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from llm_assets.core.fingerprint import ID_DIGITS
from llm_assets.core.gate import ROUTES
from llm_assets.core.gate_text import render_fate
from llm_assets.core.ids import CallKey, RowId, Sha256, StepName, WorkId
from llm_assets.core.input_snapshot import InputRow, InputSnapshot
from llm_assets.core.item_fates import Fates, ItemFate, list_edits
from llm_assets.core.item_scores import ItemScore
from llm_assets.core.item_sums import count_item_attempts, sum_item_cost, sum_item_tokens
from llm_assets.core.llm_outputs import OUTCOMES, Attempt, ItemOutput
from llm_assets.core.money import render_amount
from llm_assets.core.output_fields import list_output_fields
from llm_assets.core.output_spread import LabelSpread, NumberSpread, build_spreads, render_label
from llm_assets.core.recorded_calls import CallsOnRecord, TriedCall
from llm_assets.core.short_text import shorten_line

EXCERPT_CHARS = 96
MAX_ITEMS = 20_000
"""Items in one page; the failed ones come first, and the export has all."""
MAX_FIELD_COLUMNS = 3
MAX_LINES = 50
"""Source lines named for one item; a group may have thousands."""

Json = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSources:
    """What a report's items are drawn from."""

    snapshot: InputSnapshot
    columns: tuple[str, ...]
    """The columns that say in a line what an item is about."""
    records: tuple[ItemOutput, ...]
    calls: CallsOnRecord
    """Empty where no ledger is at hand: then words that were sent and answered are not shown."""
    scores: Mapping[WorkId, ItemScore] = field(default_factory=dict[WorkId, ItemScore])
    """Empty where the task does not say what it expects."""
    fates: Fates = field(default_factory=dict[WorkId, ItemFate])
    """Empty where the task has no gate, or the batch did not get so far."""
    steps: tuple[StepName, ...] = ()
    """In the order in which they run; none where the task names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTable:
    """The rows of the table, with what they have in common said once."""

    fields: tuple[str, ...]
    """Output fields that are columns of the table: numbers and labels, by which people sort."""
    groups: tuple[str, ...]
    rows: tuple[tuple[JsonValue, ...], ...]
    """Number of the row from 1, outcome, group, input, answer, attempts, tokens, cost, work id, score, way past the gate, fields."""
    n_left_out: int
    has_scores: bool = False
    has_routes: bool = False
    steps: tuple[StepName, ...] = ()


def rank_items(records: Sequence[ItemOutput]) -> tuple[ItemOutput, ...]:
    """The items in the order of the table: those without an accepted output first, then as in the input."""
    failed = [record for record in records if record.outcome != "accepted"]
    accepted = [record for record in records if record.outcome == "accepted"]
    return (*failed, *accepted)


def build_item_table(sources: ItemSources, ranked: Sequence[ItemOutput]) -> ItemTable:
    """One row for each of the ranked items."""
    fields = _choose_fields(sources.records)
    numbers = {row.row_id: at for at, row in enumerate(sources.snapshot.records, start=1)}
    rows = {row.row_id: row for row in sources.snapshot.records}
    groups = {group: at for at, group in enumerate(_list_groups(ranked))}
    return ItemTable(
        fields=fields,
        groups=tuple(groups),
        rows=tuple(
            (
                numbers[item.row_ids[0]],
                OUTCOMES.index(item.outcome),
                None if item.group_key is None else groups[item.group_key],
                build_input_excerpt(item, rows, columns=sources.columns),
                build_answer_excerpt(item, fields=fields, steps=sources.steps),
                count_item_attempts(item),
                sum_item_tokens(item),
                _find_cost(item),
                item.work_id,
                _find_score(item, sources.scores),
                _find_route(item, sources.fates),
                *map(list_output_fields(item).get, fields),
            )
            for item in ranked
        ),
        n_left_out=len(sources.records) - len(ranked),
        has_scores=bool(sources.scores),
        has_routes=bool(sources.fates),
        steps=sources.steps,
    )


def _find_score(item: ItemOutput, scores: Mapping[WorkId, ItemScore]) -> float | None:
    known = scores.get(item.work_id)
    return None if known is None or known.score is None else round(known.score, 4)


def _find_route(item: ItemOutput, fates: Fates) -> int | None:
    fate = fates.get(item.work_id)
    return None if fate is None else ROUTES.index(fate.decision.route)


def build_input_excerpt(
    item: ItemOutput, rows: Mapping[RowId, InputRow], *, columns: Sequence[str]
) -> str:
    """What the model was asked about, in a line."""
    first, *others = item.row_ids
    if others:
        return f"{len(item.row_ids):,} rows"
    values = rows[first].values
    shown = " · ".join(str(value) for name in columns if (value := values.get(name)))
    return shorten_line(shown, max_chars=EXCERPT_CHARS)


def build_answer_excerpt(
    item: ItemOutput, *, fields: Sequence[str], steps: Sequence[StepName] = ()
) -> str:
    """What came of it, in a line: what the output says beyond the fields with columns of their own, or the reason.

    Of several steps, texts stand before lists, and the last step before those that it builds on.
    """
    if item.output is None:
        return shorten_line(item.reason or "", max_chars=EXCERPT_CHARS)
    said = list_output_fields(replace(item, output=order_steps(item.output, steps[::-1])))
    rest = [value for name, value in said.items() if name not in fields]
    if steps:
        rest.sort(key=lambda value: not isinstance(value, str))
    shown = " · ".join(_render_plainly(value) for value in rest if value not in (None, ""))
    return shorten_line(shown, max_chars=EXCERPT_CHARS)


def list_shared_parts(
    ranked: Sequence[ItemOutput], calls: CallsOnRecord
) -> tuple[tuple[Sha256, ...], dict[Sha256, int]]:
    """The message parts that more than one item's calls hold, as they first come, and the place of each among them."""
    uses: Counter[Sha256] = Counter()
    for item in ranked:
        known = (calls.calls.get(attempt.call_key) for attempt in item.attempts)
        uses.update([*dict.fromkeys(part for call in known if call for part in _list_parts(call))])
    shared = tuple(part for part, n_items in uses.items() if n_items > 1)
    return shared, {part: place for place, part in enumerate(shared)}


def build_item_entries(
    sources: ItemSources, ranked: Sequence[ItemOutput], *, shared: Mapping[Sha256, int]
) -> Iterator[Json]:
    """All that is known of each item: input, output, verdict, and every call with its words.

    A message is a list of texts and of numbers, which stand for shared parts. Of a call's key stand the first
    digits, which suffice to find it in the ledger: digits of hashes are what compression cannot take away.
    """
    rows = {row.row_id: row for row in sources.snapshot.records}
    for item in ranked:
        first = rows[item.row_ids[0]]
        yield {
            **_build_expected(sources.scores.get(item.work_id)),
            "input": order_values(first, sources.snapshot) if len(item.row_ids) == 1 else None,
            "lines": [rows[row_id].line for row_id in item.row_ids[:MAX_LINES]],
            "n_rows": len(item.row_ids),
            "output": order_steps(item.output, sources.steps),
            "verdict": order_steps(item.verdict, sources.steps),
            "reason": item.reason,
            **_build_fate(item, sources.fates.get(item.work_id)),
            "calls": [_build_call(attempt, sources.calls, shared) for attempt in item.attempts],
        }


def order_steps(
    said: dict[str, JsonValue] | None, steps: Sequence[StepName]
) -> dict[str, JsonValue] | None:
    """What several steps said, in the order of the steps; a stored record has them sorted by name."""
    if said is None or not steps:
        return said
    return {step: said[step] for step in steps if step in said}


def _build_fate(item: ItemOutput, fate: ItemFate | None) -> dict[str, JsonValue]:
    """Which way it went and why, and what a person changed: each field's name, what the model said, what was written."""
    if fate is None:
        return {}
    known: dict[str, JsonValue] = {"fate": render_fate(fate.decision)}
    if fate.correction is not None:
        known["reviewer"] = fate.correction.reviewer
        known["edits"] = [
            [edit.name, edit.model, edit.person]
            for edit in list_edits(item.output, fate.correction)
        ]
    return known


def _build_expected(score: ItemScore | None) -> dict[str, JsonValue]:
    """Each field's name, what was expected of it, its score, and why it has none."""
    if score is None:
        return {}
    return {"expected": [[each.name, each.expected, each.score, each.gap] for each in score.fields]}


def order_values(row: InputRow, snapshot: InputSnapshot) -> dict[str, JsonValue]:
    """A row's values in the order of the table; a stored record has them sorted by name."""
    return {name: row.values.get(name) for name in snapshot.meta.columns}


def _build_call(
    attempt: Attempt, known: CallsOnRecord, shared: Mapping[Sha256, int]
) -> dict[str, JsonValue]:
    call = known.calls.get(attempt.call_key)
    at = attempt.answered_at
    entry: dict[str, JsonValue] = {
        **({} if attempt.step is None else {"step": attempt.step}),
        "number": attempt.number,
        "purpose": attempt.purpose,
        "key": attempt.call_key[:ID_DIGITS],
        "finish": attempt.finish_reason,
        "problem": attempt.problem,
        "verdict": attempt.verdict,
        "repaired": attempt.is_repaired,
        "prompt_tokens": attempt.prompt_tokens,
        "completion_tokens": attempt.completion_tokens,
        "cached_tokens": attempt.cached_tokens,
        "approximate": attempt.is_approximate,
        "cost": None if attempt.cost_usd is None else render_amount(attempt.cost_usd),
        "at": None if at is None else at.strftime("%Y-%m-%d %H:%M:%S"),
    }
    return entry if call is None else entry | _build_words(call, known, shared)


def _build_words(
    call: TriedCall, known: CallsOnRecord, shared: Mapping[Sha256, int]
) -> dict[str, JsonValue]:
    answer = call.answer
    return {
        "messages": [
            [message.role, [shared.get(part, known.parts[part]) for part in message.parts]]
            for message in call.messages
        ],
        "answer": answer and answer.text,
        "refusal": answer and answer.refusal,
        "model": answer and answer.model,
        "seconds": answer and round(answer.latency_seconds, 3),
        "faults": [f"{fault.http_status or fault.kind}: {fault.message}" for fault in call.faults],
    }


def _choose_fields(records: Sequence[ItemOutput]) -> tuple[str, ...]:
    """Labels tell items apart better than numbers, and a field with one value tells nothing."""
    spreads = build_spreads(records)
    labels = [each for each in spreads if isinstance(each, LabelSpread) and len(each.counts) > 1]
    numbers = [
        each for each in spreads if isinstance(each, NumberSpread) and each.lowest < each.highest
    ]
    chosen = {each.field for each in (*labels, *numbers)[:MAX_FIELD_COLUMNS]}
    return tuple(each.field for each in spreads if each.field in chosen)


def _list_groups(items: Sequence[ItemOutput]) -> list[str]:
    return list(dict.fromkeys(item.group_key for item in items if item.group_key is not None))


def _list_parts(call: TriedCall) -> list[Sha256]:
    return [part for message in call.messages for part in message.parts]


def _find_cost(item: ItemOutput) -> float | None:
    """Dollars, for sorting; None where any price is unknown."""
    cost_usd = sum_item_cost(item)
    return None if cost_usd is None else float(cost_usd)


def _render_plainly(value: JsonValue) -> str:
    if isinstance(value, bool | str):
        return render_label(value)
    if isinstance(value, list):
        return ", ".join(map(_render_plainly, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_render_plainly(each)}" for name, each in value.items())
    return str(value)


def list_call_keys(records: Sequence[ItemOutput]) -> tuple[CallKey, ...]:
    """Every call of the items, each once, in item order."""
    return tuple(dict.fromkeys(each.call_key for item in records for each in item.attempts))
