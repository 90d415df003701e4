"""What people decided on items, and which of it holds for the rows of a batch as they are now.

The latest decision on a row wins over the model as long as the row is as it was when the person looked, in whatever
batch and place it stands and whatever the prompt, the schema and the model are by then. Once its own cells have
changed, the decision is kept and flagged: it is applied no more, and applies again where the row is changed back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import ConfigDict, JsonValue, model_validator

from llm_assets.config.grouping import Mode
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import BatchKey, Sha256, TaskName, WorkId
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.item_identity import KeyKind, build_identities, decide_key_kind
from llm_assets.core.values import CollectionMeta, FrozenModel
from llm_assets.core.work_items import WorkItems

CORRECTION_VERSION = 1

Decision = Literal["approve", "edit", "reject"]
DECISIONS: tuple[Decision, ...] = ("approve", "edit", "reject")

CorrectionState = Literal["applied", "superseded", "outdated", "gone"]
"""`superseded`: a later decision on the same row took its place. `outdated`: its row has changed since. `gone`: the
batch that it was made in has the row no more."""
CORRECTION_STATES: tuple[CorrectionState, ...] = ("applied", "superseded", "outdated", "gone")


class CorrectionSource(FrozenModel):
    """Where a person wrote it down."""

    file: str
    """The workbook's name."""
    sha256: Sha256
    """Of the workbook's bytes."""
    row: int
    """Of its sheet, from 1."""


class Correction(FrozenModel):
    """One person's decision on one item."""

    format_version: Literal[1] = 1
    task: TaskName
    batch: BatchKey
    """The one whose workbook it was made in; it holds in others, too."""
    key_kind: KeyKind
    key: str
    input_columns: tuple[str, ...]
    """The columns that the model saw when the person looked; `input_sha256` is of their cells."""
    input_sha256: Sha256
    decision: Decision
    output: dict[str, JsonValue] | None
    """What is to be published, whole; None for a rejection."""
    note: str
    reviewer: str
    decided_at: datetime
    """When the workbook was taken in, in UTC."""
    source: CorrectionSource

    @model_validator(mode="after")
    def _check_output(self) -> "Correction":
        if (self.output is None) is not (self.decision == "reject"):
            raise ValueError("an output belongs to every decision but `reject`")
        return self

    @property
    def item(self) -> tuple[KeyKind, str, Sha256]:
        """What it is about: two with the same are about the same content."""
        return self.key_kind, self.key, self.input_sha256

    def fingerprint_decision(self) -> Sha256:
        """The hash of what was decided and by whom, wherever and whenever it was written down."""
        said = [self.decision, self.output, self.note, self.reviewer]
        return fingerprint([*self.item, self.input_columns, *said])


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRecord:
    """A decision as it stands to a batch."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    state: CorrectionState
    work_id: WorkId | None
    """The item it is about; None where the batch has none."""
    correction: Correction


class CorrectionsMeta(CollectionMeta):
    """How the decisions on the rows of a batch stand."""

    format_version: Literal[1] = 1
    states: dict[CorrectionState, int]
    """Every state, those that did not occur with 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """The decisions that concern a batch, the earliest first."""

    meta: CorrectionsMeta
    records: tuple[CorrectionRecord, ...]

    def find(self, state: CorrectionState) -> dict[WorkId, Correction]:
        """The decisions in this state that are about an item there is."""
        return {
            record.work_id: record.correction
            for record in self.records
            if record.state == state and record.work_id is not None
        }


def match_corrections(
    corrections: Sequence[Correction],
    *,
    snapshot: InputSnapshot,
    items: WorkItems,
    batch: BatchKey,
    id_column: str | None,
) -> Corrections:
    """Which decisions of a task hold for the items of a batch; `corrections` begin with the earliest.

    Those on rows that are neither in this batch nor were are left out: what happens in another batch does not change
    this one.
    """
    lookup = _Lookup(snapshot=snapshot, items=items, mode=items.meta.mode, id_column=id_column)
    found = [_find_place(each, lookup.index(each), batch=batch) for each in corrections]
    placed = [
        (each, place) for each, place in zip(corrections, found, strict=True) if place is not None
    ]
    # By item, the number of the decision that counts: one that fits, else the latest that once did.
    latest: dict[object, int] = {}
    for number, (_, place) in enumerate(placed):
        earlier = latest.get(place.item)
        if earlier is None or place.fits or not placed[earlier][1].fits:
            latest[place.item] = number
    records = tuple(
        CorrectionRecord(
            state=place.state if latest[place.item] == number else "superseded",
            work_id=place.work_id,
            correction=each,
        )
        for number, (each, place) in enumerate(placed)
    )
    states = [record.state for record in records]
    return Corrections(
        meta=CorrectionsMeta(states={state: states.count(state) for state in CORRECTION_STATES}),
        records=records,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a decision belongs in a batch."""

    state: CorrectionState
    work_id: WorkId | None
    item: object
    """Equal for decisions of which one alone counts."""

    @property
    def fits(self) -> bool:
        return self.state == "applied"


@dataclass(frozen=True, slots=True)
class _Index:
    """The items by what a decision knows of them."""

    by_content: Mapping[tuple[str, Sha256], WorkId]
    by_key: Mapping[str, WorkId]


_NOTHING = _Index({}, {})


class _Lookup:
    """The items as decisions of different times name them; most were made over the same columns."""

    def __init__(
        self, *, snapshot: InputSnapshot, items: WorkItems, mode: Mode, id_column: str | None
    ) -> None:
        self._snapshot = snapshot
        self._items = items
        self._kind = decide_key_kind(mode, id_column=id_column)
        self._indexes: dict[tuple[KeyKind, tuple[str, ...]], _Index] = {}

    def index(self, correction: Correction) -> _Index:
        """The items by the columns and the kind of key of a decision."""
        kind, columns = correction.key_kind, correction.input_columns
        # Content names rows also where an id column was named later.
        is_known = kind == self._kind or (kind == "content" and self._kind == "name")
        if not is_known:
            return _NOTHING
        if (kind, columns) not in self._indexes:
            identities = build_identities(
                self._snapshot, self._items.records, columns=columns, kind=kind
            )
            self._indexes[kind, columns] = _Index(
                {(each.key, each.input_sha256): name for name, each in identities.items()},
                {each.key: name for name, each in identities.items()},
            )
        return self._indexes[kind, columns]


def _find_place(correction: Correction, index: _Index, *, batch: BatchKey) -> _Place | None:
    work_id = index.by_content.get((correction.key, correction.input_sha256))
    if work_id is not None:
        return _Place("applied", work_id, work_id)
    if correction.batch != batch:
        return None
    work_id = index.by_key.get(correction.key)
    if work_id is not None:
        return _Place("outdated", work_id, work_id)
    return _Place("gone", None, (correction.key_kind, correction.key))
