"""How the ledger keeps a text in a database that cannot hold all of its characters."""

import re

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

ESCAPE = "\x1a"
"""The control character SUBSTITUTE, which hardly any text has."""
_KEPT = {"\x00": f"{ESCAPE}0", ESCAPE: ESCAPE * 2}
_READ = {kept: character for character, kept in _KEPT.items()}
_ESCAPED = re.compile(f"{ESCAPE}[0{ESCAPE}]")


class _PostgreSQLText(TypeDecorator[str]):
    """A text with NUL, which PostgreSQL refuses, written as two other characters.

    Texts are sorted by their characters, so that times in ISO 8601 compare as times: by the rules of a language, a
    moment with a fraction of a second may come before the same one without.
    """

    impl = Text
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(collation="C")

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- the base class's signature
        return None if value is None else escape_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- the base class's signature
        return None if value is None else restore_text(value)


KEPT_TEXT = Text().with_variant(_PostgreSQLText(), "postgresql")
"""The type of a column for any text; SQLite takes every one as it is."""


def escape_text(text: str) -> str:
    """The text as PostgreSQL can keep it."""
    if "\x00" not in text and ESCAPE not in text:
        return text
    return "".join(_KEPT.get(character, character) for character in text)


def restore_text(text: str) -> str:
    """The text that was kept."""
    if ESCAPE not in text:
        return text
    return _ESCAPED.sub(lambda found: _READ[found.group()], text)
