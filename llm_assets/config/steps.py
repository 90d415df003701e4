"""Which steps a task goes through, and which of them comes after which."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue, SerializationInfo, field_serializer

from llm_assets.config.answer import AnswerSettings
from llm_assets.config.base import Settings
from llm_assets.config.hooks import HookSettings
from llm_assets.config.images import ImageSettings
from llm_assets.config.llm import (
    AttemptSettings,
    JudgeSettings,
    LLMSettings,
    fill_attempts,
    fill_llm,
    find_judge_llm,
)


class StepSettings(Settings):
    """One kind of call of a task that has several."""

    name: str
    """What later prompts and the export call its output, as in `steps.<name>.<field>`."""
    prompt: str
    """The prompt file."""
    output_model: str
    """The class of the task's schema module that its answers are validated by; steps may share one."""
    after: tuple[str, ...] | None = None
    """The steps whose outputs it needs; the one before it in the list where it is not given, none for `[]`."""
    llm: LLMSettings | None = None
    """Its own model and parameters; what is not given here is as in the task's `llm`."""
    attempts: AttemptSettings | None = None
    """How often it asks again; what is not given here is as in the task's `attempts`."""
    judge: JudgeSettings | None = None
    """Who checks its answers; without it every valid answer is accepted."""
    judge_model: str | None = None
    """The class of its judge's verdict; that of `schema.judge_model` where it is not given."""
    answer: AnswerSettings = AnswerSettings()
    """What form its answers have."""
    hooks: HookSettings = HookSettings()
    """The functions that look at its items and its answers."""
    sees_images: bool = True
    """Whether it is shown the pictures of an item, where the task has `images`."""

    @field_serializer("llm", "attempts", "judge")
    def _dump_given(
        self, block: Settings | None, info: SerializationInfo
    ) -> dict[str, JsonValue] | None:
        """What is not given holds as in the task's own block; a default in its place would be wrong."""
        if block is None:
            return None
        return block.model_dump(mode=info.mode, by_alias=True, exclude_unset=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStep:
    """A step with every default filled in."""

    name: str | None
    """None for the only step of a task that names none."""
    after: tuple[str, ...]
    """The steps it comes directly after."""
    upstream: tuple[str, ...]
    """All steps it comes after, in the order in which they run."""
    prompt: str
    llm: LLMSettings
    attempts: AttemptSettings
    judge: JudgeSettings | None
    judge_llm: LLMSettings
    output_model: str
    judge_model: str
    answer: AnswerSettings
    hooks: HookSettings
    images: ImageSettings | None
    """Which pictures it is shown."""


def build_chain(
    steps: Sequence[StepSettings],
    *,
    llm: LLMSettings,
    attempts: AttemptSettings,
    judge_model: str,
    images: ImageSettings | None,
) -> tuple[ChainStep, ...]:
    """The steps in an order in which they can run, with the task's own settings where they have none.

    They have to be free of the mistakes that `find_step_problems` tells of.
    """
    after = {
        step.name: step_after for step, step_after in zip(steps, list_after(steps), strict=True)
    }
    order = order_steps(after)
    by_name = {step.name: step for step in steps}
    return tuple(
        _fill_step(
            by_name[name],
            after=after[name],
            upstream=find_upstream(name, after=after, order=order),
            llm=fill_llm(by_name[name].llm, llm),
            attempts=attempts,
            judge_model=judge_model,
            images=images if by_name[name].sees_images else None,
        )
        for name in order
    )


def _fill_step(
    step: StepSettings,
    *,
    after: tuple[str, ...],
    upstream: tuple[str, ...],
    llm: LLMSettings,
    attempts: AttemptSettings,
    judge_model: str,
    images: ImageSettings | None,
) -> ChainStep:
    return ChainStep(
        name=step.name,
        after=after,
        upstream=upstream,
        prompt=step.prompt,
        llm=llm,
        attempts=fill_attempts(step.attempts, attempts),
        judge=step.judge,
        judge_llm=find_judge_llm(step.judge, llm),
        output_model=step.output_model,
        judge_model=step.judge_model or judge_model,
        answer=step.answer,
        hooks=step.hooks,
        images=images,
    )


def list_after(steps: Sequence[StepSettings]) -> Iterator[tuple[str, ...]]:
    """What each step comes directly after, in the order of the list."""
    before: tuple[str, ...] = ()
    for step in steps:
        yield before if step.after is None else step.after
        before = (step.name,)


def order_steps(after: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The steps so that each comes after those it needs, otherwise as they are listed; those of a cycle are left out."""
    ordered: list[str] = []
    waiting = list(after)
    while ready := next((name for name in waiting if set(after[name]) <= set(ordered)), None):
        ordered.append(ready)
        waiting.remove(ready)
    return tuple(ordered)


def find_upstream(
    name: str, *, after: Mapping[str, Sequence[str]], order: Sequence[str]
) -> tuple[str, ...]:
    """All steps that `name` comes after, directly or not, in the order in which they run."""
    found: set[str] = set()
    waiting = list(after[name])
    while waiting:
        earlier = waiting.pop()
        if earlier not in found:
            found.add(earlier)
            waiting += after[earlier]
    return tuple(each for each in order if each in found)


def find_cycle(after: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Steps that wait for each other in a ring, the first one again at its end; none where there is no ring."""
    stuck = [name for name in after if name not in order_steps(after)]
    path: list[str] = []
    at = stuck[0] if stuck else None
    while at is not None and at not in path:
        path.append(at)
        at = next((earlier for earlier in after[at] if earlier in stuck), None)
    return () if at is None else (*path[path.index(at) :], at)
