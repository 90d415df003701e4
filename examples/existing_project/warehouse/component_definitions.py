"""The same with the task as a component: `warehouse/defs/message_triage/defs.yaml` names it."""

import dagster as dg

from warehouse.assets import HOME
from warehouse.shop import build_shop_definitions

defs = dg.Definitions.merge(
    build_shop_definitions(), dg.load_from_defs_folder(path_within_project=HOME)
)
