"""What outputs look like that a gate sorts and people correct: the model of each step, and where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, JsonValue

from llm_assets.core.answers import ValidAnswer, validate_answer
from llm_assets.core.export_columns import ExportColumn, build_output_columns, place_in_step
from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import StepName
from llm_assets.core.json_schema import JsonObject, build_json_schema
from llm_assets.core.output_validity import reads_what_it_writes
from llm_assets.core.schema_fields import get_mapping, has_fixed_fields, resolve_schema

Path = tuple[str, ...]


@dataclass(frozen=True)
class OutputForm:
    """The model that one step's outputs are valid under."""

    step: StepName | None
    """The key under which a joined output holds this step's; None where the task has one step without a name."""
    model: type[BaseModel]

    @property
    def prefix(self) -> Path:
        """Where its fields begin in the output of an item."""
        return () if self.step is None else (self.step,)

    @cached_property
    def written_schema(self) -> JsonObject:
        """What an output holds."""
        return build_json_schema(self.model, mode="serialization")

    @cached_property
    def read_schema(self) -> JsonObject:
        """What the model accepts in its place."""
        return build_json_schema(self.model, mode="validation")

    @cached_property
    def reads_what_it_writes(self) -> bool:
        """Whether an output that the model refuses is certainly wrong."""
        return reads_what_it_writes(self.model)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """Why an output is not valid."""

    path: Path
    """The step and the outermost field at fault, as far as single ones are."""
    sentence: str
    is_certain: bool
    """False where the model writes outputs in another form than it reads, so that a refusal proves nothing."""


@dataclass(frozen=True, slots=True)
class CheckedOutput:
    """An output as the models made it, or what is wrong with it."""

    output: dict[str, JsonValue]
    problems: tuple[FieldProblem, ...]


def build_form_columns(form: OutputForm) -> tuple[ExportColumn, ...]:
    """The columns of the outputs of a step, nested fields by their dotted paths; of several steps as `<step>.<field>`."""
    return place_in_step(build_output_columns(form.written_schema, "flatten"), form.step)


def check_output(output: dict[str, JsonValue], forms: Sequence[OutputForm]) -> CheckedOutput:
    """Hold a whole output to the models of its steps, as if a model had answered with it.

    Fields that an output model computes itself are computed anew.
    """
    made: dict[str, JsonValue] = {}
    problems: list[FieldProblem] = []
    for form in forms:
        part = output if form.step is None else output.get(form.step)
        own = _drop_computed(part, form) if isinstance(part, dict) else part
        answer = validate_answer(render_json(own), form.model)
        if isinstance(answer, ValidAnswer):
            made |= answer.output if form.step is None else {form.step: answer.output}
        else:
            path = (*form.prefix, *answer.fields[:1])
            problems.append(
                FieldProblem(path, answer.problem, is_certain=form.reads_what_it_writes)
            )
    return CheckedOutput(output=made, problems=tuple(problems))


def _drop_computed(part: dict[str, JsonValue], form: OutputForm) -> dict[str, JsonValue]:
    """Without the fields that the model gives out and does not read."""
    read = form.read_schema
    root = resolve_schema(read, read)
    if not has_fixed_fields(root):
        return part
    readable = get_mapping(root, "properties")
    written = get_mapping(form.written_schema, "properties")
    return {name: value for name, value in part.items() if name in readable or name not in written}
