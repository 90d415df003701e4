"""What is said where a stage reads one that was never made."""

from collections.abc import Sequence

from llm_assets.defs.jobs import name_batch_job_of, name_schema_job_of
from llm_assets.errors import StorageError
from llm_assets.gateways.artifacts import MissingArtifactError


def build_unmade_error(
    key: Sequence[str], missing: MissingArtifactError, *, batch: str | None, n_prefix: int
) -> StorageError:
    """Names the asset and its batch instead of the reader, and what makes them.

    The first `n_prefix` parts of the key are those that another project put before the task's name; the command
    line knows such a task by another key, and is not named then.
    """
    asset, task = "/".join(key), key[n_prefix]
    kept = "Answered calls cost nothing."
    if batch is not None:
        what = f"{asset} was not made yet for the batch {batch}, or was taken away. {missing.what}"
        job = f"run the job {name_batch_job_of(task)} for it"
        return StorageError(what, remedy=f"Materialize {asset} of {batch} first, or {job}. {kept}")
    what = f"{asset} was not made yet, or was taken away. {missing.what}"
    command = f", or `llm-assets run {task}`, which makes all in order" if n_prefix == 0 else ""
    return StorageError(
        what, remedy=f"Run the job {name_schema_job_of(task)} first{command}. {kept}"
    )
