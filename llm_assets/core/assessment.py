"""How good the outputs of a batch are by what people expected: the score, how sure it is, and where it is lost."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated, Literal

from llm_assets.config.base import LEFT_OUT_IF_EMPTY
from llm_assets.config.expected import ExpectedFieldSettings, ExpectedSettings, ScorerName
from llm_assets.core.confusion import ConfusionTable, build_confusion
from llm_assets.core.intervals import Interval, mean_interval, wilson_interval
from llm_assets.core.item_scores import FieldScore, Gap, ItemScore
from llm_assets.core.scoring import RIGHT_OR_WRONG
from llm_assets.core.values import CollectionMeta, FrozenModel

MAX_GROUPS = 50
"""Groups with a score of their own, the largest first; further ones are counted."""


class ScoreTotal(FrozenModel):
    """A score over items, and how sure it is."""

    n_scored: int
    n_without_output: int
    """Of them without an accepted output: they are wrong."""
    score: float | None
    """The mean; None where nothing was scored."""
    interval: Interval | None
    """Where the score of all such items lies in 95 of 100 cases; None for too few."""
    is_share: bool
    """Whether each item is right or wrong, so that the score is the share of right ones."""


class FieldTotal(FrozenModel):
    """The score of one field."""

    name: str
    scorer: ScorerName
    total: ScoreTotal
    gaps: dict[Gap, int]
    """Items of which nothing could be said, by reason; those that did not occur are left out."""
    confusion: ConfusionTable | None
    """None where the values are no labels."""
    min_score: float | None
    problem: str | None = None
    """What went wrong first in the function that scores."""


class GroupScore(FrozenModel):
    """The score of the items that share a value."""

    group: str
    total: ScoreTotal


class AssessmentMeta(CollectionMeta):
    """What the scores of a batch come to."""

    format_version: Literal[1] = 1
    n_items: int
    n_nothing_expected: int
    """Items that nothing was expected of; they are left out."""
    n_not_asked: int
    """Items that a limit, a budget or a person left out; they are left out here, too."""
    total: ScoreTotal
    """Over items; the score of an item is the mean of its fields."""
    fields: tuple[FieldTotal, ...]
    group_by: str | None
    groups: tuple[GroupScore, ...]
    n_groups_left_out: int
    min_score: float | None
    labels_file: str | None
    """Where what is expected stands; None where it is the input, or what people published."""
    from_review: Annotated[bool, LEFT_OUT_IF_EMPTY] = False
    """Whether what people published is what is expected."""
    is_rehearsal: bool
    """Whether the offline model answered, which is no LLM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The score of every item of a batch, in item order."""

    meta: AssessmentMeta
    records: tuple[ItemScore, ...]


def build_assessment(
    items: tuple[ItemScore, ...],
    settings: ExpectedSettings,
    *,
    labels_file: str | None,
    is_rehearsal: bool,
) -> Assessment:
    """Add the scores up: over all, for each field and for each group."""
    standings = Counter(item.standing for item in items)
    is_share = len(settings.fields) == 1 and all(map(_is_share, settings.fields.values()))
    groups = _group(items) if settings.group_by is not None else {}
    ranked = sorted(groups, key=lambda group: (-len(groups[group]), group))
    return Assessment(
        meta=AssessmentMeta(
            n_items=len(items),
            n_nothing_expected=standings["nothing_expected"],
            n_not_asked=standings["not_asked"],
            total=_build_item_total(items, is_share=is_share),
            fields=tuple(
                _build_field_total(name, field, items) for name, field in settings.fields.items()
            ),
            group_by=settings.group_by,
            groups=tuple(
                GroupScore(group=group, total=_build_item_total(groups[group], is_share=is_share))
                for group in ranked[:MAX_GROUPS]
            ),
            n_groups_left_out=len(ranked[MAX_GROUPS:]),
            min_score=settings.min_score,
            labels_file=labels_file,
            from_review=settings.from_review,
            is_rehearsal=is_rehearsal,
        ),
        records=items,
    )


def find_shortfalls(meta: AssessmentMeta) -> tuple[str, ...]:
    """A sentence for each score that is below what the config asks for, and for each function that failed to score.

    What else was not scored falls short of nothing.
    """
    asked = [("The score", meta.total, meta.min_score)]
    asked += [(f"The score of {each.name}", each.total, each.min_score) for each in meta.fields]
    failures = tuple(
        f"The score of {field.name} lacks {field.gaps.get('hook_failed', 0)} of the items. {field.problem.rstrip('.')}."
        for field in meta.fields
        if field.problem is not None
    )
    return failures + tuple(
        f"{what} is {total.score:.3f}, below the {least:g} that `min_score` asks for."
        for what, total, least in asked
        if total.score is not None and least is not None and total.score < least
    )


def _is_share(settings: ExpectedFieldSettings) -> bool:
    return settings.scorer in RIGHT_OR_WRONG


def _group(items: Sequence[ItemScore]) -> dict[str, list[ItemScore]]:
    groups: defaultdict[str, list[ItemScore]] = defaultdict(list)
    for item in items:
        if item.score is not None:
            groups[item.group or ""].append(item)
    return groups


def _build_item_total(items: Sequence[ItemScore], *, is_share: bool) -> ScoreTotal:
    return _build_total(
        [item.score for item in items if item.score is not None],
        n_without_output=sum(item.standing == "without_output" for item in items),
        is_share=is_share,
    )


def _build_field_total(
    name: str, settings: ExpectedFieldSettings, items: Sequence[ItemScore]
) -> FieldTotal:
    found = [
        (field, item.standing != "without_output")
        for item in items
        for field in item.fields
        if field.name == name
    ]
    scored = [(field, has_output) for field, has_output in found if field.score is not None]
    return FieldTotal(
        name=name,
        scorer=settings.scorer,
        total=_build_total(
            [field.score for field, _ in scored if field.score is not None],
            n_without_output=sum(not has_output for _, has_output in scored),
            is_share=_is_share(settings),
        ),
        gaps=_count_gaps([field for field, _ in found]),
        confusion=build_confusion(scored, settings),
        min_score=settings.min_score,
        problem=next((field.problem for field, _ in found if field.problem is not None), None),
    )


def _count_gaps(fields: Sequence[FieldScore]) -> dict[Gap, int]:
    gaps: list[Gap] = [field.gap for field in fields if field.gap is not None]
    return {gap: gaps.count(gap) for gap in dict.fromkeys(gaps)}


def _build_total(scores: Sequence[float], *, n_without_output: int, is_share: bool) -> ScoreTotal:
    return ScoreTotal(
        n_scored=len(scores),
        n_without_output=n_without_output,
        score=fmean(scores) if scores else None,
        interval=wilson_interval(round(sum(scores)), len(scores))
        if is_share
        else _clip(mean_interval(scores)),
        is_share=is_share,
    )


def _clip(interval: Interval | None) -> Interval | None:
    """The interval of a mean knows no ends, and a score has two."""
    if interval is None:
        return None
    return Interval(low=max(interval.low, 0.0), high=min(interval.high, 1.0))
