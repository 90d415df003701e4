"""What people expect of each item, as the input or a table of its own says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_assets.config.expected import ExpectedSettings
from llm_assets.config.grouping import Mode
from llm_assets.core.input_snapshot import InputMeta, InputRow
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.values import Scalar
from llm_assets.errors import InputError, suggest

Labels = Mapping[str, Mapping[str, Scalar]]
"""The rows of a table of expected values, by the id of the row, or the key of the group, that each is about."""


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
    item: ItemOutput, column: str, *, labels: Labels, is_by_group: bool
) -> Expectation:
    """What the rows of an item expect in one column.

    `is_by_group` says that the labels are by group keys. Rows that expect nothing do not count; where the others
    disagree, nothing can be said.
    """
    keys: Sequence[str] = item.row_ids
    if is_by_group:
        keys = () if item.group_key is None else (item.group_key,)
    found = [labels[key].get(column) for key in keys if key in labels]
    # Equal as text: in a column of mixed types, 1 and true are equal to Python.
    filled = {str(value): value for value in found if not is_blank(value)}
    if len(filled) > 1:
        return Expectation(None, is_conflicting=True)
    return Expectation(next(iter(filled.values()))) if filled else NOTHING


def is_blank(value: Scalar) -> bool:
    """Whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def decide_by_group(settings: ExpectedSettings, mode: Mode) -> bool:
    """Whether expected values are about groups: a table of their own, for a task with one output a group."""
    return settings.file is not None and mode == "group_output"
