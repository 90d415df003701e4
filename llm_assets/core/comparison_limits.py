"""Whether a task's outputs are as close to those of the task they are compared with as its config asks for."""

from collections.abc import Iterator

from llm_assets.config.compare import CompareSettings
from llm_assets.core.checks import CheckResult
from llm_assets.core.comparison import Comparison
from llm_assets.core.comparison_text import render_change, render_mean, render_share
from llm_assets.core.differences import Difference

ROUNDING = 1e-9
"""What sums of fractions may be off by."""


def find_excesses(comparison: Comparison, settings: CompareSettings) -> tuple[str, ...]:
    """A sentence for each limit that is passed; A is the other task and B this one.

    What neither side has, such as a score of items that nothing is expected of, passes no limit. Items without a
    single counterpart do: nothing would have been compared.
    """
    return tuple(_list_excesses(comparison, settings))


def decide_agreement(comparison: Comparison, settings: CompareSettings) -> CheckResult:
    """Whether the outputs of a batch keep to the limits of `compare`."""
    excesses = find_excesses(comparison, settings)
    n_pairs, n_unpaired = comparison.n_pairs, count_unpaired(comparison)
    kept = f"{render_share(comparison.n_changed, n_pairs)} of the items differ from {comparison.a.name}"
    kept += "." if settings.has_limits else "; no limit is set."
    return CheckResult(
        name="agreement",
        is_passed=not excesses,
        sentence=" ".join(excesses) or kept,
        numbers={"items": n_pairs, "changed": comparison.n_changed, "unpaired": n_unpaired},
    )


def count_unpaired(comparison: Comparison) -> int:
    """The items of one side alone."""
    return comparison.n_only_a + comparison.n_only_b


def find_difference(comparison: Comparison, name: str) -> Difference | None:
    """What is compared over all pairs under this name, where both sides have it."""
    return next((each for each in comparison.differences if each.name == name), None)


def _list_excesses(comparison: Comparison, settings: CompareSettings) -> Iterator[str]:
    other, n_pairs = comparison.a.name, comparison.n_pairs
    n_unpaired = count_unpaired(comparison)
    n_all = n_pairs + n_unpaired
    if settings.has_limits and n_all and not n_pairs:
        yield f"No item is in {other}, too: nothing could be compared."
        return
    if _is_above(n_unpaired, n_all, settings.max_unpaired):
        yield (
            f"{render_share(n_unpaired, n_all)} of the items are in one of the two tasks alone; "
            f"`compare.max_unpaired` lets {settings.max_unpaired:.3g} pass."
        )
    if _is_above(comparison.n_changed, n_pairs, settings.max_changed):
        yield (
            f"{render_share(comparison.n_changed, n_pairs)} of the items differ from {other}; "
            f"`compare.max_changed` lets {settings.max_changed:.3g} pass."
        )
    limits = {"accepted": settings.max_accepted_drop, "score": settings.max_score_drop}
    for name, limit in limits.items():
        found = find_difference(comparison, name)
        if found is not None and limit is not None and -found.difference > limit + ROUNDING:
            what = "The score" if name == "score" else "The share of accepted items"
            yield (
                f"{what} is {render_mean(found, found.mean_b)}, and {render_mean(found, found.mean_a)} in {other} "
                f"({render_change(found)}); `compare.max_{name}_drop` lets {limit:.3g} pass."
            )


def _is_above(n: int, n_total: int, limit: float | None) -> bool:
    return limit is not None and n_total > 0 and n / n_total > limit + ROUNDING
