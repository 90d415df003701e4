"""What became of every item, in item order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, JsonValue

from llm_assets.config.base import LEFT_OUT_IF_EMPTY, LEFT_OUT_IF_NONE
from llm_assets.config.hooks import HookKind
from llm_assets.core.calls import Purpose
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import CallKey, GroupContextId, GroupKey, RowId, Sha256, StepName, WorkId
from llm_assets.core.run_origin import GitState
from llm_assets.core.setting_changes import SettingChange
from llm_assets.core.values import CollectionMeta, FrozenModel

Outcome = Literal[
    "accepted",
    "invalid",
    "rejected",
    "truncated",
    "refused",
    "failed",
    "over_budget",
    "skipped",
    "blocked",
]
"""What can become of an item. Only `accepted` counts as an answer."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
NOT_ASKED: tuple[Outcome, ...] = ("skipped", "over_budget")
"""Of items that were left out on purpose: they are neither accepted nor failed."""

TEXT_LEVEL = "text"
"""Stands in place of the level of structured output where answers are text."""

_RECORD = ConfigDict(extra="forbid")


def _is_empty(value: object) -> bool:
    return not value


def _is_none(value: object) -> bool:
    return value is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call made for an item, and what came of it."""

    __pydantic_config__: ClassVar[ConfigDict] = _RECORD

    number: int
    purpose: Purpose
    call_key: CallKey
    finish_reason: str | None
    """None where no answer came."""
    problem: str | None
    """What was wrong with the answer, or what the judge found wrong with the one it judged."""
    is_repaired: bool
    """Whether broken JSON was mended before it was validated."""
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    is_approximate: bool
    """Whether the token counts are ours and not the provider's."""
    cost_usd: Decimal | None
    """None where the price is not known."""
    answered_at: datetime | None
    verdict: bool | None = None
    """Whether the judge accepts; None for every other call, and where the judge gave no verdict."""
    step: Annotated[StepName | None, LEFT_OUT_IF_NONE] = None
    """The step that asked, where a record joins those of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutput:
    """One item's end: its output, or why there is none."""

    __pydantic_config__: ClassVar[ConfigDict] = _RECORD

    work_id: WorkId
    row_ids: tuple[RowId, ...]
    group_key: GroupKey | None
    group_context_id: GroupContextId | None
    outcome: Outcome
    output: dict[str, JsonValue] | None
    """Valid under the schema, of several steps by their names; None unless the outcome is `accepted`."""
    verdict: dict[str, JsonValue] | None
    """What the judge said of the accepted output; None where the task has no judge."""
    reason: str | None
    """Why it was not accepted, in a sentence; None for an accepted item."""
    attempts: tuple[Attempt, ...]
    accepted_at: datetime | None
    """When the accepted answer was made, in UTC; of several steps, the latest."""
    parse_errors: Annotated[tuple[str, ...], Field(exclude_if=_is_empty)] = ()
    """What an accepted text answer lacks or says unclearly; defaults stand in its place. Not kept where there is
    nothing to say."""
    extra: Annotated[dict[str, JsonValue] | None, Field(exclude_if=_is_none)] = None
    """What the request hook had travel with the item, of several steps as `<step>.<name>`; not kept where there is
    nothing."""
    score: Annotated[float | None, Field(exclude_if=_is_none)] = None
    """The scorer's number for the accepted output, of several steps the last one's that has a scorer; not kept where
    there is none."""
    stopped_at: Annotated[StepName | None, LEFT_OUT_IF_NONE] = None
    """The step that brought no accepted output, where a record joins those of several."""


class Totals(FrozenModel):
    """Sums over items; costs are exact."""

    n_items: int
    outcomes: dict[Outcome, int]
    """Every outcome, those that did not occur with 0."""
    n_calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: Decimal
    """Of the calls whose price is known."""
    n_calls_unpriced: int
    """Calls whose price is not known; while there are any, the cost is a lower bound."""
    tokens_are_approximate: bool


class HookRecord(FrozenModel):
    """A function of the project that outputs were made with."""

    kind: HookKind
    name: str
    """File and function."""
    source_sha256: Sha256
    """Of the file."""


class LLMOutputsMeta(CollectionMeta):
    """What the outputs were made with."""

    format_version: Literal[1] = 1
    endpoint: str
    """The name in the config."""
    model: str
    is_rehearsal: bool
    """Whether the offline model answered, which is no LLM."""
    prompt_path: str
    prompt_sha256: Sha256
    schema_sha256: Sha256
    judge_model: str | None
    """None where the task has no judge."""
    judge_prompt_sha256: Sha256 | None
    judge_prompt_path: str | None = None
    judge_endpoint: str | None = None
    """The name in the config."""
    is_judge_rehearsal: bool = False
    """Whether the offline model judged."""
    structured_output: str
    """The level at which the endpoint was held to the schema, or `TEXT_LEVEL`."""
    parameters: dict[str, JsonValue]
    hooks: Annotated[tuple[HookRecord, ...], Field(exclude_if=_is_empty)] = ()
    """In the order in which they are called; not kept where there are none."""
    totals: Totals
    changes: tuple[SettingChange, ...] = ()
    """What was set for the run that made them alone."""
    git: GitState | None = None
    """Where the project stood then; None where it is in no repository."""
    cache_saving_usd: Decimal | None = None
    """What cached tokens saved; None where there are none or the price is not known."""
    steps: Annotated[tuple["StepAccount", ...], LEFT_OUT_IF_EMPTY] = ()
    """What each step was made with, where these outputs join those of several; the fields above name all of them."""

    @property
    def is_text(self) -> bool:
        """Whether answers, of several steps those of any, are text from which outputs are taken."""
        is_one_step = self.structured_output == TEXT_LEVEL
        return is_one_step or any(account.made.is_text for account in self.steps)


class StepAccount(FrozenModel):
    """One of the steps whose outputs were joined."""

    name: StepName
    after: tuple[StepName, ...]
    """The steps it comes directly after."""
    made: LLMOutputsMeta


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMOutputs:
    """The outputs of one batch: as many records as there are items, in their order."""

    meta: LLMOutputsMeta
    records: tuple[ItemOutput, ...]


def count_outcomes(records: Sequence[ItemOutput]) -> dict[Outcome, int]:
    """How many items ended in each way; those in which none did are there with 0."""
    outcomes = dict.fromkeys(OUTCOMES, 0)
    for record in records:
        outcomes[record.outcome] += 1
    return outcomes


def build_totals(records: Sequence[ItemOutput]) -> Totals:
    """Count and add up what became of the items and what their calls took."""
    # Equal items share a call, which is paid once.
    attempts = list({a.call_key: a for record in records for a in record.attempts}.values())
    costs = [attempt.cost_usd for attempt in attempts if attempt.cost_usd is not None]
    return Totals(
        n_items=len(records),
        outcomes=count_outcomes(records),
        n_calls=len(attempts),
        prompt_tokens=sum(attempt.prompt_tokens for attempt in attempts),
        completion_tokens=sum(attempt.completion_tokens for attempt in attempts),
        cached_tokens=sum(attempt.cached_tokens for attempt in attempts),
        cost_usd=sum(costs, Decimal(0)),
        n_calls_unpriced=len(attempts) - len(costs),
        tokens_are_approximate=any(attempt.is_approximate for attempt in attempts),
    )


def fingerprint_outputs(outputs: LLMOutputs) -> Sha256:
    """The hash of what counts downstream: which items there are, who answered, how they ended, with what and judged how.

    Times, costs and token counts are left out: an answer that was fetched again and is the same is no change.
    """
    records = [_list_what_counts(record) for record in outputs.records]
    return fingerprint([records, _list_what_is_shown(outputs.meta)])


def _list_what_is_shown(meta: LLMOutputsMeta) -> list[object]:
    """What an export says of the outputs as a whole, and which columns it has because of them."""
    kinds = {hook.kind for hook in meta.hooks}
    hooked = ["request" in kinds, "scorer" in kinds]
    return [meta.model, meta.is_rehearsal, meta.is_text, *hooked]


def _list_what_counts(record: ItemOutput) -> list[object]:
    ids = [record.work_id, record.row_ids]
    parts: list[object] = [*ids, record.outcome, record.output, record.verdict, record.reason]
    added = [record.parse_errors, record.extra, record.score]
    # Records of tasks that know nothing of these keep their hash.
    if any(value not in (None, ()) for value in added):
        parts += added
    return parts if record.stopped_at is None else [*parts, record.stopped_at]
