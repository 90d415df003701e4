"""How the values of stages are kept as JSON files that any tool can read.

A single value is one JSON file. A collection is a JSON Lines file, one record a line, with a file beside it
(`.meta.json`) that says what the records are and holds the hash of their bytes, so that a half-written or
foreign pair is recognised.
"""

import gc
import hashlib
import json
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from upath import UPath

from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import Sha256
from llm_assets.errors import StorageError

RECORDS_PER_CHUNK = 1000
REMEDY = "Materialize the stage again; answered calls cost nothing."


class MissingArtifactError(StorageError):
    """There is no such file: its stage was not made yet, or what it made was taken away."""


class Collection(Protocol):
    """A value with a `meta` and a tuple of records."""

    @property
    def meta(self) -> BaseModel:
        """What the records are."""
        ...

    @property
    def records(self) -> tuple[Any, ...]:
        """Dataclasses, in order."""
        ...


_META: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])

Model = TypeVar("Model", bound=BaseModel)
Records = TypeVar("Records", bound=Collection)


def fingerprint_model(value: BaseModel) -> Sha256:
    """The hash of the bytes that `write_model` writes."""
    return Sha256(hashlib.sha256(_encode_model(value)).hexdigest())


def fingerprint_records(value: Collection) -> Sha256:
    """The hash of the record bytes that `write_records` writes; the meta is not part of it.

    The bytes are kept until they are written: a stage needs them for its version and then for its file, and
    encoding them takes longer than the rest of both.
    """
    chunks = tuple(_encode_records(value))
    _unwritten[:] = [(value, chunks)]
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return Sha256(digest.hexdigest())


def write_model(path: UPath, value: BaseModel) -> None:
    """Write one value; a file that was there is replaced in one move, or stays whole."""
    _write(path, [_encode_model(value)])


def write_records(path: UPath, value: Collection) -> None:
    """Write a collection: the records, then the meta that vouches for them."""
    sha256 = _write(path, _take_unwritten(value) or _encode_records(value))
    meta = value.meta.model_dump(mode="json") | {"records_sha256": sha256}
    _write(_find_meta(path), [_encode_plain(meta)])


def load_model(path: UPath, model: type[Model], *, shown: str) -> Model:
    """Read one value; `StorageError` where the file is missing or holds something else."""
    try:
        return model.model_validate_json(_read(path, shown=shown))
    except ValidationError as exc:
        raise _build_foreign_error(shown, exc) from exc


def load_meta(path: UPath, meta_type: type[Model], *, shown: str) -> Model:
    """Read what a collection says about its records, and none of them; `path` is that of the records."""
    meta = _load_meta(path, shown=shown)
    meta.pop("records_sha256", None)
    try:
        return meta_type.model_validate_json(json.dumps(meta))
    except ValidationError as exc:
        raise _build_foreign_error(shown, exc) from exc


def load_records(path: UPath, collection: type[Records], *, shown: str) -> Records:
    """Read a collection; `StorageError` where a file is missing, damaged or foreign."""
    record_type, meta_type = _read_types(collection)
    expected = _load_meta(path, shown=shown).get("records_sha256")
    parse_record = _build_adapter(record_type).validate_json
    with _open_stored(path, shown=shown) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != expected:
            raise StorageError(
                f"The artifact {shown} and its .meta.json do not belong together.", remedy=REMEDY
            )
        file.seek(0)
        try:
            with pause_collection():
                # Line by line from the file: a large collection as text takes as much memory as its records.
                records = tuple(map(parse_record, file))
        except ValidationError as exc:
            raise _build_foreign_error(shown, exc) from exc
    return collection(meta=load_meta(path, meta_type, shown=shown), records=records)  # pyright: ignore[reportCallIssue] -- a protocol says nothing of constructors


@contextmanager
def pause_collection() -> Generator[None]:
    """What is read comes to stay: looking for garbage among it would take a quarter of a load's time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _load_meta(path: UPath, *, shown: str) -> dict[str, Any]:
    meta_shown = f"{shown.removesuffix(path.suffix)}.meta.json"
    try:
        return _META.validate_json(_read(_find_meta(path), shown=meta_shown))
    except ValidationError as exc:
        raise _build_foreign_error(meta_shown, exc) from exc


def _encode_model(value: BaseModel) -> bytes:
    return _encode_plain(value.model_dump(mode="json"))


def _encode_plain(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=2)
    return f"{text}\n".encode()


def _encode_records(value: Collection) -> Iterator[bytes]:
    """The JSON lines of a collection, many at a time: a batch may hold hundreds of thousands."""
    record_type, _ = _read_types(type(value))
    adapter = _build_adapter(record_type)
    for start in range(0, len(value.records), RECORDS_PER_CHUNK):
        records = value.records[start : start + RECORDS_PER_CHUNK]
        plain = [adapter.dump_python(record, mode="json") for record in records]
        yield "".join(f"{render_json(record)}\n" for record in plain).encode()


_unwritten: list[tuple[Collection, tuple[bytes, ...]]] = []
"""What was encoded last, while it is not written; at most one."""


def _take_unwritten(value: Collection) -> tuple[bytes, ...] | None:
    kept = next((chunks for known, chunks in _unwritten if known is value), None)
    _unwritten.clear()
    return kept


@cache
def _build_adapter(record_type: type[object]) -> TypeAdapter[Any]:
    return TypeAdapter(record_type)


@cache
def _read_types(collection: type[Collection]) -> tuple[type[object], type[BaseModel]]:
    """The record type and the meta type that a collection's annotations name."""
    hints = get_type_hints(collection)
    return get_args(hints["records"])[0], hints["meta"]


def _find_meta(path: UPath) -> UPath:
    return path.with_suffix(".meta.json")


def _read(path: UPath, *, shown: str) -> bytes:
    with _open_stored(path, shown=shown) as file:
        return file.read()


@contextmanager
def _open_stored(path: UPath, *, shown: str) -> Generator[BufferedReader | BytesIO]:
    """A file to be read, more than once if need be; what lies in object storage is fetched once."""
    try:
        with _open_bytes(path) as file:
            yield file
    except FileNotFoundError as exc:
        raise MissingArtifactError(f"The artifact {shown} does not exist.", remedy=REMEDY) from exc
    except OSError as exc:
        raise StorageError(f"The artifact {shown} cannot be read: {exc}.", remedy=REMEDY) from exc


def _open_bytes(path: UPath) -> BufferedReader | BytesIO:
    return Path(path.path).open("rb") if is_local(path) else BytesIO(path.read_bytes())


def _write(path: UPath, chunks: Iterable[bytes]) -> str:
    """Write a file and return the hash of its bytes; what stood there is replaced as a whole or stays."""
    try:
        if is_local(path):
            return _write_locally(Path(path.path), chunks)
        # A stream to object storage ends as an object even where its writer failed half-way.
        content = b"".join(chunks)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as exc:
        raise StorageError(
            f"The artifact {path.name} cannot be written: {exc}.",
            remedy="Check the folder's permissions and the free space.",
        ) from exc
    except ValueError as exc:  # NaN, infinity or half characters, which no JSON file can hold
        raise StorageError(
            f"The artifact {path.name} cannot be written: {exc}; the one that stood there stays.",
            remedy="Take the value out of the input.",
        ) from exc
    return hashlib.sha256(content).hexdigest()


def is_local(path: UPath) -> bool:
    """Whether a path is a file of this machine and not an object in a storage elsewhere."""
    return path.protocol in ("", "file", "local")


def _write_locally(path: Path, chunks: Iterable[bytes]) -> str:
    """Write a temporary file, then let it take its place in one move."""
    digest = hashlib.sha256()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def _build_foreign_error(shown: str, exc: ValidationError) -> StorageError:
    first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    reason = f"{place}: {first['msg']}" if place else first["msg"]
    return StorageError(
        f"The artifact {shown} is damaged or was written by another version: {reason}.",
        remedy=REMEDY,
    )
