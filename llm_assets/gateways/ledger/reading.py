"""How the ledger's database is read without locking it, and how its errors are told."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from llm_assets.errors import StorageError

KEYS_PER_QUERY = 500
"""Databases take a limited number of values in one query: SQLite 999 in its older versions."""

Key = TypeVar("Key")


@contextmanager
def open_reader(engine: Engine) -> Generator[Connection]:
    """A connection that only reads, waits for no writer and makes none wait."""
    with speak_plainly("read"), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def speak_plainly(verb: str) -> Generator[None]:
    """Turn the database's own errors into a `StorageError`; `verb` is what was to be done with the ledger."""
    try:
        yield
    except DatabaseError as exc:
        raise StorageError(
            f"The ledger cannot be {verb}: {exc.orig}.",
            remedy="Check the file, the free space and that it lies on a local disk; answered calls are kept.",
        ) from exc
    except OSError as exc:
        raise StorageError(
            f"The ledger cannot be {verb}: {exc.strerror}.",
            remedy="Check the path, the folder's permissions and the free space.",
        ) from exc
    except (SQLAlchemyError, ImportError) as exc:
        raise StorageError(
            f"The ledger cannot be {verb}: {exc}.",
            remedy="Check its URL, and that the database's Python driver is installed.",
        ) from exc


def cut(keys: Iterable[Key], size: int) -> Iterator[list[Key]]:
    """The keys in lists of at most `size`."""
    remaining = iter(keys)
    while chunk := list(islice(remaining, size)):
        yield chunk
