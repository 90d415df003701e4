from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.compared_sides import ComparedSide
from llm_assets.core.comparison import MAX_CHANGED, build_comparison
from llm_assets.core.comparison_markdown import render_comparison_markdown
from llm_assets.core.comparison_text import (
    list_notes,
    render_change,
    render_mean,
    render_sureness,
    render_verdict,
)
from llm_assets.core.differences import build_mean_difference, build_share_difference
from llm_assets.core.field_differences import is_same
from llm_assets.core.ids import BatchKey, WorkId
from llm_assets.core.llm_outputs import LLMOutputsMeta, build_totals
from llm_assets_tests.core.comparisons import build_batch, build_compared
from llm_assets_tests.core.test_report import build_attempt

GOOD = {"mood": "good", "score": 3, "sure": True}
BAD = {"mood": "bad", "score": 5, "sure": False}


def build_side(outputs, *, name="notes", scores=None, batches_alone=(), attempts=None, **changes):
    """A side whose items have these outputs, in order; None is a failed item."""
    items = [
        build_compared(f"text {place}", place=place, output=output, attempts=attempts)
        for place, output in enumerate(outputs)
    ]
    batch = build_batch(
        items, scores={WorkId(f"w{at}"): each for at, each in (scores or {}).items()}
    )
    meta = LLMOutputsMeta.model_validate(
        {
            "endpoint": "e",
            "model": "m-1",
            "is_rehearsal": False,
            "prompt_path": "p.yaml",
            "prompt_sha256": "a" * 64,
            "schema_sha256": "b" * 64,
            "judge_model": None,
            "judge_prompt_sha256": None,
            "structured_output": "json_schema",
            "parameters": {},
            "totals": build_totals([each.item for each in items]),
            **changes,
        }
    )
    return ComparedSide(
        name=name, batches=((batch, meta),), batches_alone=tuple(map(BatchKey, batches_alone))
    )


def compare(a, b, n_examples=5):
    return build_comparison(a, b, n_examples=n_examples)


def find_field(comparison, name):
    (found,) = [field for field in comparison.fields if field.name == name]
    return found


def find_difference(comparison, name):
    (found,) = [each for each in comparison.differences if each.name == name]
    return found


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, "", False),
        ("1", 1, False),
        ([1, {"b": 2, "a": 1}], [1, {"a": 1, "b": 2}], True),
        ([1, 2], [2, 1], False),
    ],
)
def test_values_that_say_the_same(a, b, same):
    """Numbers by what they are, everything else by type and content; the order of keys is no content."""
    assert is_same(a, b) is is_same(b, a) is same


@given(st.lists(st.sampled_from([GOOD, BAD, None]), max_size=12))
def test_a_side_is_the_same_as_itself(outputs):
    """Nothing is changed, alone or clearly different."""
    comparison = compare(build_side(outputs), build_side(outputs))
    assert (comparison.n_changed, comparison.n_only_a, comparison.n_only_b) == (0, 0, 0)
    assert comparison.n_pairs == len(outputs)
    assert all(field.n_different == 0 for field in comparison.fields)
    assert not any(each.is_clear for each in comparison.differences)
    render_comparison_markdown(comparison)


@given(*[st.lists(st.sampled_from([GOOD, BAD, None]), max_size=12)] * 2)
def test_the_other_way_round_everything_is_mirrored(outputs_a, outputs_b):
    """Counts of both sides change places, and differences their sign."""
    a, b = build_side(outputs_a), build_side(outputs_b)
    there, back = compare(a, b), compare(b, a)
    assert (there.n_pairs, there.n_changed) == (back.n_pairs, back.n_changed)
    assert (there.n_only_a, there.n_only_b) == (back.n_only_b, back.n_only_a)
    assert {(each.outcome_a, each.outcome_b, each.n_items) for each in there.statuses} == {
        (each.outcome_b, each.outcome_a, each.n_items) for each in back.statuses
    }
    for one, other in zip(there.differences, back.differences, strict=True):
        assert one.difference == pytest.approx(-other.difference)
        assert (one.n_higher, one.n_lower) == (other.n_lower, other.n_higher)


def test_fields_are_compared_one_by_one():
    """Counts, means with their change, labels that changed into others, and examples."""
    comparison = compare(
        build_side([GOOD, GOOD, GOOD, BAD, None]), build_side([GOOD, BAD, BAD, BAD, GOOD])
    )
    mood = find_field(comparison, "mood")
    assert (mood.n_pairs, mood.n_different, mood.number) == (4, 2, None)
    assert [(each.label_a, each.label_b, each.n_items) for each in mood.changes] == [
        ("good", "bad", 2)
    ]
    assert [(each.place.number, each.value_a, each.value_b) for each in mood.examples] == [
        (2, "good", "bad"),
        (3, "good", "bad"),
    ]
    score = find_field(comparison, "score").number
    assert score is not None
    assert (score.mean_a, score.mean_b, score.difference) == (3.5, 4.5, 1.0)
    sure = find_field(comparison, "sure").number
    assert sure is not None
    assert (sure.is_share, sure.mean_a, sure.mean_b, sure.chance) == (True, 0.75, 0.25, 0.5)


def test_items_that_differ_are_named():
    """Those that ended differently stand before those with other values."""
    comparison = compare(build_side([GOOD, GOOD, GOOD]), build_side([GOOD, BAD, None]))
    assert comparison.n_changed == 2
    assert [
        (each.place.number, each.outcome_a, each.outcome_b, each.fields)
        for each in comparison.changed
    ] == [
        (3, "accepted", "failed", ()),
        (2, "accepted", "accepted", ("mood", "score", "sure")),
    ]
    accepted = find_difference(comparison, "accepted")
    assert (accepted.mean_a, accepted.n_lower, accepted.n_higher) == (1.0, 1, 0)


def test_nested_fields_and_verdicts_have_paths():
    """A field of an object is compared by itself, and so is what the judge said."""
    items = [
        build_compared("x", place=0, output={"deep": {"a": 1, "b": 2}}, verdict={"points": points})
        for points in (3, 4)
    ]
    sides = [build_side([GOOD]), build_side([GOOD])]
    a, b = (
        ComparedSide(name="n", batches=((build_batch([item]), side.batches[0][1]),))
        for item, side in zip(items, sides, strict=True)
    )
    comparison = compare(a, b)
    assert [(field.name, field.n_different) for field in comparison.fields] == [
        ("deep.a", 0),
        ("deep.b", 0),
        ("judge.points", 1),
    ]


def test_a_field_of_one_side_alone_changes_no_item():
    """Another schema is told once, and not as a difference of every item."""
    comparison = compare(build_side([{"a": 1, "b": 2}]), build_side([{"a": 1, "c": 2}]))
    assert comparison.n_changed == 0
    assert (comparison.fields_only_a, comparison.fields_only_b) == (("b",), ("c",))
    assert "Only outputs of notes have: b." in list_notes(comparison)


def test_a_field_that_one_item_lacks_is_different():
    """An optional field that one side left out of one item is a difference of that item."""
    comparison = compare(
        build_side([{"a": 1, "b": 2}, {"a": 1}]), build_side([{"a": 1, "b": 2}, {"a": 1, "b": 3}])
    )
    assert find_field(comparison, "b").n_different == 1
    assert [each.fields for each in comparison.changed] == [("b",)]


def test_costs_are_compared_where_they_are_known():
    """A pair with an unknown price says nothing of the cost."""
    calls = (build_attempt("0.01", key="a"),), (build_attempt("0.03", key="b"),)
    known = compare(
        build_side([GOOD, GOOD], attempts=calls[0]), build_side([GOOD, GOOD], attempts=calls[1])
    )
    cost = find_difference(known, "cost_usd")
    assert (cost.n_pairs, cost.difference) == (2, pytest.approx(0.02))
    assert known.a.cost_usd == Decimal("0.01")
    unknown = build_side([GOOD, GOOD], attempts=(build_attempt(None, key="b"),))
    comparison = compare(build_side([GOOD, GOOD], attempts=calls[0]), unknown)
    assert "cost_usd" not in [each.name for each in comparison.differences]
    assert "unknown" in render_comparison_markdown(comparison)


def test_scores_are_compared_pair_by_pair():
    """As shares where every item is right or wrong, as means else, and only where both sides have one."""
    shares = compare(
        build_side([GOOD] * 3, scores={0: 0, 1: 1, 2: 0}),
        build_side([GOOD] * 3, scores={0: 1, 1: 1}),
    )
    score = find_difference(shares, "score")
    assert (score.n_pairs, score.is_share, score.mean_a, score.mean_b) == (2, True, 0.5, 1.0)
    means = compare(
        build_side([GOOD] * 2, scores={0: 0.5, 1: 1}), build_side([GOOD] * 2, scores={0: 1, 1: 1})
    )
    assert find_difference(means, "score").is_share is False
    none = compare(build_side([GOOD]), build_side([GOOD], scores={0: 1}))
    assert [each.name for each in none.differences] == [
        "accepted",
        "attempts",
        "tokens",
        "cost_usd",
    ]


def test_what_both_were_made_with():
    """What differs can be seen at a glance; what nobody has is not there."""
    comparison = compare(build_side([GOOD]), build_side([GOOD], model="m-2"))
    assert {each.what: each.is_same for each in comparison.made_with}["Model"] is False
    assert "Judge's model" not in [each.what for each in comparison.made_with]


def test_the_same_calls_are_told():
    """Where nothing was asked anew, equal outputs are no agreement of two models."""
    comparison = compare(build_side([GOOD, GOOD]), build_side([GOOD, GOOD]))
    assert comparison.n_same_calls == 2
    assert "Both sides come from the very same calls." in list_notes(comparison)


def test_rehearsals_and_batches_left_out_are_told():
    """A person must not take the offline model for an LLM, nor a part for the whole."""
    notes = list_notes(
        compare(
            build_side([GOOD], is_rehearsal=True, name="x"),
            build_side([GOOD], batches_alone=["june"]),
        )
    )
    assert any("answered for x. It is no LLM" in note for note in notes)
    assert any("only notes has run them: june" in note for note in notes)


def test_a_large_difference_is_cut():
    """The page's size does not depend on the number of items; what is left out is counted."""
    n = MAX_CHANGED + 7
    comparison = compare(build_side([GOOD] * n), build_side([BAD] * n), n_examples=2)
    assert (comparison.n_changed, len(comparison.changed)) == (n, MAX_CHANGED)
    assert len(find_field(comparison, "mood").examples) == 2
    assert "and 7 more" in render_comparison_markdown(comparison)


def test_texts_of_models_stay_texts_in_markdown():
    """Neither HTML nor a table's bar in a value breaks out of its cell."""
    hostile = {"mood": "<script>|\n# x", "score": 1, "sure": True}
    text = render_comparison_markdown(compare(build_side([GOOD]), build_side([hostile])))
    assert "<script>" not in text
    assert "\n# x" not in text
    assert "&lt;script&gt;\\|" in text


def test_a_comparison_of_nothing():
    """Two batches without rows have nothing in common and nothing apart."""
    comparison = compare(build_side([]), build_side([]))
    assert comparison.differences == ()
    assert comparison.changed_share is None
    assert "Items on both sides: 0" in render_comparison_markdown(comparison)


@pytest.mark.parametrize(
    ("pairs", "change", "sureness", "verdict"),
    [
        (
            [(True, True)] * 2,
            "0.0 points",
            "-65.8 to +65.8 points",
            "no clear difference (p = 1.000)",
        ),
        ([(False, True)] * 9, "+100.0 points", "+57.7 to +100.0 points", "B has more (p = 0.004)"),
        ([(True, False)] * 40, "-100.0 points", "-100.0 to -87.6 points", "B has less (p < 0.001)"),
    ],
)
def test_shares_read_in_points(pairs, change, sureness, verdict):
    """With their sign, and with what chance alone would do."""
    difference = build_share_difference("accepted", pairs)
    assert difference is not None
    assert render_change(difference) == change
    assert render_sureness(difference) == sureness
    assert render_verdict(difference) == verdict


def test_means_read_in_their_units():
    """Costs as dollars, everything else as numbers; a single pair has no interval."""
    cost = build_mean_difference("cost_usd", [(0.001, 0.003), (0.001, 0.003)])
    score = build_mean_difference("score", [(1, 3.5)])
    assert cost is not None
    assert score is not None
    assert (render_mean(cost, cost.mean_a), render_change(cost)) == ("$0.001", "+$0.002")
    assert (render_change(score), render_sureness(score)) == ("+2.5", "too few for an interval")
    assert render_verdict(score) == "unknown"
