"""What does Dagster's history say of the latest value of every stage?

Dagster's own staleness looks one step back, shows no partitions on its pages and gives up beyond a hundred of
them. The tags of the materializations hold all that is needed, and reading them is many times as fast.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

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
from llm_assets.defs.registering import DATA_VERSION_TAG
from llm_assets.defs.scope import TaskScope

INPUT_VERSION_PREFIX = "dagster/input_data_version/"
COUNT_PREFIX = "items_"
PAGE_SIZE = 1000


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
        made: dict[Cell, Made] = {}
        for node in self.graph.nodes:
            found = self._find_for(node, batches) if node.is_batched else self._find_one(node)
            for batch, record in found:
                if record.asset_materialization is not None:
                    made[node.name, batch] = self._build_made(
                        record.asset_materialization, record.timestamp
                    )
        return made

    def _find_one(self, node: StageNode) -> Iterator[tuple[None, dg.EventLogRecord]]:
        key = self.scope.build_key(node.name)
        for record in self.instance.fetch_materializations(key, limit=1).records:
            yield None, record

    def _find_for(
        self, node: StageNode, batches: Sequence[BatchKey]
    ) -> Iterator[tuple[BatchKey, dg.EventLogRecord]]:
        """Page back from the newest until every batch that was ever made is found."""
        key = self.scope.build_key(node.name)
        wanted = self.instance.get_materialized_partitions(key) & set(batches)
        # A filter by partition serves a few batches; for many it would be as long as the history.
        is_few = len(batches) < PAGE_SIZE // 10
        records_filter = (
            dg.AssetRecordsFilter(key, asset_partitions=list(batches)) if is_few else key
        )
        cursor: str | None = None
        while wanted:
            limit = 1 if len(batches) == 1 else PAGE_SIZE
            page = self.instance.fetch_materializations(records_filter, limit=limit, cursor=cursor)
            for record in page.records:
                if record.partition_key in wanted:
                    wanted.remove(record.partition_key)
                    yield BatchKey(record.partition_key), record
            if not page.has_more:
                return
            cursor = page.cursor

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
