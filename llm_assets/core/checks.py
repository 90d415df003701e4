"""Whether a stage made what it promises: each check decides from the stage's values and says what it found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from llm_assets.config.checks import BudgetRule, CheckName, ShareRule
from llm_assets.config.task import BudgetSettings
from llm_assets.core.assessment import AssessmentMeta, find_shortfalls
from llm_assets.core.export import ExportTable
from llm_assets.core.export_misfits import find_misfits
from llm_assets.core.ids import RowId, WorkId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_matching import match_items
from llm_assets.core.llm_outputs import NOT_ASKED, ItemOutput, LLMOutputs, Outcome
from llm_assets.core.money import render_usd
from llm_assets.core.number_words import render_count, render_rough_percent
from llm_assets.core.output_validity import validate_outputs
from llm_assets.core.run_summary import RunSummary
from llm_assets.core.work_items import Mode, WorkItem


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one check found."""

    name: CheckName
    is_passed: bool
    sentence: str
    """For the person who has to act on it; also said where the check passed."""
    numbers: Mapping[str, int | float]


def build_share_check(
    name: CheckName,
    sentence: str,
    rule: ShareRule,
    *,
    share: float,
    numbers: Mapping[str, int],
    more: str = "",
) -> CheckResult:
    """Passed where the share is no larger than the rule allows; `sentence` is without a full stop, `more` follows it."""
    limit = f"({render_rough_percent(share)}; up to {render_rough_percent(rule.max_share)} may)."
    return CheckResult(
        name=name,
        is_passed=share <= rule.max_share,
        sentence=f"{sentence} {limit}{more}",
        numbers={**numbers, "share": round(share, 4), "max_share": rule.max_share},
    )


def decide_duplicates(
    items: Sequence[WorkItem], snapshot: InputSnapshot, rule: ShareRule
) -> CheckResult:
    """Whether few enough items show the model what an earlier one has shown it, with values as they were cut."""
    first_seen: set[object] = set()
    duplicates: list[WorkItem] = []
    for item in items:
        shown = _list_shown(item)
        if shown in first_seen:
            duplicates.append(item)
        first_seen.add(shown)
    more = ""
    if duplicates:
        more = f" The first is on {_find_place(snapshot, duplicates[0].row_ids[0])}."
    return build_share_check(
        "duplicates",
        f"{len(duplicates)} of {render_count(len(items), 'item')} show the model exactly the same as an earlier one",
        rule,
        share=len(duplicates) / max(len(items), 1),
        numbers={"items": len(items), "duplicates": len(duplicates)},
        more=more,
    )


def decide_records_complete(
    records: Sequence[ItemOutput], items: Sequence[WorkItem]
) -> CheckResult:
    """Whether each work item has one record, in the order of the items."""
    found, wanted = [record.work_id for record in records], [item.work_id for item in items]
    return _compare_ids(found, wanted, noun="item", entry="record")


def decide_lines_complete(
    found: Sequence[WorkId],
    *,
    snapshot: InputSnapshot,
    outputs: LLMOutputs,
    mode: Mode,
    only_accepted: bool,
) -> CheckResult:
    """Whether each row of the input, or each group, has one line in the export, in the order of the input.

    `found` are the items behind the lines. `StorageError` where the outputs are not those of these rows.
    """
    by_row = match_items(snapshot, outputs)
    is_grouped = mode == "group_output"
    items = outputs.records if is_grouped else [by_row[row.row_id] for row in snapshot.records]
    wanted = [item.work_id for item in items if not only_accepted or item.outcome == "accepted"]
    noun = "group" if is_grouped else "row"
    return _compare_ids(
        found, wanted, noun=f"accepted {noun}" if only_accepted else noun, entry="line"
    )


def decide_valid_outputs(
    records: Sequence[ItemOutput], snapshot: InputSnapshot, output_model: type[BaseModel]
) -> CheckResult:
    """Whether each accepted output passes the schema module as it is now."""
    accepted = [
        (record.row_ids[0], record.output) for record in records if record.output is not None
    ]
    validities = validate_outputs([output for _, output in accepted], output_model)
    states = Counter(validity.state for validity in validities)
    total = render_count(len(accepted), "accepted output")
    sentence = f"{states['valid']} of {total} are valid under the schema module."
    if states["unknown"]:
        sentence += (
            f" {states['unknown']} cannot be told: the schema does not read the form it writes."
        )
    for (row_id, _), validity in zip(accepted, validities, strict=True):
        if validity.state == "invalid":
            place, problem = _find_place(snapshot, row_id), validity.problem.rstrip(".")
            sentence += f" The first that is not answers {place}: {problem}."
            break
    return CheckResult(
        name="valid_outputs",
        is_passed=not states["invalid"],
        sentence=sentence,
        numbers={
            "accepted_outputs": len(accepted),
            "invalid": states["invalid"],
            "not_told": states["unknown"],
        },
    )


def decide_column_types(table: ExportTable) -> CheckResult:
    """Whether every value of an export is of its column's kind; the files hold those that are not as they are."""
    misfits = find_misfits(table)
    sentence = "Every value is of its column's kind."
    if misfits:
        first = misfits[0]
        sentence = (
            f"{first.column.name}: {render_count(first.n_values, 'value')} not of the kind {first.column.kind}, the first "
            f"in row {first.first_row}. They are exported as they are."
        )
    numbers = {"columns": len(misfits), "values": sum(each.n_values for each in misfits)}
    return CheckResult(
        name="column_types", is_passed=not misfits, sentence=sentence, numbers=numbers
    )


def decide_score(meta: AssessmentMeta) -> CheckResult:
    """Whether a batch scores as well as it has to, as a whole and in every field."""
    score = meta.total.score
    reached = (
        "Nothing was scored."
        if score is None
        else f"The score is {score:.3f} over {render_count(meta.total.n_scored, 'item')}."
    )
    shortfalls = find_shortfalls(meta)
    return CheckResult(
        name="score",
        is_passed=not shortfalls,
        sentence=" ".join(shortfalls) or reached,
        numbers={} if score is None else {"score": round(score, 4)},
    )


def decide_failed_items(outcomes: Mapping[Outcome, int], rule: ShareRule) -> CheckResult:
    """Whether few enough of the items that were not left out ended without an accepted output."""
    ends = {name: n for name, n in outcomes.items() if n and name not in NOT_ASKED}
    n_asked = sum(ends.values())
    n_failed = n_asked - ends.pop("accepted", 0)
    kinds = ", ".join(f"{count} {name}" for name, count in ends.items())
    sentence = f"{n_failed} of {render_count(n_asked, 'item')} have no accepted output"
    return build_share_check(
        "failed_items",
        f"{sentence}: {kinds}" if kinds else sentence,
        rule,
        share=n_failed / max(n_asked, 1),
        numbers={"items_asked": n_asked, "failed": n_failed},
    )


def decide_within_budget(
    summary: RunSummary, caps: BudgetSettings, rule: BudgetRule
) -> CheckResult:
    """Whether the budget left no item out, and the run kept its spending to the share of its caps that it may take.

    A budget is never passed; what would pass it is left out. Money whose amount nobody knows is said to be missing.
    """
    n_left_out = summary.outcomes.get("over_budget", 0)
    n_tokens = summary.prompt_tokens + summary.completion_tokens
    shares = _list_cap_shares(summary, caps)
    prefix = "" if summary.cost_is_known else "at least "
    sentence = f"The run spent {prefix}{render_usd(summary.cost_usd)} and {n_tokens:,} tokens"
    used = ", ".join(f"{render_rough_percent(share)} of {cap}" for cap, share in shares.items())
    sentence += f": {used} (up to {render_rough_percent(rule.max_share)} may)." if used else "."
    if n_left_out:
        sentence += (
            f" The budget left {render_count(n_left_out, 'item')} out; a later run asks for them."
        )
    elif not caps.is_capped:
        sentence += " There is no budget."
    return CheckResult(
        name="within_budget",
        is_passed=n_left_out == 0 and all(share <= rule.max_share for share in shares.values()),
        sentence=sentence,
        numbers={
            "items_left_out": n_left_out,
            "cost_usd": float(summary.cost_usd),
            "tokens": n_tokens,
            "max_share": rule.max_share,
        },
    )


def _list_cap_shares(summary: RunSummary, caps: BudgetSettings) -> dict[str, float]:
    """How much of each cap for a run was spent."""
    n_tokens = summary.prompt_tokens + summary.completion_tokens
    shares: dict[str, float] = {}
    if caps.per_run_usd is not None:
        shares[f"{render_usd(caps.per_run_usd)} for a run"] = float(
            summary.cost_usd / caps.per_run_usd
        )
    if caps.per_run_tokens is not None:
        shares[f"{caps.per_run_tokens:,} tokens for a run"] = n_tokens / caps.per_run_tokens
    return shares


def _compare_ids(
    found: Sequence[WorkId], wanted: Sequence[WorkId], *, noun: str, entry: str
) -> CheckResult:
    n_missing = (Counter(wanted) - Counter(found)).total()
    n_foreign = (Counter(found) - Counter(wanted)).total()
    is_passed = list(found) == list(wanted)
    total = render_count(len(wanted), noun)
    if is_passed:
        sentence = f"{total}, each with its {entry}, in their order."
    elif n_missing or n_foreign:
        foreign = f" and {render_count(n_foreign, entry)} too many" if n_foreign else ""
        sentence = f"{n_missing} of {total} without a {entry}{foreign}."
    else:
        sentence = f"{total}, each with its {entry}, but in another order."
    return CheckResult(
        name="rows_complete",
        is_passed=is_passed,
        sentence=sentence,
        numbers={"expected": len(wanted), "missing": n_missing, "too_many": n_foreign},
    )


def _list_shown(item: WorkItem) -> object:
    """What of an item reaches the model; the types stand beside the values, because Python holds 1 and true for equal."""
    values = tuple(item.values.values())
    pictures = tuple(each.file.sha256 if each.file else each.source for each in item.images)
    return item.group_context_id, values, tuple(map(type, values)), pictures


def _find_place(snapshot: InputSnapshot, row_id: RowId) -> str:
    lines = (row.line for row in snapshot.records if row.row_id == row_id)
    return f"line {next(lines, '?')} of {snapshot.meta.input_path}"
