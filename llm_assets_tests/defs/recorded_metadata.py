"""What a project's Dagster history says of a batch."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from llm_assets_tests.stage_names import BATCH_STAGES

Metadata = Mapping[str, object]
"""Plain values; tables, schemas and lineages as Dagster's own objects."""


def read_batch_metadata(root: Path, *, task: str, batch: str) -> dict[str, Metadata]:
    """The metadata of each stage's latest materialization for a batch."""
    with dg.DagsterInstance.from_config(str(root / ".dagster")) as history:
        return {
            stage: _read_stage(history, dg.AssetKey([task, stage]), batch) for stage in BATCH_STAGES
        }


def _read_stage(history: dg.DagsterInstance, key: dg.AssetKey, batch: str) -> Metadata:
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[batch])
    (record,) = history.fetch_materializations(wanted, limit=1).records
    event = record.asset_materialization
    assert event is not None
    return {name: value.value for name, value in event.metadata.items()}


def read_schema(metadata: Metadata) -> dict[str, dg.TableColumn]:
    """The columns of a stage by name."""
    schema = metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    return {column.name: column for column in schema.columns}


def read_lineage(metadata: Metadata) -> dict[str, list[str]]:
    """Where each column comes from, as `stage.column`."""
    lineage = metadata["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    return {
        name: [f"{dep.asset_key.path[-1]}.{dep.column_name}" for dep in deps]
        for name, deps in lineage.deps_by_column.items()
    }


def read_preview(metadata: Metadata) -> dg.TableMetadataValue:
    """The first rows."""
    preview = metadata["preview"]
    assert isinstance(preview, dg.TableMetadataValue)
    return preview
