"""Everything Dagster shows of this project: start reading here.

Each task of `configs/` becomes a group of assets; `defs/task_definitions.py` lists them in the order in which
they run, and every asset is a file of `defs/assets/` that calls the one core module or gateway of its name.
"""

from pathlib import Path

import dagster as dg

from llm_assets.defs.project_definitions import build_project_definitions
from llm_assets.gateways.project import load_project

defs: dg.Definitions = build_project_definitions(load_project(Path.cwd()))
