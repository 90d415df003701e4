"""Which label was answered where which was expected."""

from collections import Counter
from collections.abc import Sequence

from llm_assets.config.expected import ExpectedFieldSettings
from llm_assets.core.item_scores import FieldScore
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.scoring import normalise_text
from llm_assets.core.values import FrozenModel

MAX_LABELS = 20
"""A field with more different values than these is taken for free text."""
MAX_LABEL_CHARS = 60


class ConfusionRow(FrozenModel):
    """The items of which one label was expected."""

    expected: str
    counts: tuple[int, ...]
    """How many were answered with each of the table's labels."""
    n_without_output: int

    @property
    def n_items(self) -> int:
        """All of them."""
        return sum(self.counts) + self.n_without_output


class ConfusionTable(FrozenModel):
    """Expected labels against answered ones."""

    labels: tuple[str, ...]
    """The expected ones, the most frequent first, then those that were only answered."""
    rows: tuple[ConfusionRow, ...]
    """One for each label that was expected, in the same order."""


def build_confusion(
    scores: Sequence[tuple[FieldScore, bool]], settings: ExpectedFieldSettings
) -> ConfusionTable | None:
    """Count expected against answered; each score comes with whether its item has an accepted output.

    None where the values are no labels: too many different ones, long texts, or no value that comes twice.
    """
    if settings.scorer not in {"exact", "normalised"} or settings.pattern is not None:
        return None
    pairs = [_read_pair(score, settings, has_output=has_output) for score, has_output in scores]
    wanted = Counter(expected for expected, _ in pairs)
    answered = Counter(found for _, found in pairs if found is not None)
    labels = list(dict.fromkeys([*_rank(wanted), *_rank(answered)]))
    is_closed = len(labels) <= MAX_LABELS and max(map(len, labels), default=0) <= MAX_LABEL_CHARS
    if len(labels) < 2 or not is_closed or len(wanted) == len(pairs):
        return None
    counts = Counter(pairs)
    return ConfusionTable(
        labels=tuple(labels),
        rows=tuple(
            ConfusionRow(
                expected=label,
                counts=tuple(counts[label, other] for other in labels),
                n_without_output=counts[label, None],
            )
            for label in _rank(wanted)
        ),
    )


def _read_pair(
    score: FieldScore, settings: ExpectedFieldSettings, *, has_output: bool
) -> tuple[str, str | None]:
    """Expected and answered, alike where they are right, however each is spelt."""
    expected = _name(render_cell(score.expected), settings)
    if not has_output:
        return expected, None
    return expected, expected if score.score else _name(render_cell(score.found), settings)


def _name(text: str, settings: ExpectedFieldSettings) -> str:
    if settings.scorer == "normalised":
        return normalise_text(text)
    return text.casefold() if text.casefold() in {"true", "false"} else text


def _rank(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda label: (-counts[label], label))
