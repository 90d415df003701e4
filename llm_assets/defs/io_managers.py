"""Where the value of a stage is kept, and as what it is read again."""

from typing import Any, get_type_hints

import dagster as dg
from pydantic import BaseModel
from upath import UPath

from llm_assets.core.export import ExportTable
from llm_assets.core.values import CollectionMeta
from llm_assets.defs.export_type import is_frame_type, load_export_frame
from llm_assets.defs.publishing import stop_plainly
from llm_assets.gateways.artifacts import (
    load_meta,
    load_model,
    load_records,
    write_model,
    write_records,
)


class ArtifactIOManager(dg.UPathIOManager):
    """Keeps single values as JSON and collections as JSON Lines, one file a batch.

    The file of stage `work_items` of task `triage` for batch `march` is `triage/work_items/march.jsonl`.
    """

    extension: str | None = None

    def dump_to_path(self, context: dg.OutputContext, obj: object, path: UPath) -> None:  # noqa: ARG002 -- the base class asks for it
        """Write a value in one move."""
        with stop_plainly():
            if isinstance(obj, BaseModel):
                write_model(_add_ending(path, type(obj)), obj)
            elif obj is not None:
                write_records(_add_ending(path, type(obj)), obj)  # pyright: ignore[reportArgumentType] -- what is no model is a collection

    def load_from_path(self, context: dg.InputContext, path: UPath) -> object:
        """Read a value as the type that the asset asks for: a collection, or its meta alone.

        An export is a DataFrame for an asset that asks for one.
        """
        wanted: type[Any] = context.dagster_type.typing_type
        if is_frame_type(wanted):
            return _load_frame(context, path)
        full_path = _add_ending(path, wanted)
        shown = "/".join(full_path.parts[-3:])
        with stop_plainly():
            if issubclass(wanted, CollectionMeta):
                return load_meta(full_path, wanted, shown=shown)
            if issubclass(wanted, BaseModel):
                return load_model(full_path, wanted, shown=shown)
            return load_records(full_path, wanted, shown=shown)

    def get_op_output_relative_path(self, context: dg.InputContext | dg.OutputContext) -> UPath:
        """Not used: every stage is an asset."""
        raise NotImplementedError


def _load_frame(context: dg.InputContext, path: UPath) -> object:
    full_path = _add_ending(path, ExportTable)
    with stop_plainly():
        return load_export_frame(context, full_path, shown="/".join(full_path.parts[-3:]))


def _add_ending(path: UPath, value_type: type[object]) -> UPath:
    is_collection = issubclass(value_type, CollectionMeta) or "records" in get_type_hints(
        value_type
    )
    ending = ".jsonl" if is_collection else ".json"
    return path.with_name(path.name + ending)
