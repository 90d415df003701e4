"""Which encoding a text file is read with, and what is said about a file that is not in it.

UTF-8 and files that begin with a byte order mark need no setting. Everything else has to be named: a wrong
guess changes letters without any error, so the file is refused with what it could be.
"""

import codecs

from llm_assets.errors import InputError
from llm_assets.gateways.tables.encoding_hints import render_encoding_hint
from llm_assets.gateways.tables.source import TableSource

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DEFAULT = "utf-8"
_NOT_OF_TABLES = ("utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna", "undefined")
_CHUNK_BYTES = 1 << 20


def read_encoding(source: TableSource) -> str:
    """The encoding that the whole file proves to be in; decoding it later cannot fail."""
    encoding = _decide_encoding(source)
    decoder = codecs.getincrementaldecoder(encoding)()
    n_bytes = 0
    with source.path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            n_bytes += len(chunk)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as exc:
                offset = n_bytes - len(exc.object) + exc.start
                raise _build_decode_error(source, encoding=encoding, offset=offset) from exc
            if "\0" in text:
                raise _build_nul_error(source, encoding)
            if not chunk:
                return encoding


def _decide_encoding(source: TableSource) -> str:
    with source.path.open("rb") as file:
        head = file.read(4)
    named = _find_codec(source)
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
    if marked is not None:
        if named != _DEFAULT and named[:6] != marked[:6]:
            raise InputError(
                f"{source.shown_path} begins with the mark of {marked[:6]}, but `input.encoding` says "
                f"{source.settings.encoding!r}.",
                remedy="Take `input.encoding` out of the task's config.",
            )
        return marked
    if named in {"utf-16", "utf-32"}:
        raise InputError(
            f"{source.shown_path} has no byte order mark, so {named} has two readings.",
            remedy=f"Set `input.encoding` to {named}-le or {named}-be.",
        )
    return _DEFAULT if named == "utf-8-sig" else named


def _find_codec(source: TableSource) -> str:
    spelled = source.settings.encoding
    try:
        "".encode(spelled)  # a codec that is no text encoding, such as hex, is refused here
        name = codecs.lookup(spelled).name
    except (LookupError, ValueError) as exc:
        raise _build_name_error(spelled) from exc
    if name.replace("_", "-") in _NOT_OF_TABLES:
        raise _build_name_error(spelled)
    return name


def _build_name_error(spelled: str) -> InputError:
    return InputError(
        f"`input.encoding` names {spelled!r}, which is no encoding that a table can be in.",
        remedy="Name one that Python knows, such as utf-8, cp1252, mac_roman or shift_jis.",
    )


def _build_decode_error(source: TableSource, *, encoding: str, offset: int) -> InputError:
    content = source.path.read_bytes()
    line = _count_lines(content[:offset].decode(encoding, "replace"))
    what = f"byte 0x{content[offset]:02X}" if offset < len(content) else "the end of the file"
    whose = "" if source.settings.encoding == _DEFAULT else ", which `input.encoding` names"
    hint = render_encoding_hint(content, offset=offset, refused=encoding)
    return InputError(
        f"{source.render_place(line)}: {what} at offset {offset} is not {encoding.removesuffix('-sig')}{whose}; "
        f"nothing was read. {hint}",
        remedy="Set `input.encoding` in the task's config to what the file is in, or save the file as UTF-8.",
    )


def _build_nul_error(source: TableSource, encoding: str) -> InputError:
    text = source.path.read_bytes().decode(encoding, "replace")
    line = _count_lines(text[: text.index("\0")])
    return InputError(
        f"{source.render_place(line)}: there is a NUL character, which no table of text has; nothing was read.",
        remedy="Take it out; if the file is UTF-16 without a mark, set `input.encoding` to utf-16-le or utf-16-be.",
    )


def _count_lines(text_before: str) -> int:
    return 1 + text_before.count("\n") + text_before.count("\r") - text_before.count("\r\n")
