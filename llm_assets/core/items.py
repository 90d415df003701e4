"""What the item loop knows of one item, and the names its prompts can use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from llm_assets.config.images import ImageSettings
from llm_assets.core.context import render_row_block
from llm_assets.core.ids import StepName
from llm_assets.core.images import find_image_problem
from llm_assets.core.upstream import STEPS, StepFields
from llm_assets.core.work_items import WorkItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A work item with the text of its group beside it."""

    work: WorkItem
    group_context: str | None
    epoch: int
    """How often this item was forced to ask anew."""
    names: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """What the request hook gives the prompt."""
    extra: Mapping[str, JsonValue] | None = None
    """What the request hook has travel with the item."""
    steps: Mapping[StepName, Mapping[str, JsonValue]] | None = None
    """What earlier steps answered; None for a step that comes after no other."""


def build_names(item: Item, *, columns: tuple[str, ...], used: frozenset[str]) -> dict[str, object]:
    """The values of the names that a prompt may use.

    `columns` are those of a row in the order in which it is written out; `used` are the names that the prompt
    really uses, so that no text is written out in vain.
    """
    work = item.work
    names: dict[str, object] = {**work.values, "row": work.values}
    if "row_block" in used:
        names["row_block"] = render_row_block(work.values, columns)
    if work.group_key is not None:
        names |= {"group_key": work.group_key, "group_context": item.group_context}
    if item.steps is not None:
        names[STEPS] = StepFields({str(name): output for name, output in item.steps.items()})
    return names | dict(item.names)


def list_image_warnings(settings: ImageSettings | None, items: Sequence[Item]) -> tuple[str, ...]:
    """What a person could mend before a run: items that fail because of their pictures, told by the first of them."""
    if settings is None:
        return ()
    works = [item.work for item in items]
    found = [(work, find_image_problem(work.images, settings)) for work in works]
    failing = [(work, problem) for work, problem in found if problem is not None]
    if not failing:
        return ()
    work, problem = failing[0]
    counted = "1 item fails" if len(failing) == 1 else f"{len(failing)} items fail"
    return (f"{counted} because of pictures, without a call; row {work.row_ids[0]}: {problem}",)
