"""How what became of an item in each step is put into one record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import (
    Attempt,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    StepAccount,
    build_totals,
)
from llm_assets.errors import StorageError


def join_steps(
    outputs: Mapping[StepName, LLMOutputs], *, after: Mapping[StepName, tuple[StepName, ...]]
) -> LLMOutputs:
    """One record an item, in item order; `outputs` are those of all steps, in the order in which they run.

    `StorageError` where the steps were made for different items.
    """
    names = tuple(outputs)
    check_same_items({name: each.records for name, each in outputs.items()})
    rows = zip(*(each.records for each in outputs.values()), strict=True)
    records = tuple(join_item(dict(zip(names, ends, strict=True))) for ends in rows)
    accounts = tuple(
        StepAccount(name=name, after=after[name], made=each.meta) for name, each in outputs.items()
    )
    return LLMOutputs(meta=_join_metas(accounts, records), records=records)


def check_same_items(outputs: Mapping[StepName, Sequence[ItemOutput]]) -> None:
    """Make sure that all steps have the same items in the same order; `StorageError` names one that has not."""
    ids = {name: [record.work_id for record in records] for name, records in outputs.items()}
    first = next(iter(ids), None)
    other = next((name for name in ids if first is not None and ids[name] != ids[first]), None)
    if other is not None:
        raise StorageError(
            f"The stored outputs of the steps {first!r} and {other!r} belong to different items; nothing was joined.",
            remedy="Run the task again for this batch; calls that were answered are not repeated.",
        )


def join_item(ends: Mapping[StepName, ItemOutput]) -> ItemOutput:
    """What became of an item in all: accepted by every step, or the end of the first step that stopped it."""
    stopped = [name for name, end in ends.items() if end.outcome != "accepted"]
    extra = {
        f"{name}.{key}": each
        for name, end in ends.items()
        for key, each in (end.extra or {}).items()
    }
    attempts = tuple(
        replace(attempt, step=name) for name, end in ends.items() for attempt in end.attempts
    )
    if stopped:
        # A blocked step comes after the one that stopped the item, which may be none of these.
        own = [name for name in stopped if ends[name].outcome != "blocked"]
        name = (own or stopped)[0]
        return replace(
            ends[name],
            attempts=attempts,
            output=None,
            verdict=None,
            extra=extra or None,
            stopped_at=name,
        )
    last = list(ends.values())[-1]
    times = [end.accepted_at for end in ends.values() if end.accepted_at is not None]
    scores = [end.score for end in ends.values()][::-1]
    verdicts: dict[str, JsonValue] = {
        name: end.verdict for name, end in ends.items() if end.verdict is not None
    }
    return replace(
        last,
        output={name: end.output for name, end in ends.items()},
        verdict=verdicts or None,
        attempts=attempts,
        accepted_at=max(times, default=None),
        parse_errors=tuple(
            _place_error(error, name) for name, end in ends.items() for error in end.parse_errors
        ),
        extra=extra or None,
        score=next((score for score in scores if score is not None), None),
    )


def _place_error(error: str, step: StepName) -> str:
    """`` `reply.tone`: … `` for `` `tone`: … ``."""
    return f"`{step}.{error[1:]}" if error.startswith("`") else f"{step}: {error}"


def _join_metas(accounts: Sequence[StepAccount], records: Sequence[ItemOutput]) -> LLMOutputsMeta:
    metas = [account.made for account in accounts]
    judged = [meta for meta in metas if meta.judge_model is not None]
    return LLMOutputsMeta(
        endpoint=_name_all(meta.endpoint for meta in metas),
        model=_name_all(meta.model for meta in metas),
        is_rehearsal=any(meta.is_rehearsal for meta in metas),
        prompt_path=_name_all(meta.prompt_path for meta in metas),
        prompt_sha256=fingerprint([meta.prompt_sha256 for meta in metas]),
        schema_sha256=fingerprint([meta.schema_sha256 for meta in metas]),
        judge_model=_name_all(meta.judge_model for meta in judged) or None,
        judge_prompt_sha256=fingerprint([meta.judge_prompt_sha256 for meta in judged])
        if judged
        else None,
        judge_prompt_path=_name_all(meta.judge_prompt_path for meta in judged) or None,
        judge_endpoint=_name_all(meta.judge_endpoint for meta in judged) or None,
        is_judge_rehearsal=any(meta.is_judge_rehearsal for meta in judged),
        structured_output=_name_all(meta.structured_output for meta in metas),
        hooks=tuple(dict.fromkeys(hook for meta in metas for hook in meta.hooks)),
        parameters={account.name: account.made.parameters for account in accounts},
        totals=build_totals(records),
        changes=tuple({change.path: change for meta in metas for change in meta.changes}.values()),
        steps=tuple(accounts),
    )


def _name_all(names: Iterable[str | None]) -> str:
    return ", ".join(dict.fromkeys(name for name in names if name is not None))


def list_step_attempts(record: ItemOutput, name: StepName) -> tuple[Attempt, ...]:
    """The attempts of one step in a joined record."""
    return tuple(attempt for attempt in record.attempts if attempt.step == name)
