import codecs

import pytest

TEXT = "name,note\nAnna,crème brûlée €5\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-32"), "utf-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "utf-32"),
    ],
)
@pytest.mark.parametrize("header_row", [1, 2])
def test_marks_are_enough(read, content, encoding, header_row):
    """UTF-8 and files with a mark need no setting, and the mark is no part of the first name."""
    table = read("t.csv", content, header_row=header_row)
    assert table.columns == (("name", "note") if header_row == 1 else ("Anna", "crème brûlée €5"))
    assert table.opened.encoding == encoding


@pytest.mark.parametrize(
    ("spelled", "codec"),
    [
        ("cp1252", "cp1252"),
        ("Windows-1252", "cp1252"),
        ("mac_roman", "mac-roman"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-8-sig", "utf-8"),
        ("UTF8", "utf-8"),
    ],
)
def test_a_named_encoding_is_used(read, spelled, codec):
    """What the settings name is what the file is read in, however it is spelled."""
    table = read("t.csv", TEXT.encode(codec), encoding=spelled)
    assert table.cells == [("Anna", "crème brûlée €5")]
    assert table.opened.encoding == codec


def test_a_file_that_is_not_utf8_is_explained(refuse):
    """The error names file, line and byte, shows how likely encodings read the place, and the setting."""
    content = "name,dish\nAnna,tea\nBob,“crème brûlée”\n".encode("cp1252")
    error = refuse("menu.csv", content)
    assert error.what.startswith("menu.csv, line 3: byte 0x93 at offset 23 is not utf-8; nothing")
    assert "cp1252 (reads 'Bob,“crème b')" in error.what
    assert "mac_roman (reads" in error.what
    assert "`input.encoding`" in error.remedy


def test_an_encoding_that_does_not_fit_is_not_offered(refuse):
    """Where bytes are not defined in cp1252, it is not among the hints."""
    error = refuse("t.csv", b"a,b\nI\xe5\x90m,1\n")
    assert "cp1252" not in error.what
    assert "mac_roman" in error.what


def test_a_file_that_is_not_in_the_named_encoding(refuse):
    """A byte that the named encoding lacks is refused as well, and the setting is blamed."""
    error = refuse("t.csv", b"a,b\r\nx,\x90\r\n", encoding="cp1252")
    assert (
        "t.csv, line 2: byte 0x90 at offset 7 is not cp1252, which `input.encoding`" in error.what
    )
    assert "cp1252 (reads" not in error.what


def test_a_fault_far_inside_a_large_file(refuse):
    """Offset and line are those of the file, beyond the first piece that is checked."""
    content = b"a,b\n" + b"1,\xc3\xa9\n" * 300_000 + b"1,\xe9\n"
    error = refuse("t.csv", content)
    assert f"line 300002: byte 0xE9 at offset {len(content) - 2} is" in error.what


def test_a_character_that_the_end_cuts_off(refuse):
    """A file that ends inside a character is refused at that character."""
    assert "line 2: byte 0xE2 at offset 6 is not utf-8" in refuse("t.csv", b"a,b\n1,\xe2\x82").what


def test_utf16_without_a_mark_is_recognised(refuse):
    """ASCII text in unmarked UTF-16 is valid UTF-8 with NULs: it is refused and the setting is named."""
    error = refuse("t.csv", "a,b\n1,2\n".encode("utf-16-le"))
    assert "t.csv, line 1: there is a NUL" in error.what
    assert "utf-16-le" in error.remedy


@pytest.mark.parametrize("name", ["utf-16", "utf-32"])
def test_two_readings_are_not_chosen_between(refuse, name):
    """A name that leaves the byte order open is refused for a file without a mark."""
    assert refuse("t.csv", b"a,b\n", encoding=name).remedy.endswith(f"{name}-le or {name}-be.")


def test_a_mark_that_contradicts_the_setting(refuse):
    """A file that says itself what it is in is not read in something else."""
    error = refuse("t.csv", TEXT.encode("utf-16"), encoding="cp1252")
    assert "mark of utf-16, but `input.encoding` says 'cp1252'" in error.what


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "utf-7", "unicode_escape", "a\0b", ""])
def test_names_of_no_encoding(refuse, name):
    """A name that Python does not know, or that is no encoding of text, is refused."""
    assert f"`input.encoding` names {name!r}" in refuse("t.csv", b"a,b\n", encoding=name).what


def test_json_lines_are_checked_alike(refuse):
    """The same holds for every text format."""
    error = refuse("t.jsonl", b'{"a": "x"}\n{"a": "\xe9"}\n')
    assert "t.jsonl, line 2: byte 0xE9 at offset 18" in error.what
