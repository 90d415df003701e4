import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from llm_assets.config.checks import CheckSettings
from llm_assets.config.gate import GateSettings
from llm_assets.core.gate import ROUTES, GateMeta, decide_route, read_number
from llm_assets.core.gate_check import decide_gate_share
from llm_assets.core.gate_rule import GateRule, build_gate_rule
from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import OUTCOMES
from llm_assets.core.output_forms import OutputForm
from llm_assets.errors import ConfigError, StorageError
from llm_assets_tests.core.reviews import (
    FORMS,
    RULE,
    Ticket,
    build_correction,
    build_ends,
    build_items,
    build_plain_end,
    build_rows,
    build_ticket,
    correct,
    decide,
    match,
)

VALUES = {
    "the threshold itself": (0.8, "published"),
    "above": (0.81, "published"),
    "a whole number above": (1, "published"),
    "just below": (math.nextafter(0.8, 0), "review_queue"),
    "below": (0, "review_queue"),
    "nothing": (None, "review_queue"),
    "true is no number": (True, "review_queue"),
    "a text": ("high", "review_queue"),
    "an exact decimal": ("0.80", "published"),
    "an exact decimal below": ("0.7999999999999999999", "review_queue"),
    "a list": ([0.9], "review_queue"),
    "not a number": (math.nan, "review_queue"),
    "infinite": (math.inf, "review_queue"),
    "an infinite text": ("Infinity", "review_queue"),
    "a text that is not a number": ("NaN", "review_queue"),
}


@pytest.mark.parametrize(("value", "route"), VALUES.values(), ids=VALUES.keys())
def test_a_number_has_to_reach_the_threshold(value, route):
    """0.8 passes at 0.8, whatever is no number does not."""
    decided = decide_route(build_plain_end(1, {"confidence": value}), RULE)
    assert (decided.route, decided.origin, decided.threshold) == (route, "model", 0.8)


def test_a_missing_field_is_below():
    """An output without the field waits for a person."""
    decided = decide_route(build_plain_end(1, {}), RULE)
    assert (decided.route, decided.value) == ("review_queue", None)
    assert decided.why == "confidence holds no number, which counts as below 0.8."


REASONS = {
    "passed": (0.9, None, "confidence is 0.9, at least 0.8."),
    "below": (0.5, None, "confidence is 0.5, below 0.8."),
    "approved": (0.5, build_correction(note="Fine"), "Approved by Ana: Fine"),
    "edited": (0.5, build_correction("edit"), "Edited by Ana."),
    "rejected": (0.9, build_correction("reject"), "Rejected by Ana."),
}


@pytest.mark.parametrize(("value", "correction", "why"), REASONS.values(), ids=REASONS.keys())
def test_a_decision_says_why(value, correction, why):
    """Each names the value and the threshold, or the person."""
    item = build_plain_end(1, {"confidence": value})
    assert decide_route(item, RULE, correction=correction).why == why


def test_an_item_without_an_output_goes_nowhere():
    """It is no matter for a person, and why it has none is told."""
    failed = decide_route(build_plain_end(1, None, "blocked"), RULE)
    assert (failed.route, failed.why) == ("failed", "blocked: No.")


PEOPLE = {
    "approve": ("approve", "published"),
    "edit": ("edit", "published"),
    "reject": ("reject", "turned_down"),
}


@pytest.mark.parametrize(("decision", "route"), PEOPLE.values(), ids=PEOPLE.keys())
@pytest.mark.parametrize("confidence", [0.1, 0.9, None])
def test_a_person_wins_over_the_model(decision, route, confidence):
    """Also over an answer that passes, and where there is none."""
    output = None if confidence is None else {"confidence": confidence}
    item = build_plain_end(1, output, "accepted" if output else "failed")
    decided = decide_route(item, RULE, correction=build_correction(decision))
    assert (decided.route, decided.origin, decided.reviewer) == (route, "person", "Ana")


def test_an_outgrown_decision_is_named():
    """It does not count, and whoever looks at the item sees that there is one."""
    item = build_plain_end(1, {"confidence": 0.9})
    decided = decide_route(item, RULE, outdated=build_correction("reject"))
    assert (decided.route, decided.reviewer) == ("published", None)
    assert decided.why.endswith(
        "What Ana decided on 2026-03-02 (reject) no longer applies: the row has changed since."
    )


ENDS = st.tuples(
    st.sampled_from(OUTCOMES),
    st.one_of(
        st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.lists(st.floats())
    ),
    st.sampled_from(["approve", "edit", "reject", None]),
)


@given(st.lists(ENDS, max_size=12), st.floats(allow_nan=False))
def test_each_item_goes_one_way(ends, threshold):
    """Whatever became of the items and whatever people decided, the routes add up and keep their order."""
    rows = build_rows(*({"id": str(at), "text": "t"} for at in range(len(ends))))
    items = build_items(rows) if ends else build_items(build_rows())
    outputs = build_ends(
        items,
        *({"confidence": value} if outcome == "accepted" else None for outcome, value, _ in ends),
    )
    made = [
        correct(rows, items, at, decision)
        for at, (_, _, decision) in enumerate(ends)
        if decision is not None
    ]
    rule = GateRule(field="confidence", path=("confidence",), at_least=threshold)
    gate = decide(items, outputs, match(made, rows, items), rule)
    assert [record.work_id for record in gate.records] == [item.work_id for item in items.records]
    assert {record.route for record in gate.records} <= set(ROUTES)
    assert sum(gate.meta.routes.values()) == len(ends)
    assert tuple(gate.meta.routes) == ROUTES
    for record, (outcome, _, decision) in zip(gate.records, ends, strict=True):
        assert (record.route == "turned_down") is (decision == "reject")
        assert (record.route == "failed") is (decision is None and outcome != "accepted")


def test_outputs_of_other_items_are_refused():
    """Otherwise people's decisions would be passed over without a word."""
    rows = build_rows({"id": "1", "text": "t"})
    items = build_items(rows)
    others = build_items(rows, truncate_field_chars=1)
    with pytest.raises(StorageError, match="not those of the stored work items"):
        decide(items, build_ends(others, build_ticket()), match([], rows, items))


def test_a_decimal_is_compared_as_it_is_spelt():
    """The nearest float to 0.8 is a little above it; an exact 0.8 reaches it all the same."""
    assert read_number({"a": {"b": "0.8"}}, ("a", "b")) == Decimal("0.8")


class Entities(BaseModel):
    certainty: float
    people: list[str]


class Priced(BaseModel):
    price: Decimal


CHAIN = (OutputForm(StepName("extract"), Entities), OutputForm(StepName("classify"), Ticket))
FIELDS = {
    "of the only step": ("confidence", FORMS, ("confidence",)),
    "of the last step": ("confidence", CHAIN, ("classify", "confidence")),
    "of the last step by its name": ("classify.confidence", CHAIN, ("classify", "confidence")),
    "of an earlier step": ("extract.certainty", CHAIN, ("extract", "certainty")),
    "an exact decimal": ("price", (OutputForm(None, Priced),), ("price",)),
}


@pytest.mark.parametrize(("field", "forms", "path"), FIELDS.values(), ids=FIELDS.keys())
def test_a_field_is_found(field, forms, path):
    """In a chain, a plain name is a field of the last step."""
    rule = build_gate_rule(GateSettings(field=field, at_least=1), forms)
    assert rule == GateRule(field=field, path=path, at_least=1.0)


WRONG_FIELDS = {
    "misspelt": ("confidnce", FORMS, "Did you mean 'confidence'?"),
    "misspelt inside": ("place.cty", FORMS, "Did you mean 'place.city'?"),
    "misspelt in a step": ("extract.certanty", CHAIN, "Did you mean 'extract.certainty'?"),
    "of another step": ("certainty", CHAIN, "Did you mean 'extract.certainty'?"),
    "an unknown step": ("summarize.confidence", CHAIN, "has no field"),
    "a text": ("summary", FORMS, "which is text and never a number"),
    "a boolean": ("is_angry", FORMS, "which is true or false and never a number"),
    "a list": ("tags", FORMS, "which is a list and never a number"),
    "an object": ("place", FORMS, "which is an object and never a number"),
}


@pytest.mark.parametrize(
    ("field", "forms", "message"), WRONG_FIELDS.values(), ids=WRONG_FIELDS.keys()
)
def test_a_wrong_field_is_told_before_the_first_call(field, forms, message):
    """A gate on what is not there, or is never a number, would keep everything back."""
    with pytest.raises(ConfigError) as caught:
        build_gate_rule(GateSettings(field=field, at_least=0.8), forms)
    assert message in str(caught.value)
    assert "`gate.field` names" in str(caught.value)


SHARES = {
    "few": ({"published": 9, "review_queue": 1}, True, "1 of 10 items with an output wait"),
    "as many as may": ({"published": 3, "review_queue": 1}, True, "(25%; up to 25% may)"),
    "too many": ({"review_queue": 2, "turned_down": 4}, False, "2 of 6 items with an output wait"),
    "failed ones do not count": ({"failed": 9, "published": 1}, True, "0 of 1 item with an output"),
    "nothing at all": ({}, True, "0 of 0 items"),
}


@pytest.mark.parametrize(("routes", "is_passed", "part"), SHARES.values(), ids=SHARES.keys())
def test_few_enough_items_wait(routes, is_passed, part):
    """The check says how many wait for a person, and how many may."""
    meta = GateMeta(
        field="confidence",
        at_least=0.8,
        routes=dict.fromkeys(ROUTES, 0) | routes,
        n_by_people=0,
        n_outdated=0,
    )
    result = decide_gate_share(meta, CheckSettings().gate_share)
    assert (result.name, result.is_passed) == ("gate_share", is_passed)
    assert part in result.sentence


def test_flagged_decisions_are_told():
    """Somebody has to look at a decision whose row has changed."""
    meta = GateMeta(
        field="a", at_least=1, routes=dict.fromkeys(ROUTES, 0), n_by_people=0, n_outdated=2
    )
    result = decide_gate_share(meta, CheckSettings().gate_share)
    assert result.sentence.endswith("2 decisions of people no longer apply: their rows changed.")
