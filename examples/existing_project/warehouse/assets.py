"""What the shop makes itself: the messages that come in, and the list that the workshop starts its day with."""

from pathlib import Path

import dagster as dg
import pandas as pd

import llm_assets

HOME = Path(__file__).parents[1]
TRIAGE = HOME / "llm" / "configs" / "message_triage.yaml"
MONTHS = dg.StaticPartitionsDefinition(["2026-04", "2026-05"])
BATCHES = dg.DynamicPartitionsDefinition(name="message_triage_batches")
"""The partitions of the task: `<task>_batches`."""


@dg.asset(partitions_def=MONTHS, group_name="shop")
def messages(context: dg.AssetExecutionContext) -> pd.DataFrame:
    """A month's messages from customers."""
    everything = pd.read_csv(HOME / "source" / "messages.csv", dtype=str)
    return everything.loc[everything["received"].str.startswith(context.partition_key)]


@dg.asset(partitions_def=MONTHS, group_name="shop")
def message_table(context: dg.AssetExecutionContext, messages: pd.DataFrame) -> None:
    """The month as a table that the task `message_triage` reads; its name is the batch's key."""
    table = HOME / "llm" / "data" / "inputs" / "message_triage" / f"{context.partition_key}.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    messages.to_csv(table, index=False)
    llm_assets.register_batch(context.instance, table, config=TRIAGE)


@dg.asset(
    partitions_def=BATCHES,
    ins={"triaged": dg.AssetIn(key=["message_triage", "export"])},
    group_name="shop",
)
def urgent_messages(triaged: pd.DataFrame) -> pd.DataFrame:
    """What the workshop should look at first; a message without an accepted answer is among it."""
    is_urgent = (triaged["status"] != "accepted") | (triaged["urgency"] == "today")
    return triaged.loc[is_urgent]
