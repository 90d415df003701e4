from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.ids import CallKey, Sha256
from llm_assets.core.token_forecast import (
    GUESSED_COMPLETION_BOUNDS,
    GUESSED_COMPLETION_TOKENS,
    PastAnswer,
    TokenRange,
    find_extra_share,
    forecast_completion,
    forecast_prompt,
    forecast_unseen_prompt,
    guess_judge_prompt,
)

LENGTHS = st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=30)


def answer(n_tokens: int = 0, *, prompt: int = 0, attempt: int = 1) -> PastAnswer:
    return PastAnswer(
        key=CallKey("k"),
        settings_sha256=Sha256("s"),
        prompt_tokens=prompt,
        cached_tokens=0,
        completion_tokens=n_tokens,
        attempt=attempt,
    )


def read(tokens: TokenRange) -> tuple[int, int, int]:
    return tokens.low, tokens.likely, tokens.high


@pytest.mark.parametrize(
    ("lengths", "cap", "expected"),
    [
        ([20], None, (20, 20, 20)),
        (range(1, 101), None, (10, 50, 90)),
        ([10] * 9 + [1000], None, (10, 109, 109)),
        ([10, 20, 30], 25, (10, 20, 25)),
        (
            [],
            None,
            (GUESSED_COMPLETION_BOUNDS[0], GUESSED_COMPLETION_TOKENS, GUESSED_COMPLETION_BOUNDS[1]),
        ),
        ([], 4000, (GUESSED_COMPLETION_BOUNDS[0], GUESSED_COMPLETION_TOKENS, 4000)),
        ([], 50, (GUESSED_COMPLETION_BOUNDS[0], 50, 50)),
    ],
)
def test_length_of_an_answer(lengths, cap, expected):
    """Answers on record say how long the next ones are, a guess does without them, and a cap bounds both."""
    assert read(forecast_completion([answer(n) for n in lengths], cap=cap)) == expected


@given(lengths=LENGTHS)
def test_what_is_likely_lies_between_the_bounds(lengths):
    """However odd the lengths, the mean of a run's calls lies within the range of one."""
    past = [answer(n, prompt=n) for n in lengths]
    for tokens in (forecast_completion(past, cap=None), forecast_unseen_prompt(past)):
        assert tokens.low <= tokens.likely <= tokens.high
        assert abs(tokens.likely - Fraction(sum(lengths), len(lengths))) <= Fraction(1, 2)


def forecast(counted, *, overheads=(), n_turns=2, n_schema_tokens=0, is_approximate=False):
    return forecast_prompt(
        counted,
        overheads=overheads,
        n_turns=n_turns,
        n_schema_tokens=n_schema_tokens,
        is_approximate=is_approximate,
    )


def test_a_prompt_is_counted_with_what_a_provider_adds():
    """Without a past, frames of turns and the schema are allowed for; an exact count needs no more room."""
    assert read(forecast([90, 110])) == (100, 108, 132)
    assert read(forecast([100], n_schema_tokens=50)) == (100, 108, 182)


def test_the_past_says_what_a_provider_adds():
    """What earlier prompts were charged for beyond our count is added to the next ones, and no schema beside it."""
    assert read(forecast([100], overheads=[7, 8, 9], n_schema_tokens=50)) == (107, 108, 109)
    assert read(forecast([100], overheads=[-200])) == (0, 0, 0)


@given(counted=LENGTHS, overheads=st.lists(st.integers(-50, 500), max_size=5))
def test_an_approximate_count_widens_the_range(counted, overheads):
    """Bounds are in order, and our own count leaves more room than the model's."""
    exact = forecast(counted, overheads=overheads)
    rough = forecast(counted, overheads=overheads, is_approximate=True)
    assert rough.low <= exact.low <= exact.likely == rough.likely <= exact.high <= rough.high


@pytest.mark.parametrize(
    ("attempts", "share"),
    [([], 0), ([1, 1], 0), ([1, 1, 2, 3], 1), ([1, 1, 1, 1, 2], Fraction(1, 4)), ([4], 1)],
)
def test_share_of_further_attempts(attempts, share):
    """Further attempts are counted on first ones."""
    assert find_extra_share([answer(attempt=number) for number in attempts]) == share


def test_a_judge_is_guessed_to_see_item_and_answer():
    """Without any verdict on record, a judge's prompt is as long as what it is surely shown, or twice as long."""
    prompt = TokenRange(low=80, likely=100, high=120)
    completion = TokenRange(low=10, likely=20, high=30)
    assert read(guess_judge_prompt(prompt, completion)) == (10, 120, 270)
