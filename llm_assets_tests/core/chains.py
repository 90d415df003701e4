"""A chain of three steps over notes, for tests: what is it about, how is it said, which kind is it."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import TaskSettings
from llm_assets.core.ids import StepName
from llm_assets.core.json_schema import build_json_schema
from llm_assets.core.llm_outputs import ItemOutput, Outcome
from llm_assets.core.step import Step
from llm_assets.core.steps import PromptNames, build_step
from llm_assets_tests.core.builders import build_item

FIRST, SECOND, THIRD = map(StepName, ("first", "second", "third"))
PROMPTS = {
    FIRST: "first: {{ text }}",
    SECOND: "second: {{ steps.first.label }} of {{ text }}",
    THIRD: "third: {{ steps.second.label }}",
}
LINE: dict[StepName, tuple[StepName, ...]] = {FIRST: (), SECOND: (FIRST,), THIRD: (SECOND,)}


class Label(BaseModel):
    """What every step answers."""

    model_config = ConfigDict(extra="forbid")

    label: str


def build_chain_steps(
    *,
    prompts: dict[StepName, str] | None = None,
    after: dict[StepName, tuple[StepName, ...]] | None = None,
    columns: tuple[str, ...] = ("text", "team"),
    **attempts: object,
) -> list[Step]:
    """The steps in order; each asks a model that is called like the step."""
    prompts = PROMPTS | (prompts or {})
    settings = TaskSettings.model_validate(
        {
            "attempts": attempts,
            "steps": [
                {
                    "name": name,
                    "prompt": f"{name}.yaml",
                    "output_model": "Label",
                    "after": needed,
                    "llm": {"model": name},
                }
                for name, needed in (after or LINE).items()
            ],
        }
    )
    schema = build_json_schema(Label, mode="serialization")
    return [
        build_step(
            step,
            prompt=PromptSettings(user=prompts[StepName(step.name or "")]),
            prompt_path=step.prompt,
            endpoint=PRESETS["offline"],
            base_url="http://offline.invalid/v1",
            output_model=Label,
            schema_text="{}",
            names=PromptNames(
                mode="row",
                columns=columns,
                upstream={StepName(name): schema for name in step.upstream} or None,
            ),
            judge=None,
        )
        for step in settings.chain
    ]


def build_end_of(
    outcome: Outcome = "accepted", *, number: int = 1, label: str = "x", reason: str | None = None
) -> ItemOutput:
    """What became of an item in some step."""
    work = build_item(number=number).work
    is_accepted = outcome == "accepted"
    return ItemOutput(
        work_id=work.work_id,
        row_ids=work.row_ids,
        group_key=None,
        group_context_id=None,
        outcome=outcome,
        output={"label": label} if is_accepted else None,
        verdict=None,
        reason=None if is_accepted else reason or f"It was {outcome}.",
        attempts=(),
        accepted_at=None,
    )


def name_items(ends: Sequence[ItemOutput]) -> tuple[ItemOutput, ...]:
    """The same ends, as those of items 1, 2 and so on."""
    return tuple(
        replace(
            end,
            work_id=build_item(number=n).work.work_id,
            row_ids=build_item(number=n).work.row_ids,
        )
        for n, end in enumerate(ends, start=1)
    )
