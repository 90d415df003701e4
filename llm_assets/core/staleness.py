"""Which stages of which batches are up to date, and why are the others not?

A stage is *stale* where it would be made from something else today than it was: other settings, another file,
another version of what it reads. What comes after a stage that has to be made anew *will be stale* only if that
brings a new version, which nobody can know before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from llm_assets.core.code_version import find_changed_parts
from llm_assets.core.fingerprint import fingerprint, fingerprint_text
from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.core.stage_graph import StageGraph, StageNode

State = Literal["fresh", "stale", "will_be_stale", "missing", "failed", "running"]
DUE: tuple[State, ...] = ("stale", "missing", "failed")
"""What a refresh makes anew."""

ReasonKind = Literal[
    "settings",
    "new_version",
    "input_file",
    "image_files",
    "corrections",
    "compared_task",
    "batches",
    "upstream",
    "batch",
    "run_failed",
    "check_failed",
]
Cell = tuple[str, BatchKey | None]
"""A stage, and the batch it is about; None where it is about all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a stage is not fresh."""

    kind: ReasonKind
    subject: str
    """The part of the settings, the stage or the batches it is about; for a failure, what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStatus:
    """How one stage stands."""

    state: State
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the history says of the latest value of a stage."""

    data_version: str
    code_version: str | None
    input_versions: Mapping[str, str]
    """The version of each stage it was made from, as Dagster puts it down."""
    made_at_seconds: float
    input_sha256: str | None = None
    """The hash of the file that it was made from."""
    images_sha256: str | None = None
    """The hash of the pictures that it was made from, where a stage reads any."""
    corrections_sha256: str | None = None
    """The hash of what people had decided when it was made, where a stage reads that."""
    module_sha256: str | None = None
    """The hash of the schema module that it was made from."""
    compared_sha256: str | None = None
    """What the other task's outputs were, where a stage reads those of another task."""
    batches_sha256: str | None = None
    """What all batches were when a stage about them was made."""
    blocked_by: str | None = None
    """The check that keeps what comes after it from being made."""
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many of its items ended in which way, where it has items that end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The latest run that failed while it was making a stage."""

    failed_at_seconds: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """All that the history and the files say of a task."""

    made: Mapping[Cell, Made]
    """Without the values whose files are gone."""
    failures: Mapping[Cell, Failure]
    running_since: Mapping[Cell, float]
    input_sha256: Mapping[BatchKey, Sha256]
    """The hash of each batch's file as it is now; a batch whose file is gone is left out."""
    module_sha256: str
    """The hash of the schema module as it is now."""
    images_sha256: Mapping[BatchKey, Sha256] = field(default_factory=dict[BatchKey, Sha256])
    """The hash of the pictures that a batch names, as they are now; of batches that name any."""
    corrections_sha256: Sha256 | None = None
    """The hash of what people have decided by now; None where the task has no gate."""
    compared_sha256: Mapping[BatchKey, str] = field(default_factory=dict[BatchKey, str])
    """What the outputs of the task that this one is compared with are now; of batches that it has made."""
    told_at_seconds: Mapping[Cell, float] = field(default_factory=dict[Cell, float])
    """When each stage was last made or put away, also where its value is gone since: earlier failures are mended."""


def decide_statuses(
    graph: StageGraph, facts: TaskFacts, batches: Sequence[BatchKey]
) -> Mapping[Cell, StageStatus]:
    """How every stage stands, for every batch where it has batches."""
    batches_sha256 = fingerprint_batches(graph, facts.made, batches)
    # A batch whose file is gone stays as it is: nothing waits for it.
    alive = [key for key in batches if key in facts.input_sha256]
    statuses: dict[Cell, StageStatus] = {}
    for node in graph.nodes:
        for batch in batches if node.is_batched else (None,):
            look = _Look(
                graph=graph, facts=facts, node=node, batch=batch, batches_sha256=batches_sha256
            )
            waits_for = _list_waiting(graph, node, batch, statuses, alive)
            statuses[node.name, batch] = look.decide(waits_for)
    return statuses


def list_due(nodes: Sequence[StageNode], statuses: Mapping[str, StageStatus]) -> tuple[str, ...]:
    """The stages of one batch to be made anew now: due themselves, with nothing before them that has to come first.

    Those after them are looked at again once these are made: they may turn out to be fresh. Stages that are not
    among `nodes` are taken as they are.
    """
    due: list[str] = []
    names = {node.name for node in nodes}
    for node in nodes:
        is_waiting = any(
            statuses[name].state != "fresh" and name not in due
            for name in names.intersection(node.upstream)
        )
        if statuses[node.name].state in DUE and not is_waiting:
            due.append(node.name)
    return tuple(due)


def fingerprint_batches(
    graph: StageGraph, made: Mapping[Cell, Made], batches: Sequence[BatchKey]
) -> str:
    """What the batches are to a stage about all of them: which there are, and the version of each one's stages."""
    names = sorted(node.name for node in graph.batched)
    return fingerprint(
        {
            batch: [made[name, batch].data_version for name in names if (name, batch) in made]
            for batch in batches
        }
    )


def _list_waiting(
    graph: StageGraph,
    node: StageNode,
    batch: BatchKey | None,
    statuses: Mapping[Cell, StageStatus],
    batches: Sequence[BatchKey],
) -> tuple[Reason, ...]:
    """What has to be looked at before a stage can be called fresh."""
    if graph.is_about_batches(node):
        late = [
            key
            for key in batches
            if any(
                statuses[name, key].state != "fresh"
                for name in node.upstream
                if graph.find(name).is_batched
            )
        ]
        more = f" and {len(late) - 1} more" if len(late) > 1 else ""
        return (Reason(kind="batch", subject=f"{late[0]}{more}"),) if late else ()
    cells = [(name, batch if graph.find(name).is_batched else None) for name in node.upstream]
    return tuple(
        Reason(kind="upstream", subject=name)
        for name, key in cells
        if statuses[name, key].state != "fresh"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A look at one stage of one batch."""

    graph: StageGraph
    facts: TaskFacts
    node: StageNode
    batch: BatchKey | None
    batches_sha256: str

    def decide(self, waits_for: tuple[Reason, ...]) -> StageStatus:
        made = self.facts.made.get(self._cell)
        if (state := self._find_trouble(made)) is not None:
            return state
        changes = tuple(self._list_changes(made)) if made else ()
        failures = self._list_failures(made)
        if failures and (made is None or changes or self.node.calls_models):
            return StageStatus(state="failed", reasons=failures)
        if made is None:
            return StageStatus(state="missing")
        if changes:
            return StageStatus(state="stale", reasons=changes)
        return StageStatus(state="will_be_stale" if waits_for else "fresh", reasons=waits_for)

    def _find_trouble(self, made: Made | None) -> StageStatus | None:
        """A run under way, or a check that nothing has mended since."""
        if self.facts.running_since.get(self._cell, 0.0) > self._find_told_at(made):
            return StageStatus(state="running")
        if made is not None and made.blocked_by is not None:
            reason = Reason(kind="check_failed", subject=made.blocked_by)
            return StageStatus(state="failed", reasons=(reason,))
        return None

    def _list_failures(self, made: Made | None) -> tuple[Reason, ...]:
        """The failure that came after the stage was made.

        It counts for nothing where the value is what would be made of the sources of today: a file that was broken
        for an hour is as it was.
        """
        failure = self.facts.failures.get(self._cell)
        if failure is None or failure.failed_at_seconds <= self._find_told_at(made):
            return ()
        return (Reason(kind="run_failed", subject=failure.text),)

    def _find_told_at(self, made: Made | None) -> float:
        return max(
            made.made_at_seconds if made else 0.0, self.facts.told_at_seconds.get(self._cell, 0.0)
        )

    @property
    def _cell(self) -> Cell:
        return self.node.name, self.batch

    def _list_changes(self, made: Made) -> Iterator[Reason]:
        """What is another thing today than it was when the stage was made."""
        for part in find_changed_parts(made.code_version, self.node.code_version):
            # A run that wrote the module was planned before the module was there.
            is_same_module = part == "module" and made.module_sha256 == self.facts.module_sha256
            if not is_same_module:
                yield Reason(kind="settings", subject=part)
        file_sha256 = self.facts.input_sha256.get(self.batch) if self.batch is not None else None
        if self.node.reads_input and file_sha256 not in (None, made.input_sha256):
            yield Reason(kind="input_file", subject=str(self.batch))
        if _is_other(made.images_sha256, self.facts.images_sha256, self.batch):
            yield Reason(kind="image_files", subject=str(self.batch))
        decided_sha256 = self.facts.corrections_sha256
        if made.corrections_sha256 is not None and decided_sha256 not in (
            None,
            made.corrections_sha256,
        ):
            yield Reason(kind="corrections", subject=self.node.name)
        if _is_other(made.compared_sha256, self.facts.compared_sha256, self.batch):
            yield Reason(kind="compared_task", subject=str(self.batch))
        if self.graph.is_about_batches(self.node):
            if made.batches_sha256 != self.batches_sha256:
                yield Reason(kind="batches", subject=self.node.name)
        else:
            yield from self._list_new_versions(made)

    def _list_new_versions(self, made: Made) -> Iterator[Reason]:
        for name in self.node.upstream:
            is_batched = self.graph.find(name).is_batched
            current = self.facts.made.get((name, self.batch if is_batched else None))
            if current is None:
                continue
            version = current.data_version
            # Dagster puts the versions of partitions down as the hash of all that were read: here it is one.
            wanted = fingerprint_text(version) if is_batched else version
            if made.input_versions.get(name) != wanted:
                yield Reason(kind="new_version", subject=name)


def _is_other(of_made: str | None, current: Mapping[BatchKey, str], batch: BatchKey | None) -> bool:
    """Whether what a stage was made from is there today and another thing."""
    now = None if batch is None else current.get(batch)
    return of_made is not None and now is not None and now != of_made
