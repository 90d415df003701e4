"""How the ways of a batch's items are said: in a sentence, and a line for each decision."""

from collections.abc import Iterator
from itertools import islice

from llm_assets.core.gate import GateDecision, GateDecisions, GateMeta, Route
from llm_assets.core.number_words import render_count

MAX_LINES = 200
"""Items that a log names one by one; the artifact has them all."""

_DONE: dict[Route, str] = {
    "published": "published",
    "review_queue": "waiting for a person",
    "turned_down": "turned down by a person",
    "failed": "without an output that counts",
}


def render_routes(meta: GateMeta) -> str:
    """Such as `48 published (3 by people), 7 waiting for a person, 5 without an output that counts`."""
    counted = [
        f"{count} {_DONE[route]}{_render_people(meta) if route == 'published' else ''}"
        for route, count in meta.routes.items()
        if count or route in ("published", "review_queue")
    ]
    outdated = meta.n_outdated
    if outdated:
        counted.append(
            f"{render_count(outdated, 'decision')} of people on rows that have changed since"
        )
    return ", ".join(counted)


def render_gate_markdown(meta: GateMeta) -> str:
    """The ways of the items and what they had to reach, as a section of a report."""
    rows = "\n".join(
        f"| {_DONE[route]} | {count:,} |" for route, count in meta.routes.items() if count
    )
    lines = [
        "## Gate and review",
        render_rule(meta),
        f"| Items | |\n| --- | ---: |\n{rows}" if rows else "There are no items.",
        *list_people_notes(meta),
    ]
    return "\n\n".join(lines)


def render_rule(meta: GateMeta) -> str:
    """Such as `Published where confidence is at least 0.8, or where a person says so.`."""
    return f"Published where `{meta.field}` is at least {meta.at_least}, or where a person says so."


def list_people_notes(meta: GateMeta) -> list[str]:
    """How many items people decided on, and how many of their decisions rows have outgrown."""
    notes: list[str] = []
    if meta.n_by_people:
        notes.append(f"People decided on {meta.n_by_people:,} of these items.")
    if meta.n_outdated:
        what = "1 decision of a person no longer applies, because its row has changed; it is kept, and the item is"
        if meta.n_outdated > 1:
            what = (
                f"{meta.n_outdated:,} decisions of people no longer apply, because their rows have changed; "
                "they are kept, and the items are"
            )
        notes.append(f"{what} sorted like others.")
    return notes


def name_route(route: Route) -> str:
    """What became of the items that go this way."""
    return _DONE[route]


def render_fate(decision: GateDecision) -> str:
    """What became of one item and why, such as `waiting for a person: confidence is 0.5, below 0.8.`."""
    return f"{_DONE[decision.route]}: {decision.why}"


def iter_routing_lines(decisions: GateDecisions) -> Iterator[str]:
    """What a log says of a batch: the sums, then each decision with value and threshold, those held back first."""
    yield render_routes(decisions.meta)
    ordered = sorted(decisions.records, key=lambda record: record.route == "published")
    yield from map(_render_decision, islice(ordered, MAX_LINES))
    if len(ordered) > MAX_LINES:
        yield f"... and {len(ordered) - MAX_LINES} more; the artifact of the gate has them all."


def _render_people(meta: GateMeta) -> str:
    return f" ({meta.n_published_by_people} by people)" if meta.n_published_by_people else ""


def _render_decision(decision: GateDecision) -> str:
    return f"{decision.row_ids[0]} -> {decision.route}: {decision.why}"
