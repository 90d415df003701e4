from dataclasses import replace

import pytest

from llm_assets.core.calls import CallOrigin, Purpose
from llm_assets.core.ids import CallKey, GroupContextId, RowId, Sha256
from llm_assets.core.item_origin import build_origin
from llm_assets.core.item_replay import ReplayedItem, replay_items
from llm_assets.core.items import Item
from llm_assets.core.plan_reasons import RecordedCall, decide_reason, decide_reasons
from llm_assets_tests.core.builders import BAD, GOOD, build_answer, build_item, build_label_step
from llm_assets_tests.core.judges import build_judged_step

STEP = build_label_step()
NOBODY: frozenset[RowId] = frozenset()


def build_state(
    item: Item | None = None, *, answers=(), key: str = "next", purpose: Purpose = "generate"
) -> ReplayedItem:
    return ReplayedItem(
        item=item or build_item(),
        answers=answers,
        output=None,
        next_key=CallKey(key),
        next_purpose=purpose,
    )


def record(origin: CallOrigin, **changes) -> RecordedCall:
    """What is on record of a call made from these parts, but for some."""
    call = RecordedCall(
        group_context_id=origin.group_context_id,
        prompt_sha256=origin.prompt_sha256,
        schema_sha256=origin.schema_sha256,
        settings_sha256=origin.settings_sha256,
        is_answered=True,
    )
    return replace(call, **changes)


def decide(state: ReplayedItem, *, is_row_known: bool = False, is_unknown: bool = False, **changes):
    origin = build_origin(STEP, state.item, state.next_purpose or "generate")
    latest = None if is_unknown else record(origin, **changes)
    return decide_reason(state, origin, latest=latest, is_row_known=is_row_known)


OTHER = Sha256("other")
GROUP = {"group_context_id": GroupContextId("other")}
PROMPT, SCHEMA = {"prompt_sha256": OTHER}, {"schema_sha256": OTHER}
SETTINGS = {"settings_sha256": OTHER}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (GROUP, "group_changed"),
        (PROMPT, "prompt_changed"),
        (SCHEMA, "schema_changed"),
        (SETTINGS, "settings_changed"),
        ({**GROUP, **PROMPT, **SCHEMA, **SETTINGS}, "group_changed"),
        ({**PROMPT, **SCHEMA, **SETTINGS}, "prompt_changed"),
        ({**SCHEMA, **SETTINGS}, "schema_changed"),
        ({**PROMPT, "is_answered": False}, "prompt_changed"),
    ],
)
def test_the_first_part_that_changed_is_the_reason(changes, reason):
    """What a call is made from is compared in a fixed order, also where the last call had no answer."""
    assert decide(build_state(), **changes) == reason


def test_an_item_without_calls_is_new_or_its_row_has_changed():
    """A row that is on record with other content has changed; a group has where its first row is on record."""
    group = build_item()
    group = replace(group, work=replace(group.work, values={}))
    assert decide(build_state(), is_unknown=True) == "new"
    assert decide(build_state(), is_unknown=True, is_row_known=True) == "row_changed"
    assert decide(build_state(group), is_unknown=True, is_row_known=True) == "group_changed"


def test_an_unchanged_item_that_was_asked_has_failed():
    """Answers that were no good, and calls that never brought one, are the same reason."""
    asked = build_state(answers=(build_answer(BAD),))
    assert decide(asked) == "failed_before"
    assert decide(asked, is_unknown=True) == "failed_before"
    assert decide(build_state(), is_answered=False) == "failed_before"


def test_an_unchanged_item_that_is_answered_is_forced():
    """Only another epoch, or a setting that no hash of the record covers, can make an answered call due again."""
    assert decide(build_state(build_item(epoch=1))) == "forced"
    assert decide(build_state()) == "settings_changed"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "failed_before"),
        (PROMPT, "judge_changed"),
        (SCHEMA, "judge_changed"),
        (SETTINGS, "judge_changed"),
        ({"is_unknown": True}, "judge_changed"),
    ],
)
def test_an_answer_that_waits_for_its_judge(changes, reason):
    """A judge that was not asked, or was asked with other words, is new to the item; else its verdict was no good."""
    state = build_state(answers=(build_answer(GOOD),), purpose="judge")
    assert decide(state, **changes) == reason


def test_a_judge_is_compared_with_its_own_prompt():
    """A change of the generating prompt is none of the judge's, and the other way round."""
    step = build_judged_step()
    state = build_state(answers=(build_answer(GOOD),), purpose="judge")
    latest = {state.item.work.work_id: record(build_origin(step, state.item, "judge"))}

    def decide_for(other):
        return decide_reasons(other, [state], latest=latest, known_rows=NOBODY)

    assert decide_for(build_judged_step(user="New: {{ text }}")) == ("failed_before",)
    assert decide_for(build_judged_step(prompt="New: {{ output_json }}")) == ("judge_changed",)


def test_items_that_share_a_call_share_its_reason():
    """Of equal rows only the first is on record; the others are due for the same reason and not new."""
    states = [
        build_state(build_item(number=n), key=key) for n, key in ((1, "a"), (2, "a"), (3, "b"))
    ]
    origin = build_origin(STEP, states[1].item, "generate")
    latest = {states[1].item.work.work_id: record(origin, **PROMPT)}
    reasons = decide_reasons(STEP, states, latest=latest, known_rows=frozenset({RowId("r3")}))
    assert reasons == ("prompt_changed", "prompt_changed", "row_changed")


def test_replayed_items_say_what_their_next_call_is_for():
    """An item before its first call waits for the model, one with a valid answer for the judge, a finished one for none."""
    step = build_judged_step()
    (new,) = replay_items(step, [build_item()], lambda _: {})
    assert new.next_key is not None
    answered = {new.next_key: build_answer(GOOD, key=new.next_key)}
    (waiting,) = replay_items(
        step, [build_item()], lambda keys: {k: answered[k] for k in keys if k in answered}
    )
    (done,) = replay_items(
        build_label_step(),
        [build_item()],
        lambda keys: {k: build_answer(GOOD, key=k) for k in keys},
    )
    assert [state.next_purpose for state in (new, waiting, done)] == ["generate", "judge", None]
