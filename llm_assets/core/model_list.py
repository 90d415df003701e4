"""Which models does an endpoint say it has?"""

import json

from pydantic import JsonValue

MODEL_PREFIX = "models/"
"""Gemini lists `models/gemini-…` and is asked for `gemini-…`."""


def parse_model_list(body: bytes) -> frozenset[str] | None:
    """The names in a reply to `GET /models`; None where it is no such list."""
    try:
        document: JsonValue = json.loads(body)
    except ValueError:
        return None
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return None
    names = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    return frozenset(name.removeprefix(MODEL_PREFIX) for name in names if isinstance(name, str))
