import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.compare import CompareSettings
from llm_assets.core.comparison import Comparison
from llm_assets.core.comparison_limits import decide_agreement, find_excesses
from llm_assets_tests.core.test_comparison import BAD, GOOD, build_side, compare


def build(a, b, *, scores=(None, None)) -> Comparison:
    of_a, of_b = scores
    return compare(build_side(a, name="other", scores=of_a), build_side(b, scores=of_b))


def read(**limits: float) -> CompareSettings:
    return CompareSettings.model_validate({"with": "other", **limits})


FOUR, CHANGED = [GOOD] * 4, [GOOD, GOOD, GOOD, BAD]


@pytest.mark.parametrize(
    ("a", "b", "limits", "said"),
    [
        (FOUR, CHANGED, {"max_changed": 0.25}, ""),
        (
            FOUR,
            CHANGED,
            {"max_changed": 0.2},
            "1 of 4 (25.0%) of the items differ from other; `compare.max_changed` lets 0.2 pass.",
        ),
        (FOUR, [*FOUR, BAD], {"max_changed": 0}, ""),
        (
            FOUR,
            [*FOUR, BAD],
            {"max_unpaired": 0.1},
            (
                "1 of 5 (20.0%) of the items are in one of the two tasks alone; "
                "`compare.max_unpaired` lets 0.1 pass."
            ),
        ),
        (
            FOUR,
            [GOOD, GOOD, None, None],
            {"max_accepted_drop": 0.49, "max_changed": 1},
            (
                "The share of accepted items is 50.0%, and 100.0% in other (-50.0 points); "
                "`compare.max_accepted_drop` lets 0.49 pass."
            ),
        ),
        ([GOOD, None], [GOOD, GOOD], {"max_accepted_drop": 0}, ""),
        ([], [], {"max_changed": 0, "max_unpaired": 0}, ""),
        ([], [GOOD], {"max_changed": 0}, "No item is in other, too: nothing could be compared."),
        ([], [GOOD], {}, ""),
    ],
)
def test_each_limit_is_told_when_it_is_passed(a, b, limits, said):
    """A number at its limit passes, better answers pass, and so does an empty batch; one without counterparts fails."""
    assert " ".join(find_excesses(build(a, b), read(**limits))) == said


def test_a_lower_score_is_a_drop():
    """Over the items scored on both sides; where neither side has scores, no limit is passed."""
    scores = ({0: 1.0, 1: 0.8, 2: 0.6}, {0: 1.0, 1: 0.5, 3: 0.0})
    scored = build(FOUR, FOUR, scores=scores)
    assert find_excesses(scored, read(max_score_drop=0.15)) == ()
    (said,) = find_excesses(scored, read(max_score_drop=0.14))
    assert said == (
        "The score is 0.75, and 0.9 in other (-0.15); `compare.max_score_drop` lets 0.14 pass."
    )
    assert find_excesses(build(FOUR, FOUR), read(max_score_drop=0)) == ()


def test_the_check_says_what_it_found():
    """Also where it passed, with the counts."""
    comparison = build(FOUR, [*CHANGED, BAD])
    passed = decide_agreement(comparison, read())
    assert passed.is_passed
    assert passed.sentence == "1 of 4 (25.0%) of the items differ from other; no limit is set."
    assert passed.numbers == {"items": 4, "changed": 1, "unpaired": 1}
    failed = decide_agreement(comparison, read(max_changed=0, max_unpaired=0))
    assert not failed.is_passed
    assert failed.sentence.count("`compare.max_") == 2


@given(
    outputs=st.lists(st.tuples(*[st.sampled_from([GOOD, BAD, None])] * 2), min_size=1, max_size=8),
    limit=st.floats(0, 1),
)
def test_a_wider_limit_never_fails_where_a_narrower_one_passes(outputs, limit):
    """And a limit of everything passes whatever came out."""
    comparison = build([a for a, _ in outputs], [b for _, b in outputs])
    for name in ("max_changed", "max_accepted_drop", "max_unpaired"):
        assert not find_excesses(comparison, read(**{name: 1}))
        if find_excesses(comparison, read(**{name: limit})):
            assert find_excesses(comparison, read(**{name: limit / 2}))
