"""The shop's own pipeline, as it was before any language model."""

import dagster as dg

from warehouse.assets import HOME, message_table, messages, urgent_messages
from warehouse.storage import CsvIOManager


def build_shop_definitions() -> dg.Definitions:
    """Assets, where they are kept, and how they run."""
    return dg.Definitions(
        assets=[messages, message_table, urgent_messages],
        resources={"io_manager": CsvIOManager(folder=str(HOME / "warehouse_files"))},
        executor=dg.multiprocess_executor,
    )
