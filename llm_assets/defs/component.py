"""How does a `defs.yaml` take a task in?"""

from pathlib import Path

import dagster as dg
from pydantic import Field

from llm_assets.defs.library import build_definitions


class LLMTask(dg.Component, dg.Model, dg.Resolvable):
    """A table in, an LLM's checked answer for every row out: the stages of one task, or of all tasks of a folder."""

    path: str = Field(
        description="The file of a task, or the folder that holds configs/ and prompts/; starts from the folder of "
        "this defs.yaml."
    )
    tasks: list[str] | None = Field(
        default=None, description="Some of the folder's tasks; all of them by default."
    )
    key_prefix: str | list[str] = Field(
        default=[], description="Comes before the task's name in every asset key."
    )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The same as `llm_assets.build_definitions`."""
        home = context.path if context.path.is_dir() else context.path.parent
        path = Path(home, self.path)
        return build_definitions(path, tasks=self.tasks, key_prefix=self.key_prefix)
