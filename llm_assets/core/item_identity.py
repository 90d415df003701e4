"""Which row or group a person's decision is about, and whether it is still the one that was looked at.

A decision outlives prompts, schemas, models, settings and the order of the rows. So it hangs on nothing but the
cells that the model saw of the row when the person looked: their names are kept with it, and the same columns are
hashed again later. A column that was added, shown or hidden since changes nothing, and neither does another row.
Pictures count by their bytes.

Rows are told apart by the id column. Where there is none, their content names them: the hash itself, with the number
of its repetition. A row's own id would not do, as it changes with every cell, those included that nobody looks at.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from llm_assets.config.grouping import Mode
from llm_assets.core.fingerprint import ID_DIGITS, fingerprint
from llm_assets.core.ids import RowId, Sha256, WorkId
from llm_assets.core.input_snapshot import InputRow, InputSnapshot
from llm_assets.core.work_items import WorkItem

KeyKind = Literal["group", "name", "content"]
"""What an item's key is: its group's key, its row's value in the id column, or a hash of its content."""

IDENTITY_VERSION = 1
"""Part of every hash; a change of the recipe must change it."""


@dataclass(frozen=True, slots=True)
class ItemIdentity:
    """An item's key, and the hash of what the model saw of its own rows."""

    key: str
    input_sha256: Sha256


def decide_key_kind(mode: Mode, *, id_column: str | None) -> KeyKind:
    """What names the items of a task."""
    if mode == "group_output":
        return "group"
    return "content" if id_column is None else "name"


def build_identities(
    snapshot: InputSnapshot, items: Sequence[WorkItem], *, columns: Sequence[str], kind: KeyKind
) -> dict[WorkId, ItemIdentity]:
    """The identity of each item by these columns, in item order; a column that the input lacks counts as not there.

    The rows of a group count in any order.
    """
    rows = {row.row_id: row for row in snapshot.records}
    wanted = frozenset(columns)
    seen: Counter[Sha256] = Counter()
    identities: dict[WorkId, ItemIdentity] = {}
    for item in items:
        sha256 = _hash_input(item, rows, wanted)
        seen[sha256] += 1
        key = _build_key(item, kind, sha256=sha256, number=seen[sha256])
        identities[item.work_id] = ItemIdentity(key, sha256)
    return identities


def _build_key(item: WorkItem, kind: KeyKind, *, sha256: Sha256, number: int) -> str:
    if kind == "group":
        return item.group_key or ""
    if kind == "name":
        return item.row_ids[0]
    return sha256[:ID_DIGITS] if number == 1 else f"{sha256[:ID_DIGITS]}-{number}"


def _hash_input(item: WorkItem, rows: Mapping[RowId, InputRow], wanted: frozenset[str]) -> Sha256:
    # A picture stands for its cell, which only says where it lies.
    pictured = {image.column for image in item.images}
    shown = wanted - pictured
    cells = [
        fingerprint({name: value for name, value in rows[row_id].values.items() if name in shown})
        for row_id in item.row_ids
    ]
    pictures = [
        [image.column, image.source if image.file is None else image.file.sha256]
        for image in item.images
        if image.column in wanted
    ]
    return fingerprint([IDENTITY_VERSION, sorted(cells), sorted(pictures)])
