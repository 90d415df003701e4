"""What does the graph show of a task that cannot be loaded?"""

import logging
import re
from collections.abc import Sequence

import dagster as dg

from llm_assets.defs.definition_metadata import refer_to_files
from llm_assets.gateways.project import Project
from llm_assets.gateways.task_survey import BrokenTask

_LOG = logging.getLogger(__name__)


def tell_broken(broken: Sequence[BrokenTask]) -> None:
    """An error in the log of the code location for each, with the sentence that the command line says."""
    for each in broken:
        _LOG.error("The task %s is left out: %s", each.name, each.problem)


def build_broken_spec(broken: BrokenTask, project: Project) -> dg.AssetSpec:
    """The task's config as the only node of its group, with what is wrong.

    A file's name that is the mistake itself stands in the key as it is; groups and tags take less.
    """
    group = re.sub(r"[^A-Za-z0-9_]", "_", broken.name)
    return dg.AssetSpec(
        key=dg.AssetKey([broken.name, "config_file"]),
        group_name=group,
        tags={"task": group},
        kinds={"yaml", "broken"},
        description=(
            f"**This task cannot be loaded from `{project.show(broken.config_path)}` and is left out:**"
            f"\n\n```text\n{broken.problem}\n```\n\nMend it and reload the code location."
        ),
        metadata={
            "config": dg.MetadataValue.path(str(broken.config_path)),
            "dagster/code_references": refer_to_files({"config": broken.config_path}),
        },
    )
