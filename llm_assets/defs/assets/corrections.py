"""The corrections stage: what people decided on the rows of a batch."""

import dagster as dg

from llm_assets.core.corrections import Corrections
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.work_items import WorkItems
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.review_metadata import describe_corrections
from llm_assets.defs.scope import TaskScope, get_batch
from llm_assets.defs.stage_arguments import build_batch_arguments
from llm_assets.gateways.review_stages import load_batch_corrections
from llm_assets.gateways.reviews import find_review_folder

RECIPE = 1
"""Raised when the same decisions would be matched with other items."""


def build_corrections_asset(scope: TaskScope) -> dg.AssetsDefinition:
    """The asset of one task with a gate."""
    task, project = scope.task, scope.project

    @dg.asset(
        **build_batch_arguments(scope, "corrections"),
        ins=scope.build_inputs("input_snapshot", "work_items"),
        deps=[scope.build_key("review_files")],
        kinds={"json", "person"},
        metadata=describe_definition(scope, files={"folder": find_review_folder(task, project)}),
        code_version=scope.build_code_version(RECIPE, id_column=task.settings.input.id_column),
    )
    def corrections(
        context: dg.AssetExecutionContext, input_snapshot: InputSnapshot, work_items: WorkItems
    ) -> dg.MaterializeResult[Corrections]:
        """What people decided on this batch's rows: who, when, what, and whether it still holds.

        A decision wins over the model whatever the prompt and the model are, as long as the row is as it was when
        the person looked. After that it is kept and flagged as `outdated`, and applied no more.
        """
        with stop_plainly():
            found = load_batch_corrections(
                task, project, get_batch(context), snapshot=input_snapshot, items=work_items
            )
            return publish(
                found.corrections,
                metadata=describe_corrections(found.corrections, all_sha256=found.all_sha256),
            )

    return corrections
