"""The embeddings stage: published records, to be found again by their meaning."""

import dagster as dg

from llm_assets.config.embed import EmbedSettings
from llm_assets.core.embedding_summary import EmbeddedBatch
from llm_assets.core.embedding_text import build_embedding_text
from llm_assets.core.published import Published
from llm_assets.defs.calling import POOL
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.observing import build_observer
from llm_assets.defs.publishing import publish, stop_plainly
from llm_assets.defs.review_metadata import describe_embeddings
from llm_assets.defs.run_lock import RUN_LOCK, run_lock_resource
from llm_assets.defs.scope import TaskScope, get_batch
from llm_assets.defs.stage_arguments import build_batch_arguments
from llm_assets.gateways.embeddings import embed_published
from llm_assets.gateways.tasks import check_no_gaps

RECIPE = 1
"""Raised when the same records would get other vectors."""


def build_embeddings_asset(scope: TaskScope, settings: EmbedSettings) -> dg.AssetsDefinition:
    """The asset of one task that embeds what it publishes."""
    task, project = scope.task, scope.project

    @dg.asset(
        **build_batch_arguments(scope, "embeddings"),
        resource_defs={RUN_LOCK: run_lock_resource},
        ins=scope.build_inputs("published"),
        kinds={"lancedb", "llm"},
        metadata=describe_definition(
            scope,
            files={"folder": project.vectors / task.name},
            model=f"{settings.endpoint}/{settings.model}",
        ),
        pool=POOL,
        code_version=scope.build_code_version(
            RECIPE,
            text=build_embedding_text(settings).sha256,
            embed=[settings.endpoint, settings.model, settings.dimensions],
        ),
    )
    def embeddings(
        context: dg.AssetExecutionContext, published: Published
    ) -> dg.MaterializeResult[EmbeddedBatch]:
        """The published records as vectors in `data/vectors`, where `llm-assets search` finds them by their meaning.

        Only records that changed are sent, and no text is ever paid twice: the vectors are on record like every
        other answer, so that the store can be deleted and is built again without a call.
        """
        with stop_plainly():
            check_no_gaps(task, "embed")
            summary = embed_published(
                task,
                project,
                published,
                batch=get_batch(context),
                run_id=context.run.run_id,
                observer=build_observer(context, scope.observers),
                clock=scope.clock,
            )
            return publish(
                summary.batch,
                metadata=describe_embeddings(summary),
                content_sha256=summary.batch.contents_sha256,
            )

    return embeddings
