"""How is a person's text file read, and what is said where that fails?"""

import hashlib
from pathlib import Path

from llm_assets.errors import ConfigError, suggest


def read_text_file(path: Path, *, shown: str, purpose: str) -> str:
    """The text of a UTF-8 file, a byte order mark taken off.

    `shown` is the path and `purpose` the kind of file ("prompt file") as messages say them. `ConfigError` where
    there is no such file or it is not UTF-8; a wrong guess of the encoding would change what a model reads.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as exc:
        what = f"The {purpose} {shown} does not exist."
        raise ConfigError(what, remedy=_suggest_neighbour(path)) from exc
    except UnicodeDecodeError as exc:
        raise _build_encoding_error(exc, shown=shown, purpose=purpose) from exc
    except OSError as exc:
        what = f"The {purpose} {shown} cannot be read ({exc.strerror})."
        raise ConfigError(what, remedy="Check that it is a file and its permissions.") from exc


def fingerprint_file(path: Path) -> str:
    """The hash of a file for a code version; a file that cannot be read is told when it is used."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _suggest_neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return "Its folder does not exist either: create it, or correct the path."
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    return suggest(path.name, names) or "Create it, or correct the path."


def _build_encoding_error(exc: UnicodeDecodeError, *, shown: str, purpose: str) -> ConfigError:
    content = bytes(exc.object)
    line = content.count(b"\n", 0, exc.start) + 1
    byte = content[exc.start]
    what = f"The {purpose} {shown} is not UTF-8: line {line} holds the byte 0x{byte:02X}."
    return ConfigError(what, remedy="Save it with the encoding UTF-8.")
