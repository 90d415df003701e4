"""What an item's calls are made from."""

from llm_assets.core.calls import CallOrigin, Purpose
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.items import Item
from llm_assets.core.step import Step


def build_origin(step: Step, item: Item, purpose: Purpose) -> CallOrigin:
    """The parts of a call that a person can change, each by its hash."""
    asked = step.judge if purpose == "judge" and step.judge is not None else step
    work = item.work
    return CallOrigin(
        work_id=work.work_id,
        row_id=work.row_ids[0],
        group_context_id=work.group_context_id,
        prompt_sha256=asked.prompt.sha256,
        schema_sha256=asked.schema_sha256,
        settings_sha256=asked.settings.fingerprint,
        step=step.name,
        upstream_sha256=None if item.steps is None else fingerprint(item.steps),
    )
