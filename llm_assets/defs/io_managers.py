"""Where the value of a stage is kept, and as what it is read again."""

from typing import Any, cast, get_args, get_origin, get_type_hints

import dagster as dg
from pydantic import BaseModel
from upath import UPath

from llm_assets.core.values import CollectionMeta
from llm_assets.defs.export_type import is_frame_type, load_export_frame
from llm_assets.defs.publishing import stop_plainly
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.unmade_stages import build_unmade_error
from llm_assets.errors import ConfigError
from llm_assets.gateways.artifacts import (
    MissingArtifactError,
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

    def __init__(self, base_path: UPath, *, n_prefix: int = 0) -> None:
        super().__init__(base_path=base_path)
        self._n_prefix = n_prefix
        self._folder = base_path

    def get_asset_relative_path(self, context: dg.InputContext | dg.OutputContext) -> UPath:
        """The key as a path, without the prefix that another project may have put before it.

        The command line and the report find the files by task and stage, whatever the graph calls them.
        """
        return UPath(*context.asset_key.path[self._n_prefix :])

    def dump_to_path(self, context: dg.OutputContext, obj: object, path: UPath) -> None:  # noqa: ARG002 -- the base class asks for it
        """Write a value in one move."""
        with stop_plainly():
            if isinstance(obj, BaseModel):
                write_model(_add_ending(path, type(obj)), obj)
            elif obj is not None:
                write_records(_add_ending(path, type(obj)), obj)  # pyright: ignore[reportArgumentType] -- what is no model is a collection

    def get_metadata(self, context: dg.OutputContext, obj: object) -> dict[str, dg.MetadataValue]:
        """Where the value lies: the base class leaves out the ending, so that its path leads to no file."""
        if obj is None:
            return {}
        path = self._folder / self.get_asset_relative_path(context)
        if context.has_asset_partitions:
            path /= context.asset_partition_key
        return {"path": dg.MetadataValue.path(str(_add_ending(path, type(obj))))}

    def load_from_path(self, context: dg.InputContext, path: UPath) -> object:
        """Read a value as the type that the asset asks for: a collection, its meta alone, or a frame."""
        with stop_plainly():
            try:
                return _load(context, path)
            except MissingArtifactError as exc:
                batch = path.name if context.has_asset_partitions else None
                key = context.asset_key.path
                raise build_unmade_error(key, exc, batch=batch, n_prefix=self._n_prefix) from exc

    def load_partitions(self, context: dg.InputContext) -> object:
        """Several batches by their keys; also where there is only one, if the asset asks for a dict."""
        values = cast("object", super().load_partitions(context))
        keys = context.asset_partition_keys
        is_alone = len(keys) == 1 and get_origin(context.dagster_type.typing_type) is dict
        return {keys[0]: values} if is_alone else values

    def get_op_output_relative_path(self, context: dg.InputContext | dg.OutputContext) -> UPath:
        """Not used: every stage is an asset."""
        raise NotImplementedError


def build_io_manager(scope: TaskScope) -> ArtifactIOManager:
    """What keeps the values of a task's stages.

    Bound to each stage and not handed over as a resource beside them: a project that takes the stages in need not
    name it, keeps its own `io_manager` to itself, and can merge definitions, which Dagster refuses where two of
    them bring one resource.
    """
    return ArtifactIOManager(scope.project.artifacts, n_prefix=len(scope.key_prefix))


def _load(context: dg.InputContext, path: UPath) -> object:
    wanted = _find_wanted(context)
    full_path = _add_ending(path, wanted)
    shown = "/".join(full_path.parts[-3:])
    if issubclass(wanted, CollectionMeta):
        return load_meta(full_path, wanted, shown=shown)
    if issubclass(wanted, BaseModel):
        return load_model(full_path, wanted, shown=shown)
    if is_frame_type(wanted):
        return load_export_frame(context, full_path, shown=shown)
    return load_records(full_path, wanted, shown=shown)


def _find_wanted(context: dg.InputContext) -> type[Any]:
    annotation = context.dagster_type.typing_type
    wanted = get_args(annotation)[-1] if get_origin(annotation) is dict else annotation
    key = context.asset_key.to_user_string()
    if not isinstance(wanted, type) or not _is_readable(wanted):
        what = f"The argument `{context.name}` takes {key}, but its annotation is no type that a stage is read as."
        raise ConfigError(what, remedy="Annotate it: an export with pandas.DataFrame.")
    if is_frame_type(wanted) and context.asset_key.path[-1] != "export":
        what = f"The argument `{context.name}` takes {key} as a DataFrame, which only exports are."
        raise ConfigError(what, remedy="Annotate it with the type that the stage returns.")
    return wanted


def _is_readable(wanted: type[object]) -> bool:
    return issubclass(wanted, BaseModel) or _is_collection(wanted)


def _is_collection(wanted: type[object]) -> bool:
    is_meta = issubclass(wanted, CollectionMeta)
    return is_meta or is_frame_type(wanted) or "records" in get_type_hints(wanted)


def _add_ending(path: UPath, value_type: type[object]) -> UPath:
    ending = ".jsonl" if _is_collection(value_type) else ".json"
    return path.with_name(path.name + ending)
