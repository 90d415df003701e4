from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.chain_outputs import join_item, join_steps
from llm_assets.core.ids import Sha256, StepName
from llm_assets.core.item_ends import build_attempt
from llm_assets.core.llm_outputs import (
    OUTCOMES,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    Outcome,
    build_totals,
    fingerprint_outputs,
)
from llm_assets.errors import StorageError
from llm_assets_tests.core.builders import NOON, build_answer
from llm_assets_tests.core.chains import FIRST, LINE, SECOND, THIRD, build_end_of, name_items

NAMES = (FIRST, SECOND, THIRD)
SHA = Sha256("0" * 64)


def build_outputs(name: StepName, records: tuple[ItemOutput, ...]) -> LLMOutputs:
    meta = LLMOutputsMeta(
        endpoint="offline" if name == THIRD else "office",
        model=f"model-{name}",
        is_rehearsal=name == THIRD,
        prompt_path=f"{name}.yaml",
        prompt_sha256=SHA,
        schema_sha256=SHA,
        judge_model=None,
        judge_prompt_sha256=None,
        structured_output="json_schema",
        parameters={},
        totals=build_totals(records),
    )
    return LLMOutputs(meta=meta, records=records)


def join(ends: list[tuple[ItemOutput, ...]]) -> LLMOutputs:
    columns = [name_items(column) for column in zip(*ends, strict=True)]
    return join_steps(
        {name: build_outputs(name, column) for name, column in zip(NAMES, columns, strict=True)},
        after=LINE,
    )


def add_call(end: ItemOutput, key: str, cost_usd: str = "0.01") -> ItemOutput:
    answer = build_answer(key=key, cost_usd=cost_usd)
    attempt = build_attempt(answer, number=1, purpose="generate", problem=None, is_repaired=False)
    return replace(end, attempts=(*end.attempts, attempt))


def test_an_item_is_accepted_where_every_step_accepts_it():
    """Its output has each step's under its name; the time is that of the last answer."""
    ends = {name: replace(build_end_of(label=name), accepted_at=NOON) for name in NAMES}
    joined = join_item(ends)
    assert joined.outcome == "accepted"
    assert joined.output == {name: {"label": name} for name in NAMES}
    assert (joined.reason, joined.stopped_at, joined.accepted_at) == (None, None, NOON)


def test_what_hooks_and_text_answers_say_of_steps_is_kept():
    """Extra values and missing parts stand under their steps; the score is that of the last step that has one."""
    first = replace(
        build_end_of(label="a"), extra={"n": 1}, score=0.5, parse_errors=("`tone`: gone", "gone")
    )
    second = replace(build_end_of(label="b"), extra={"n": 2}, score=0.0)
    joined = join_item({FIRST: first, SECOND: second, THIRD: build_end_of(label="c")})
    assert joined.extra == {"first.n": 1, "second.n": 2}
    assert joined.parse_errors == ("`first.tone`: gone", "first: gone")
    assert joined.score == 0
    stopped = join_item({FIRST: first, SECOND: replace(build_end_of("failed"), extra={"n": 3})})
    assert (stopped.extra, stopped.score) == ({"first.n": 1, "second.n": 3}, None)


@pytest.mark.parametrize(
    ("outcomes", "outcome", "stopped_at"),
    [
        (("invalid", "blocked", "blocked"), "invalid", FIRST),
        (("accepted", "rejected", "blocked"), "rejected", SECOND),
        (("accepted", "accepted", "over_budget"), "over_budget", THIRD),
        (("accepted", "failed", "refused"), "failed", SECOND),
        (("skipped", "blocked", "blocked"), "skipped", FIRST),
        (("blocked", "failed", "accepted"), "failed", SECOND),
        (("accepted", "blocked", "accepted"), "blocked", SECOND),
    ],
)
def test_the_first_step_that_stopped_an_item_speaks_for_it(
    outcomes: tuple[Outcome, ...], outcome: Outcome, stopped_at: StepName
):
    """Outcome and reason are that step's own, no part of an output counts, and no step is merely blocked."""
    ends = {
        name: build_end_of(each, reason=f"{name}: {each}")
        for name, each in zip(NAMES, outcomes, strict=True)
    }
    joined = join_item(ends)
    assert (joined.outcome, joined.stopped_at, joined.output) == (outcome, stopped_at, None)
    assert joined.reason == f"{stopped_at}: {outcome}"


def test_attempts_of_all_steps_carry_their_names_and_add_up():
    """Costs and tokens of a joined batch are the sums over its steps, an item's over its own calls."""
    chain = [add_call(build_end_of(label=name), f"{name}-1") for name in NAMES]
    failed = [add_call(build_end_of("invalid"), "first-2"), *[build_end_of("blocked")] * 2]
    joined = join([tuple(chain), tuple(failed)])
    assert [attempt.step for attempt in joined.records[0].attempts] == list(NAMES)
    totals = joined.meta.totals
    assert (totals.n_calls, totals.cost_usd, totals.prompt_tokens) == (4, Decimal("0.04"), 200)
    steps = [account.made.totals for account in joined.meta.steps]
    assert [each.n_calls for each in steps] == [2, 1, 1]
    assert sum(each.cost_usd for each in steps) == totals.cost_usd
    assert [each.outcomes["blocked"] for each in steps] == [0, 1, 1]


def test_the_meta_names_all_models_and_any_rehearsal():
    """One step that the offline model answered makes the whole a rehearsal."""
    joined = join([tuple(build_end_of() for _ in NAMES)])
    meta = joined.meta
    assert (meta.model, meta.endpoint) == (
        "model-first, model-second, model-third",
        "office, offline",
    )
    assert meta.is_rehearsal
    assert [(account.name, account.after) for account in meta.steps] == list(LINE.items())


def test_steps_of_different_items_are_not_joined():
    """Outputs of another batch or another order are told apart, and nothing is made of them."""
    records = name_items([build_end_of(), build_end_of()])
    outputs = {
        FIRST: build_outputs(FIRST, records),
        SECOND: build_outputs(SECOND, records[::-1]),
    }
    with pytest.raises(StorageError, match="'first' and 'second' belong to different items"):
        join_steps(outputs, after=LINE)


def test_which_step_stopped_an_item_counts_downstream():
    """The version of joined outputs changes where another step stopped an item for the same reason."""
    early = join(
        [tuple(build_end_of(each, reason="r") for each in ("failed", "blocked", "blocked"))]
    )
    late = join(
        [tuple(build_end_of(each, reason="r") for each in ("accepted", "failed", "blocked"))]
    )
    assert fingerprint_outputs(early) != fingerprint_outputs(late)


CHAINS = st.lists(
    st.tuples(*[st.sampled_from(OUTCOMES)] * 3).map(
        lambda outcomes: tuple(build_end_of(outcome) for outcome in outcomes)
    ),
    max_size=5,
)


@given(CHAINS)
def test_a_join_keeps_every_item_and_its_order(ends: list[tuple[ItemOutput, ...]]):
    """As many records come out as went in, accepted exactly where all are, and never with an output otherwise."""
    if not ends:
        return
    joined = join(ends)
    assert len(joined.records) == len(ends)
    for number, (record, chain) in enumerate(zip(joined.records, ends, strict=True), start=1):
        assert record.work_id == f"w{number}"
        is_accepted = all(end.outcome == "accepted" for end in chain)
        assert (record.outcome == "accepted") is is_accepted
        assert (record.output is not None) is is_accepted
        assert (record.stopped_at is None) is is_accepted
        assert record.outcome in {end.outcome for end in chain}
