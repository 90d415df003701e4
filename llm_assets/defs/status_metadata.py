"""What Dagster's pages say of how all batches stand."""

import dagster as dg

from llm_assets.core.status_text import render_status_markdown
from llm_assets.core.task_status import TaskStatus
from llm_assets.defs.publishing import BATCHES_KEY

MAX_BATCHES_SHOWN = 200
"""Every event is kept in Dagster's database, so a table stays small."""


def describe_overview(status: TaskStatus) -> dict[str, object]:
    """Whether there is anything to do, the table, and which versions of the batches it is about."""
    return {
        "dagster/row_count": len(status.batches),
        "is_fresh": status.is_fresh,
        "batches": build_status_table(status),
        BATCHES_KEY: status.batches_sha256,
    }


def build_status_table(status: TaskStatus) -> dg.MarkdownMetadataValue:
    """A line a batch, a column a stage, with the reasons."""
    return dg.MetadataValue.md(render_status_markdown(status, max_batches=MAX_BATCHES_SHOWN))
