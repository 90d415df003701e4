"""What a materialization of a comparison says: how many items differ, and by how much."""

import dagster as dg

from llm_assets.core.comparison import Comparison
from llm_assets.core.comparison_limits import find_difference
from llm_assets.defs.metadata import cut_text
from llm_assets.defs.publishing import COMPARED_KEY
from llm_assets.gateways.comparison_files import WrittenComparison

DIFFERENCES = ("accepted", "score", "attempts", "tokens", "cost_usd")


def describe_comparison(
    comparison: Comparison, written: WrittenComparison, *, version: str
) -> dict[str, object]:
    """The tables, the counts for plots over batches, and the files; `version` is that of the other task's outputs."""
    n_pairs = comparison.n_pairs
    found = {name: find_difference(comparison, name) for name in DIFFERENCES}
    return {
        "comparison": dg.MetadataValue.md(cut_text(written.text, rest_in="comparison_path")),
        "comparison_path": dg.MetadataValue.path(str(written.path)),
        "page": dg.MetadataValue.path(str(written.page)),
        "compared_with": comparison.a.name,
        "dagster/row_count": n_pairs,
        "changed": comparison.n_changed,
        "share_changed": round(comparison.n_changed / n_pairs, 4) if n_pairs else None,
        "only_here": comparison.n_only_b,
        "only_there": comparison.n_only_a,
        "same_calls": comparison.n_same_calls,
        **{f"more_{name}": each and each.difference for name, each in found.items()},
        "is_rehearsal": comparison.a.is_rehearsal or comparison.b.is_rehearsal,
        COMPARED_KEY: version,
    }
