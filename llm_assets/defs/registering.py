"""Which batches does the history know, and which version of their files?"""

from collections.abc import Mapping, Sequence

import dagster as dg

from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.batches import Batch, hash_file
from llm_assets.gateways.review_stages import hash_corrections

DATA_VERSION_TAG = "dagster/data_version"
PAGE_SIZE = 1000


def register_batches(
    scope: TaskScope, instance: dg.DagsterInstance, batches: Sequence[Batch]
) -> None:
    """Make the batches known, and the versions of their files.

    This has to happen before a batch first runs: what is made of a file that was never observed counts as fresh
    for good, whatever becomes of the file.
    """
    contents = {batch.key: hash_file(batch.path) for batch in batches}
    instance.add_dynamic_partitions(str(scope.batches.name), list(contents))
    for news in list_news(scope, instance, contents):
        instance.report_runless_asset_event(news)
    if scope.task.settings.gate is not None:
        observe_reviews(scope, instance)


def list_news(
    scope: TaskScope, instance: dg.DagsterInstance, contents: Mapping[BatchKey, Sha256]
) -> list[dg.AssetObservation]:
    """What the history has to be told of batches whose files have these hashes.

    A file that is new, was changed or was put back to what it was before counts; the same content again does not.
    """
    observed = read_observed(scope, instance, list(contents))
    return [
        dg.AssetObservation(
            scope.build_key("input_file"), partition=key, tags={DATA_VERSION_TAG: sha256}
        )
        for key, sha256 in contents.items()
        if observed.get(key) != sha256
    ]


def observe_reviews(scope: TaskScope, instance: dg.DagsterInstance) -> None:
    """Make known what people have decided by now, where that is news."""
    version = hash_corrections(scope.task, scope.project)
    observation = dg.AssetObservation(
        scope.build_key("review_files"), tags={DATA_VERSION_TAG: version}
    )
    latest = instance.fetch_observations(observation.asset_key, limit=1).records
    known = latest[0].asset_observation if latest else None
    if known is None or known.data_version != observation.data_version:
        instance.report_runless_asset_event(observation)


def read_observed(
    scope: TaskScope, instance: dg.DagsterInstance, keys: Sequence[BatchKey]
) -> Mapping[BatchKey, str]:
    """The version last observed of each of these batches' files; those never observed are left out."""
    wanted = dg.AssetRecordsFilter(
        asset_key=scope.build_key("input_file"), asset_partitions=list(keys)
    )
    observed: dict[BatchKey, str] = {}
    cursor: str | None = None
    # Pages come newest first; a look-up for each batch would take many times as long.
    while len(observed) < len(set(keys)):
        page = instance.fetch_observations(wanted, limit=PAGE_SIZE, cursor=cursor)
        for record in page.records:
            observation = record.asset_observation
            version = observation and (observation.tags or {}).get(DATA_VERSION_TAG)
            if version and record.partition_key:
                observed.setdefault(BatchKey(record.partition_key), version)
        if not page.has_more:
            break
        cursor = page.cursor
    return observed
