"""How the numbers of a comparison read, wherever they stand."""

from decimal import Decimal

from pydantic import JsonValue

from llm_assets.core.compared_sides import Side
from llm_assets.core.comparison import Comparison
from llm_assets.core.differences import Difference
from llm_assets.core.field_differences import Place
from llm_assets.core.intervals import Interval
from llm_assets.core.money import render_cost, render_usd
from llm_assets.core.safe_cells import render_cell

NAMES = {"accepted": "Accepted", "score": "Score", "attempts": "Attempts an item", "tokens": "Tokens an item", "cost_usd": "Cost an item"}  # fmt: skip
"""Of what is compared over all pairs; every other name is a field's."""
POINTS = " points"
"""Of a hundred: what shares differ by."""


def render_mean(difference: Difference, value: float) -> str:
    """A mean or a share, in the unit of its name."""
    if difference.is_share:
        return f"{value:.1%}"
    if difference.name == "cost_usd":
        return render_usd(_round_cost(value))
    return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"


def render_change(difference: Difference) -> str:
    """How much more B has, with its sign; shares in percentage points."""
    return _render_signed(difference, difference.difference)


def render_sureness(difference: Difference) -> str:
    """The interval of the change, in its unit."""
    if difference.interval is None:
        return "too few for an interval"
    ends = (difference.interval.low, difference.interval.high)
    low, high = (_render_signed(difference, end) for end in ends)
    return f"{low.removesuffix(POINTS)} to {high}"


def render_verdict(difference: Difference) -> str:
    """What the interval says, in words, and for shares the p-value of McNemar's test."""
    words = "unknown" if difference.interval is None else "no clear difference"
    if difference.is_clear:
        words = "B has more" if difference.difference > 0 else "B has less"
    if difference.chance is None:
        return words
    chance = "p < 0.001" if difference.chance < 0.001 else f"p = {difference.chance:.3f}"
    return f"{words} ({chance})"


def render_share(n: int, n_total: int) -> str:
    """A count with its share."""
    return f"{n:,} of {n_total:,} ({n / n_total:.1%})" if n_total else "0"


def render_share_interval(interval: Interval | None) -> str:
    """The interval of a share in percent."""
    return "" if interval is None else f"{interval.low:.1%} to {interval.high:.1%}"


def render_side_cost(side: Side) -> str:
    """What all calls of a side cost, honest about unknown prices."""
    return render_cost(side.cost_usd, n_calls=side.n_calls, n_calls_unpriced=side.n_calls_unpriced)


def render_tokens(side: Side) -> str:
    """The tokens of all calls of a side."""
    return f"{'about ' if side.tokens_are_approximate else ''}{side.n_tokens:,}"


def render_outcomes(side: Side) -> str:
    """How the items of a side ended."""
    return ", ".join(f"{count:,} {outcome}" for outcome, count in side.outcomes.items())


def list_side_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """What is told of both sides, as it is of each."""
    a, b = comparison.a, comparison.b
    return [
        ("Items", f"{a.n_items:,}", f"{b.n_items:,}"),
        ("on this side alone", f"{comparison.n_only_a:,}", f"{comparison.n_only_b:,}"),
        ("Outcomes", render_outcomes(a), render_outcomes(b)),
        ("Calls", f"{a.n_calls:,}", f"{b.n_calls:,}"),
        ("Tokens", render_tokens(a), render_tokens(b)),
        ("Cost", render_side_cost(a), render_side_cost(b)),
    ]


def list_difference_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """What is compared over all pairs: of A, of B, the change, its interval and what that says."""
    return [
        (
            NAMES[each.name],
            render_mean(each, each.mean_a),
            render_mean(each, each.mean_b),
            render_change(each),
            render_sureness(each),
            render_verdict(each),
        )
        for each in comparison.differences
    ]


def render_place(place: Place, *, has_batch: bool) -> str:
    """Where an item stands."""
    return f"{place.batch}, row {place.number}" if has_batch else f"row {place.number}"


def render_field_value(value: JsonValue) -> str:
    """A value of a field; one that is not there is said to be nothing."""
    return "nothing" if value is None else render_cell(value)


def has_several_batches(comparison: Comparison) -> bool:
    """Whether a row's number alone does not say which row."""
    return len(comparison.a.batches) > 1


def list_notes(comparison: Comparison) -> tuple[str, ...]:
    """What a person has to know beside the numbers."""
    a, b = comparison.a, comparison.b
    notes: list[str] = []
    rehearsed = [side.name for side in (a, b) if side.is_rehearsal]
    if rehearsed:
        notes.append(
            f"The offline model answered for {' and '.join(rehearsed)}. It is no LLM: the comparison shows that "
            "comparing works, not which side is better."
        )
    if comparison.n_pairs and comparison.n_same_calls == comparison.n_pairs:
        notes.append("Both sides come from the very same calls.")
    elif comparison.n_same_calls:
        notes.append(f"{comparison.n_same_calls:,} pairs come from the very same calls.")
    for side, batches in ((a, comparison.batches_only_a), (b, comparison.batches_only_b)):
        if batches:
            notes.append(
                f"Not compared, because only {side.name} has run them: {', '.join(batches)}."
            )
    for side, fields in ((a, comparison.fields_only_a), (b, comparison.fields_only_b)):
        if fields:
            notes.append(f"Only outputs of {side.name} have: {', '.join(fields)}.")
    return tuple(notes)


def _render_signed(difference: Difference, value: float) -> str:
    sign = "+" if value > 0 else "-" if value < 0 else ""
    size = abs(value)
    if difference.is_share:
        return f"{sign}{100 * size:.1f}{POINTS}"
    return f"{sign}{render_mean(difference, size)}"


def _round_cost(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.000000001"))
