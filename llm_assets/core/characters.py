"""Which characters a text that arrived from outside may hold, so that every file and database can keep it."""

import re

REPLACEMENT = "\ufffd"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""UTF-8 cannot spell lone surrogates, and PostgreSQL keeps no NUL in a text."""


def replace_unstorable(text: str) -> str:
    """The text with the replacement character where one stood that cannot be kept."""
    return _UNSTORABLE.sub(REPLACEMENT, text)
