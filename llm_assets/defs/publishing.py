"""How a stage hands over its value: with a version made from its content, and mistakes in plain words."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import dagster as dg
from pydantic import BaseModel

from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.values import CollectionMeta
from llm_assets.defs.check_results import StageChecks
from llm_assets.defs.telling_entries import order_entries
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.artifacts import Collection, fingerprint_model, fingerprint_records

Value = TypeVar("Value", bound=BaseModel | Collection)
VERSION_DIGITS = 16

EXIT_CODE_KEY = "exit_code"
REMEDY_KEY = "remedy"
CODE_VERSION_TAG = "dagster/code_version"
SOURCE_KEY = "source_sha256"
"""Which module a schema was made from."""
INPUT_KEY = "input_sha256"
"""Which file a snapshot was taken of."""
IMAGES_KEY = "images_sha256"
"""Which pictures the items of a batch hold."""
CORRECTIONS_KEY = "llm_assets/corrections_sha256"
"""What people had decided on rows of the task when a stage was made of it."""
COMPARED_KEY = "compared_sha256"
"""Which outputs of another task a comparison was made of."""
BATCHES_KEY = "llm_assets/batches_sha256"
"""What all batches were when a stage about them was made."""
CLEANED_VERSION = "cleaned"
"""The data version of a value that was put away."""
BLOCKED_KEY = "llm_assets/blocked_by"
"""What the checks found that keep what comes after a value from being made; not there where none does."""


def publish(
    value: Value,
    *,
    metadata: Mapping[str, Any],
    content_sha256: str | None = None,
    key: dg.AssetKey | None = None,
    checks: StageChecks | None = None,
    code_version: str | None = None,
) -> dg.MaterializeResult[Value]:
    """The value of a stage with the version of its content: the same content is the same version.

    A stage gives the hash of what counts where not all of its content does, such as times and costs. What its checks
    block is told with the value: Dagster puts the version on record all the same, and only this run stops.
    `code_version` stands in the place of the definition's, where a run was made with other settings than the
    definition: so the value is stale for whoever goes by the definition. `key` says which of several assets of one
    run it is.
    """
    version = content_sha256[:VERSION_DIGITS] if content_sha256 else build_version(value)
    blocked_by = checks.blocked_by if checks else None
    blocked = {} if blocked_by is None else {BLOCKED_KEY: blocked_by}
    return dg.MaterializeResult(
        asset_key=key,
        value=value,
        metadata=order_entries({**metadata, **blocked}),
        data_version=dg.DataVersion(version),
        check_results=checks.results if checks else (),
        tags={} if code_version is None else {CODE_VERSION_TAG: code_version},
    )


def build_version(value: BaseModel | Collection) -> str:
    """The version of a value's content; of what a collection says about its records, what it counts as such."""
    if isinstance(value, BaseModel):
        return fingerprint_model(value)[:VERSION_DIGITS]
    sha256, meta = fingerprint_records(value), value.meta
    counted = meta.counted if isinstance(meta, CollectionMeta) else ()
    return (fingerprint([sha256, counted]) if counted else sha256)[:VERSION_DIGITS]


@contextmanager
def stop_plainly() -> Generator[None]:
    """Turn a mistake that a person can mend into a failure that says so; running again would not help."""
    try:
        yield
    except LLMAssetsError as exc:
        raise dg.Failure(
            description=str(exc),
            metadata={
                EXIT_CODE_KEY: exc.exit_code,
                REMEDY_KEY: exc.remedy,
                "kind": type(exc).__name__,
            },
            allow_retries=False,
        ) from exc
