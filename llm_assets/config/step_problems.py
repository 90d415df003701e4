"""What is wrong with the steps of a task, beyond what each setting alone can show?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from llm_assets.config.problems import KeyPath, Problem
from llm_assets.config.stages import STAGE_NAMES
from llm_assets.config.steps import find_cycle
from llm_assets.config.yaml_text import YamlDocument, YamlValue
from llm_assets.errors import suggest

PROMPT_FILE_ENDING = "_prompt_file"
"""How the node of a step's prompt file is called, after the step."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def find_step_problems(document: YamlDocument) -> Iterator[Problem]:
    """Everything that is wrong with a task's steps and with what stands beside them.

    What has the wrong type is passed over: the settings themselves tell of it.
    """
    content = {} if document.content is None else document.content
    if not isinstance(content, dict):
        return
    steps = content.get("steps")
    if not isinstance(steps, list) or not steps:
        if content.get("prompt") is None:
            yield _build_missing_prompt(document, is_empty="prompt" in content)
        return
    yield from _find_misplaced(content, document)
    yield from _Steps(document=document, entries=steps).find_problems()


def _build_missing_prompt(document: YamlDocument, *, is_empty: bool) -> Problem:
    return Problem(
        position=document.find_position(("prompt",), of="key"),
        path=("prompt",),
        what="expected text, got nothing." if is_empty else "this key is missing.",
        remedy="" if is_empty else "Add `prompt:` (The prompt file).",
    )


def _find_misplaced(content: dict[str, YamlValue], document: YamlDocument) -> Iterator[Problem]:
    """Settings of the only step of a task, beside steps that have their own."""
    schema = content.get("schema")
    belong: dict[KeyPath, str] = {
        ("prompt",): "Name a prompt file at each step.",
        ("judge",): "Put it under the step whose answers it checks.",
        ("schema", "output_model"): "Name a class at each step.",
        ("schema", "generate"): "Write the module yourself: a model proposes one class alone.",
        ("answer",): "Put it under the step whose answers have this form.",
        ("hooks",): "Put it under the step whose items and answers its functions look at.",
    }
    for path, remedy in belong.items():
        block = content if len(path) == 1 else schema
        if isinstance(block, dict) and block.get(str(path[-1])) is not None:
            yield Problem(
                position=document.find_position(path, of="key"),
                path=path,
                what="a task with `steps` does not have this key.",
                remedy=remedy,
            )


@dataclass(slots=True, kw_only=True)
class _Steps:
    """The entries of `steps`, as they are typed."""

    document: YamlDocument
    entries: list[YamlValue]
    places: dict[str, int] = field(default_factory=dict[str, int])
    """Each name and where it first stands."""

    def find_problems(self) -> Iterator[Problem]:
        places = range(len(self.entries))
        problems = [problem for place in places for problem in self._check_name(place)]
        problems += [problem for place in places for problem in self._check_after(place)]
        yield from problems
        if not problems:
            yield from self._check_order()

    def _read_name(self, place: int) -> str | None:
        entry = self.entries[place]
        name = entry.get("name") if isinstance(entry, dict) else None
        return name if isinstance(name, str) else None

    def _check_name(self, place: int) -> Iterator[Problem]:
        name = self._read_name(place)
        if name is None:
            return
        earlier = self.places.setdefault(name, place)
        path = ("steps", place, "name")
        if earlier != place:
            line = self.document.find_position(("steps", earlier, "name")).line
            what = f"the step in line {line} is called {name!r} already."
            yield self._build(path, what, "Give each step a name of its own.")
        elif not _NAME.fullmatch(name):
            what = f"the name of a step may hold only letters, digits and `_`, got {name!r}."
            yield self._build(path, what, "Prompts write it as in `steps.name.field`.")
        elif name in STAGE_NAMES or name.endswith(PROMPT_FILE_ENDING):
            what = f"{name!r} is what a stage of every task is called."
            yield self._build(path, what, "Give the step another name.")

    def _check_after(self, place: int) -> Iterator[Problem]:
        name = self._read_name(place)
        for number, earlier in enumerate(self._read_after(place)):
            path = ("steps", place, "after", number)
            if earlier == name:
                yield self._build(path, f"step {name!r} comes after itself.", "Take it out.")
            elif earlier not in self.places:
                what = f"there is no step {earlier!r}."
                remedy = f"{suggest(earlier, self.places)} Steps: {', '.join(self.places)}."
                yield self._build(path, what, remedy.strip())

    def _check_order(self) -> Iterator[Problem]:
        names = [self._read_name(place) for place in range(len(self.entries))]
        after = {
            name: self._read_after(place) for place, name in enumerate(names) if name is not None
        }
        cycle = find_cycle(after)
        if cycle:
            ring = " after ".join(repr(name) for name in cycle)
            what = f"the steps wait for each other: {ring}."
            path = ("steps", self.places[cycle[0]], "after")
            yield self._build(path, what, "Let one of them come first.")

    def _read_after(self, place: int) -> list[str]:
        """The steps that this one names, or the one before it."""
        entry = self.entries[place]
        after = entry.get("after") if isinstance(entry, dict) else None
        if isinstance(after, list):
            return [name for name in after if isinstance(name, str)]
        before = self._read_name(place - 1) if place and after is None else None
        return [] if before is None else [before]

    def _build(self, path: KeyPath, what: str, remedy: str) -> Problem:
        position = self.document.find_position(path)
        return Problem(position=position, path=path, what=what, remedy=remedy)
