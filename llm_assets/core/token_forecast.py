"""How many tokens a call is going to take, going by answers of the past and by prompts that can be counted.

What is likely is a mean, because a run takes the sum of its calls: of a median, a few long answers would be missing.
The bounds of a single call are the 10th and the 90th percentile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from llm_assets.core.ids import CallKey, Sha256
from llm_assets.core.run_summary import find_quantile

GUESSED_COMPLETION_TOKENS = 200
"""The length of an answer where none is on record yet and no lower cap is set."""
GUESSED_COMPLETION_BOUNDS = (20, 1000)
LOW_SHARE, HIGH_SHARE = 0.10, 0.90
APPROXIMATION = (Fraction(4, 5), Fraction(4, 3))
"""What a provider counts where we count 1: our approximate counter was up to 16 % above and 25 % below."""
FRAME_TOKENS = (0, 4, 16)
"""What a provider adds for each message: 3 or 4 are published, 16 no provider passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRange:
    """A number of tokens: at least, likely, at most."""

    low: int
    likely: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAnswer:
    """What an answer on record took."""

    key: CallKey
    settings_sha256: Sha256
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    attempt: int


def forecast_completion(past: Sequence[PastAnswer], *, cap: int | None) -> TokenRange:
    """The length of an answer, by earlier ones; no answer is longer than the cap.

    Without any on record it is a guess, and the cap is its upper bound where there is one.
    """
    if past:
        tokens = _find_range([answer.completion_tokens for answer in past])
    else:
        low, high = GUESSED_COMPLETION_BOUNDS
        tokens = TokenRange(low=low, likely=GUESSED_COMPLETION_TOKENS, high=cap or high)
    if cap is None:
        return tokens
    return TokenRange(
        low=min(tokens.low, cap), likely=min(tokens.likely, cap), high=min(tokens.high, cap)
    )


def forecast_unseen_prompt(past: Sequence[PastAnswer]) -> TokenRange:
    """The length of a prompt that cannot be counted yet, because an answer to come is part of it."""
    return _find_range([answer.prompt_tokens for answer in past])


def forecast_prompt(
    counted: Sequence[int],
    *,
    overheads: Sequence[int],
    n_turns: int,
    n_schema_tokens: int,
    is_approximate: bool,
) -> TokenRange:
    """The length of a prompt as the provider is going to count it: a mean, with bounds of that mean.

    Args:
        counted: The tokens of a sample of the prompts, by our count.
        overheads: By how much the provider's count of earlier prompts, sent with the same settings, was above ours.
        n_turns: Messages in a call.
        n_schema_tokens: Of the schema that is sent beside the messages; some providers charge for it.
        is_approximate: Whether our count is not that of the model's own tokenizer.
    """
    mean = Fraction(sum(counted), len(counted))
    shrink, stretch = APPROXIMATION if is_approximate else (Fraction(1), Fraction(1))
    if overheads:
        added = (min(overheads), Fraction(sum(overheads), len(overheads)), max(overheads))
    else:
        few, some, many = (n_tokens * n_turns for n_tokens in FRAME_TOKENS)
        added = (few, Fraction(some), many + n_schema_tokens)
    return TokenRange(
        low=max(0, floor(mean * shrink + added[0])),
        likely=max(0, round(mean + added[1])),
        high=max(0, ceil(mean * stretch + added[2])),
    )


def guess_judge_prompt(prompt: TokenRange, completion: TokenRange) -> TokenRange:
    """The length of a judge's prompt where none is on record: it shows the answer, and mostly the item, too."""
    return TokenRange(
        low=completion.low,
        likely=prompt.likely + completion.likely,
        high=2 * prompt.high + completion.high,
    )


def guess_later_prompt(
    prompt: TokenRange, completion: TokenRange, *, n_static_tokens: int
) -> TokenRange:
    """The length of a later step's prompt where none is on record: what is the same for all items is known.

    It shows answers of earlier steps, and mostly the item, too; `prompt` and `completion` are those of the step before.
    """
    return TokenRange(
        low=floor(n_static_tokens * APPROXIMATION[0]),
        likely=max(n_static_tokens, prompt.likely) + completion.likely,
        high=ceil(n_static_tokens * APPROXIMATION[1]) + 2 * (prompt.high + completion.high),
    )


def find_extra_share(past: Sequence[PastAnswer]) -> Fraction:
    """How many further attempts came on each first one."""
    n_first = sum(answer.attempt == 1 for answer in past)
    return Fraction(len(past) - n_first, max(1, n_first))


def _find_range(lengths: Sequence[int]) -> TokenRange:
    low, high = find_quantile(lengths, LOW_SHARE), find_quantile(lengths, HIGH_SHARE)
    likely = round(Fraction(sum(lengths), len(lengths)))
    return TokenRange(
        low=min(int(low or 0), likely), likely=likely, high=max(int(high or 0), likely)
    )
