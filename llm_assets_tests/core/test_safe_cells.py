import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.safe_cells import (
    MAX_CELL_UNITS,
    cut_spelled,
    is_formula,
    replace_outside_xml,
    replace_unholdable,
    spell_for_workbook,
)

XML = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


def read_spelled(spelled):
    """As a spreadsheet program reads a cell."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), spelled)


def count_units(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


WIDE = ("＝1", "＋1", "－1", "＠x")  # noqa: RUF001 - East Asian text has signs of full width


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
@pytest.mark.parametrize("rest", ["1+1", "cmd", "49 170 1", "SUM(A1)", ""])
def test_what_begins_like_a_formula(sign, rest):
    """Everything that a spreadsheet would run, or could, counts as a formula."""
    assert is_formula(sign + rest)


@pytest.mark.parametrize("text", WIDE)
def test_wide_signs_begin_a_formula(text):
    """Spreadsheets read the signs of full width as the plain ones."""
    assert is_formula(text)


@pytest.mark.parametrize("text", ["-5", "+3.25", "-.5e-3", "-5%", "a=1", "", "'=1", " =1", "1-2"])
def test_what_a_spreadsheet_would_not_run(text):
    """Numbers with a sign stay numbers, and a sign further on is a sign."""
    assert not is_formula(text)


def test_what_no_file_can_hold_is_replaced():
    """NUL and half characters become U+FFFD, and where XML is written the two characters it lacks as well."""
    text = "a\0b\ud800c\ufffed\x01"
    assert replace_unholdable(text) == "a\ufffdb\ufffdc\ufffed\x01"
    assert replace_outside_xml(text) == "a\ufffdb\ufffdc\ufffdd\x01"


@given(st.text() | st.from_regex(r"_?(_x[0-9a-fA-F]{4}_?)+[\r\x01]?(x00)?", fullmatch=True))
def test_a_spelled_text_is_xml_and_reads_as_it_was(text):
    """Every text that XML can be given comes back, also one that looks like a spelling."""
    held = replace_outside_xml(text)
    spelled = spell_for_workbook(held)
    assert XML.fullmatch(spelled)
    assert read_spelled(spelled) == held


@pytest.mark.parametrize(
    ("text", "is_cut"),
    [
        ("x" * MAX_CELL_UNITS, False),
        ("x" * (MAX_CELL_UNITS + 1), True),
        ("😀" * (MAX_CELL_UNITS // 2), False),
        ("😀" * (MAX_CELL_UNITS // 2 + 1), True),
        ("\r" * 40_000, True),
        ("_x0041_" * 5_000, True),
        ("a\r\n" * 12_000, True),
    ],
    ids=[
        "just fits",
        "one too many",
        "pairs that fit",
        "pairs that do not",
        "CR",
        "spelled",
        "CR LF",
    ],
)
def test_a_cell_holds_what_it_can(text, is_cut):
    """A text of more than 32,767 units of UTF-16 ends with a mark, and no spelling or pair is cut in two."""
    kept = cut_spelled(spell_for_workbook(text), n_characters=len(text))
    mark = f"… [cut here: {len(text):,} characters in all]"
    assert kept.endswith(mark) is is_cut
    assert count_units(kept) <= MAX_CELL_UNITS
    assert count_units(kept) > MAX_CELL_UNITS - 20
    assert text.startswith(read_spelled(kept).removesuffix(mark))
