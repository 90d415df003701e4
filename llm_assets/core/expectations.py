"""What people expect of each item, as the input, a table of its own or what they published says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from llm_assets.config.expected import ExpectedSettings
from llm_assets.config.grouping import Mode
from llm_assets.core.corrections import Corrections
from llm_assets.core.fingerprint import render_json
from llm_assets.core.input_snapshot import InputMeta, InputRow
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.scoring import find_value
from llm_assets.core.values import Scalar
from llm_assets.errors import InputError, suggest

Labels = Mapping[str, Mapping[str, Scalar]]
"""The rows of a table of expected values, by the name of what each is about."""

LabelKey = Literal["row", "group", "item"]
"""What labels are about: a row by its id, a group by its key, or an item by its work id."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of one field of one item."""

    value: Scalar
    """None where nothing is."""
    is_conflicting: bool = False
    """Whether the rows of a group expect different things."""


NOTHING = Expectation(None)


def check_columns(meta: InputMeta, settings: ExpectedSettings) -> None:
    """`InputError` where the input lacks a column that the settings name.

    Asked before the first call: under a misspelt name the labels would not be hidden from the model.
    """
    wanted = {"expected.fields": settings.columns if settings.required else ()}
    wanted["expected.group_by"] = (settings.group_by,) if settings.group_by else ()
    for place, columns in wanted.items():
        missing = next((name for name in columns if name not in meta.columns), None)
        if missing is None:
            continue
        is_label = place == "expected.fields"
        otherwise = "where only some batches have labels, say `required: false` under `expected`."
        raise InputError(
            f"{meta.input_path} has no column {missing!r}, which `{place}` names; "
            f"its columns are {', '.join(map(repr, meta.columns))}.",
            remedy=f"{suggest(missing, meta.columns)} Name one of them in the task's config"
            f"{f'; {otherwise}' if is_label else '.'}".strip(),
        )


def index_rows(rows: Sequence[InputRow]) -> Labels:
    """The rows of the input by their ids."""
    return {row.row_id: row.values for row in rows}


def find_expectation(
    item: ItemOutput, column: str, *, labels: Labels, label_key: LabelKey
) -> Expectation:
    """What is expected of an item in one column of the labels.

    Rows that expect nothing do not count; where the others disagree, nothing can be said.
    """
    keys: Mapping[LabelKey, Sequence[str]] = {
        "row": item.row_ids,
        "group": () if item.group_key is None else (item.group_key,),
        "item": (item.work_id,),
    }
    found = [labels[key].get(column) for key in keys[label_key] if key in labels]
    # Equal as text: in a column of mixed types, 1 and true are equal to Python.
    filled = {str(value): value for value in found if not is_blank(value)}
    if len(filled) > 1:
        return Expectation(None, is_conflicting=True)
    return Expectation(next(iter(filled.values()))) if filled else NOTHING


def is_blank(value: Scalar) -> bool:
    """Whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def build_review_labels(corrections: Corrections | None, settings: ExpectedSettings) -> Labels:
    """What people published of each item, by its work id and the names of the fields that are scored.

    A list or an object stands there as its JSON. A rejection expects nothing, and so does None, where nobody has
    decided on anything yet.
    """
    applied = {} if corrections is None else corrections.find("applied")
    return {
        work_id: {
            name: build_label(find_value(correction.output, field.path or name))
            for name, field in settings.fields.items()
        }
        for work_id, correction in applied.items()
        if correction.output is not None
    }


def build_label(value: JsonValue) -> Scalar:
    """A value of an output as a cell with an expected value holds it."""
    return render_json(value) if isinstance(value, list | dict) else value


def decide_label_key(settings: ExpectedSettings, mode: Mode) -> LabelKey:
    """What expected values are about: a table of their own is about groups where there is one output a group."""
    if settings.from_review:
        return "item"
    return "group" if settings.file is not None and mode == "group_output" else "row"
