"""Everything Dagster shows of the shop; the task comes in by one line."""

import dagster as dg

from llm_assets import build_definitions
from warehouse.assets import HOME
from warehouse.shop import build_shop_definitions

defs = dg.Definitions.merge(build_shop_definitions(), build_definitions(HOME / "llm"))
