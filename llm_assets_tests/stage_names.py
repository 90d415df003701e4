"""The stages of a task by their names, which tests count and look for."""

TASK_STAGES = ("schema", "schema_text")
"""Stages that are the same for all batches."""
BATCH_STAGES = (
    "input_snapshot",
    "group_contexts",
    "work_items",
    "llm_outputs",
    "export",
    "report",
)
"""Stages that every batch has, in the order in which they run."""
OPTIONAL_STAGES = (
    "assessment",
    "comparison",
    "corrections",
    "gate",
    "review_queue",
    "published",
    "embeddings",
)
"""Stages of a batch that a task has where its config asks for them."""
