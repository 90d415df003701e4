"""How the ledger's database is read without locking it, and how its errors are told."""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from llm_assets.errors import StorageError

KEYS_PER_QUERY = 500
"""Databases take a limited number of values in one query: SQLite 999 in its older versions."""

_OF_FILES = (
    "Check the file, the free space and that it lies on a local disk; "
    "calls that are on record are kept."
)
_OF_SERVERS = (
    "Check that the database server runs and lets this user in and write; "
    "calls that are on record are kept."
)

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
        words = " ".join(str(exc.orig).split()).rstrip(".")  # a server's come in several lines
        is_file = isinstance(exc.orig, sqlite3.Error)
        raise StorageError(
            f"The ledger cannot be {verb}: {words}.", remedy=_OF_FILES if is_file else _OF_SERVERS
        ) from exc
    except OSError as exc:
        raise StorageError(
            f"The ledger cannot be {verb}: {exc.strerror}.",
            remedy="Check the path, the folder's permissions and the free space.",
        ) from exc
    except ImportError as exc:
        raise StorageError(
            f"The ledger cannot be {verb}: the Python driver that its URL names is missing ({exc}).",
            remedy="Give a URL that begins with `postgresql+psycopg://`, and run `pip install 'llm-assets[postgres]'`.",
        ) from exc
    except SQLAlchemyError as exc:
        raise StorageError(f"The ledger cannot be {verb}: {exc}.", remedy="Check its URL.") from exc


def cut(keys: Iterable[Key], size: int) -> Iterator[list[Key]]:
    """The keys in lists of at most `size`."""
    remaining = iter(keys)
    while chunk := list(islice(remaining, size)):
        yield chunk
