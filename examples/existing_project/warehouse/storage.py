"""Where the shop keeps what it makes: one csv file a partition."""

from pathlib import Path

import dagster as dg
import pandas as pd


class CsvIOManager(dg.ConfigurableIOManager):
    """Keeps frames as csv files."""

    folder: str

    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame) -> None:
        """Write a frame."""
        path = self._find(context)
        path.parent.mkdir(parents=True, exist_ok=True)
        obj.to_csv(path, index=False)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Read a frame."""
        return pd.read_csv(self._find(context), dtype=str)

    def _find(self, context: dg.InputContext | dg.OutputContext) -> Path:
        return Path(self.folder, *context.asset_key.path, f"{context.asset_partition_key}.csv")
