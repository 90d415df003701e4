"""What the text answers of a batch lacked, drawn from its items."""

from collections import Counter

from llm_assets.core.failure_causes import build_cause_text
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.markdown import escape_markdown, render_table
from llm_assets.core.values import FrozenModel

MAX_PARSE_ERRORS = 10
"""Kinds of parse errors in a report, the most frequent first."""


class ParseErrorCount(FrozenModel):
    """Something that answers lack or say unclearly, and how many accepted ones do."""

    text: str
    """With what differs between items left open."""
    n_items: int


class TextAnswerResults(FrozenModel):
    """How well answers kept to the form that was asked for."""

    n_accepted: int
    n_incomplete: int
    """Accepted items in whose output a default stands for something."""
    parse_errors: tuple[ParseErrorCount, ...]


def build_text_answer_results(outputs: LLMOutputs) -> TextAnswerResults | None:
    """Count what accepted answers lack; None where answers are JSON."""
    if not outputs.meta.is_text:
        return None
    accepted = [item for item in outputs.records if item.outcome == "accepted"]
    counts = Counter(
        text for item in accepted for text in {_build_text(error) for error in item.parse_errors}
    )
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return TextAnswerResults(
        n_accepted=len(accepted),
        n_incomplete=sum(bool(item.parse_errors) for item in accepted),
        parse_errors=tuple(
            ParseErrorCount(text=text, n_items=n_items)
            for text, n_items in ranked[:MAX_PARSE_ERRORS]
        ),
    )


def render_text_answer_results(results: TextAnswerResults) -> str:
    """The results as a section of a report."""
    facts = (
        f"Complete: {results.n_accepted - results.n_incomplete:,} of {results.n_accepted:,} accepted answers. "
        "Where one lacks something that has a default, the default stands in its output."
    )
    if not results.parse_errors:
        return f"## Text answers\n\n{facts}"
    rows = [[escape_markdown(each.text), f"{each.n_items:,}"] for each in results.parse_errors]
    return f"## Text answers\n\n{facts}\n\n{render_table(['What is missing', 'Items'], rows)}"


def _build_text(error: str) -> str:
    """The error without what belongs to one item, under the name of its field."""
    field, _, rest = error.partition(": ")
    return f"{field}: {build_cause_text(rest)}"
