"""Somebody else's pipeline: it starts when what `documents` has published is another thing than before."""

from collections import defaultdict
from pathlib import Path

import dagster as dg

import llm_assets
from llm_assets.core.export import read_path
from llm_assets.core.published import Published

PROJECT = Path(__file__).parents[2]
BATCHES = dg.DynamicPartitionsDefinition(name="documents_batches")
"""The partitions of the task: `<task>_batches`."""

# `eager()` would run whenever the task ran, also where the same came out. A batch that was published before this was
# switched on is made once by hand; new ones are not.
HAS_NEWS = (
    dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    | dg.AutomationCondition.missing().newly_true()
).since_last_handled()
IS_READY = (
    ~dg.AutomationCondition.any_deps_missing()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
)


@dg.asset(
    partitions_def=BATCHES,
    ins={"published": dg.AssetIn(key=["documents", "published"])},
    automation_condition=HAS_NEWS & IS_READY,
    group_name="office",
)
def reading_list(context: dg.AssetExecutionContext, published: Published) -> None:
    """The published papers of a batch by their kind, and who vouches for each."""
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for record in published.records:
        kind = read_path(record.output, ("classify", "category"))
        by_kind[str(kind)].append(f"- {record.input['title']} ({record.origin})")
    lines = [line for kind in sorted(by_kind) for line in (f"## {kind}", *by_kind[kind])]
    context.add_output_metadata(
        {"papers": len(published.records), "list": dg.MetadataValue.md("\n".join(lines))}
    )


defs = dg.Definitions.merge(
    llm_assets.build_definitions(PROJECT, tasks=["documents"]),
    dg.Definitions(
        assets=[reading_list],
        sensors=[
            dg.AutomationConditionSensorDefinition(
                "follow_documents",
                target=dg.AssetSelection.assets(reading_list),
                default_status=dg.DefaultSensorStatus.RUNNING,
            )
        ],
    ),
)
