"""Is the task that `compare` names one that can be compared with?"""

from collections.abc import Sequence

from llm_assets.config.problems import Problem, build_config_error
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import YamlDocument
from llm_assets.errors import suggest

WITH = ("compare", "with")


def check_compared_task(
    settings: TaskSettings, document: YamlDocument, *, name: str, names: Sequence[str]
) -> None:
    """Make sure that `compare.with` of the task `name` is another one of the project's tasks.

    `ConfigError` also where it is left open: what a task depends on cannot change from run to run.
    """
    if settings.compare is None:
        return
    other = settings.compare.with_
    others = [each for each in names if each != name]
    if WITH in document.required:
        what, remedy = "`!required` cannot stand here.", "Name the task."
    elif other == name:
        what = "a task cannot be compared with itself."
        remedy = "Name another one, or write `compare: null` in a variant that inherits the block."
    elif other not in others:
        what = f"there is no task {other!r} in configs/."
        remedy = f"{suggest(other, others)} Tasks: {', '.join(others)}.".strip()
    else:
        return
    problem = Problem(position=document.find_position(WITH), path=WITH, what=what, remedy=remedy)
    raise build_config_error(document.file, [problem])
