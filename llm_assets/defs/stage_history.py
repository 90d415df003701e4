"""What does Dagster's history say of the latest value of every stage?

Dagster's own staleness looks one step back, shows no partitions on its pages and gives up beyond a hundred of
them. The tags of the materializations hold all that is needed, and reading them is many times as fast.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType

from llm_assets.core.ids import BatchKey
from llm_assets.core.stage_graph import StageGraph, StageNode
from llm_assets.core.staleness import Cell, Made
from llm_assets.defs.publishing import (
    BATCHES_KEY,
    BLOCKED_KEY,
    CLEANED_VERSION,
    CODE_VERSION_TAG,
    COMPARED_KEY,
    CORRECTIONS_KEY,
    IMAGES_KEY,
    INPUT_KEY,
    SOURCE_KEY,
)
from llm_assets.defs.read_events import (
    EventId,
    ReadEvents,
    find_place,
    hash_reader,
    load_read_events,
    save_read_events,
)
from llm_assets.defs.registering import DATA_VERSION_TAG
from llm_assets.defs.scope import TaskScope

INPUT_VERSION_PREFIX = "dagster/input_data_version/"
COUNT_PREFIX = "items_"
PAGE_SIZE = 1000
MANY_EVENTS = 100
"""From here on it is kept what was read of them; fewer are read in no time."""


@dataclass(frozen=True, kw_only=True)
class StageHistory:
    """One task's part of the history."""

    scope: TaskScope
    instance: dg.DagsterInstance
    graph: StageGraph

    def read_made(self, batches: Sequence[BatchKey]) -> Mapping[Cell, Made]:
        """The latest value of every stage, for these batches where it has batches."""
        latest = self.read_latest(batches)
        return {cell: made for cell, made in latest.items() if not is_cleaned(made)}

    def read_latest(self, batches: Sequence[BatchKey]) -> Mapping[Cell, Made]:
        """What was told last of every stage: that it was made, or that it was put away."""
        return {
            (node.name, batch): made
            for node in self.graph.nodes
            for batch, made in (
                self._find_for(node, batches) if node.is_batched else self._find_one(node)
            )
        }

    def _find_one(self, node: StageNode) -> Iterator[tuple[None, Made]]:
        key = self.scope.build_key(node.name)
        for _, made in self._build_all(self.instance.fetch_materializations(key, limit=1).records):
            yield None, made

    def _find_for(
        self, node: StageNode, batches: Sequence[BatchKey]
    ) -> Iterator[tuple[BatchKey, Made]]:
        key = self.scope.build_key(node.name)
        latest = self.instance.get_latest_storage_id_by_partition(
            key, DagsterEventType.ASSET_MATERIALIZATION
        )
        wanted = {batch: latest[batch] for batch in batches if batch in latest}
        is_few = len(wanted) < MANY_EVENTS
        known: Mapping[EventId, Made] = (
            {} if is_few else self._recall(key, frozenset(latest.values()))
        )
        made = {**known, **self._read(key, [each for each in wanted.values() if each not in known])}
        for batch, event in wanted.items():
            if event in made:
                yield batch, made[event]

    def _recall(self, key: dg.AssetKey, latest: Collection[EventId]) -> Mapping[EventId, Made]:
        """What the latest events of a stage say; those are read that were not read before."""
        place, reader_sha256 = find_place(self.instance, key), hash_reader(Path(__file__))
        kept = load_read_events(place, reader_sha256=reader_sha256)
        known: Mapping[EventId, Made] = kept.made
        newest = kept.newest
        if newest is not None and self._read(key, [newest]).get(newest) != known[newest]:
            known = {}
        unread = [event for event in latest if event not in known]
        if len(unread) < MANY_EVENTS:
            return known
        made = {event: each for event, each in known.items() if event in latest}
        made.update(self._read(key, unread))
        save_read_events(place, ReadEvents(reader_sha256=reader_sha256, made=made))
        return made

    def _read(self, key: dg.AssetKey, events: Sequence[EventId]) -> dict[EventId, Made]:
        made: dict[EventId, Made] = {}
        for begin in range(0, len(events), PAGE_SIZE):
            page = dg.AssetRecordsFilter(key, storage_ids=events[begin : begin + PAGE_SIZE])
            records = self.instance.fetch_materializations(page, limit=PAGE_SIZE).records
            made.update(self._build_all(records))
        return made

    def _build_all(self, records: Sequence[dg.EventLogRecord]) -> Iterator[tuple[EventId, Made]]:
        for record in records:
            if record.asset_materialization is not None:
                yield (
                    record.storage_id,
                    self._build_made(record.asset_materialization, record.timestamp),
                )

    def _build_made(self, materialization: dg.AssetMaterialization, made_at_seconds: float) -> Made:
        tags = materialization.tags or {}
        values = {name: value.value for name, value in materialization.metadata.items()}
        # A stage of another task may bear the same name, so only the task's own ones count.
        own = f"{INPUT_VERSION_PREFIX}{self.scope.build_key('').to_user_string()}"
        return Made(
            data_version=tags.get(DATA_VERSION_TAG, ""),
            code_version=tags.get(CODE_VERSION_TAG),
            input_versions={
                name.removeprefix(own): version
                for name, version in tags.items()
                if name.startswith(own)
            },
            made_at_seconds=made_at_seconds,
            input_sha256=_get_text(values, INPUT_KEY),
            images_sha256=_get_text(values, IMAGES_KEY),
            corrections_sha256=_get_text(values, CORRECTIONS_KEY),
            module_sha256=_get_text(values, SOURCE_KEY),
            compared_sha256=_get_text(values, COMPARED_KEY),
            batches_sha256=_get_text(values, BATCHES_KEY),
            blocked_by=_get_text(values, BLOCKED_KEY),
            counts={
                name.removeprefix(COUNT_PREFIX): count
                for name, count in values.items()
                if name.startswith(COUNT_PREFIX) and isinstance(count, int)
            },
        )


def is_cleaned(made: Made) -> bool:
    """Whether the latest that is known of a stage is that its value was put away."""
    return made.data_version == CLEANED_VERSION


def _get_text(values: Mapping[str, object], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None
