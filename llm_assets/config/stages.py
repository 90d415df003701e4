"""What are the stages of a task called?"""

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
SOURCES = ("input_file", "config_file", "prompt_file", "review_files")
"""Files that stand before them."""
STAGE_NAMES = frozenset(
    {*TASK_STAGES, *BATCH_STAGES, *OPTIONAL_STAGES, *SOURCES, "steps", "overview"}
)
"""A step is a stage of its own and needs another name."""
