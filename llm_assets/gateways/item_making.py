"""How a batch's rows become its work items, with the pictures that they name looked at."""

from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.work_items import WorkItems, build_work_items
from llm_assets.gateways.image_files import find_images
from llm_assets.gateways.tasks import Task


def make_work_items(task: Task, snapshot: InputSnapshot, contexts: GroupContexts) -> WorkItems:
    """The questions of a batch; the bytes of every picture it names are read and hashed for them."""
    settings = task.settings
    return build_work_items(
        snapshot,
        contexts=contexts,
        grouping=settings.grouping,
        context=settings.context,
        id_column=settings.input.id_column,
        images=find_images(task, snapshot),
    )
