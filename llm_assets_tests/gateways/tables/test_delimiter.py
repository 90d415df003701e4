import pytest

from llm_assets.gateways.tables.delimiter import decide_delimiter

PROSE = "'tis so, I'm told; \"hi\" he said"


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb\n1,2\t3\n", "\t"),
        ("a|b\nx, y|z\n", "|"),
        ("id;name, first\n1;Ann\n2;Bob\n", ";"),
        ("id|kind;sub\n1|a;b\n2|c\n", "|"),
        ('"last, first";age\n"Ann, B";3\n', ";"),
        ("text\nThis, that; and | more\n", ","),
        (f"id;text\n1;{PROSE.replace(';', ',')}\n", ";"),
        ("a,b\n", ","),
        ("a;b;c\n", ";"),
        ("", ","),
    ],
)
def test_the_delimiter_that_fits_the_header(sample, delimiter):
    """The delimiter is the one under which rows are as wide as the header; a comma where there is none."""
    assert decide_delimiter(sample, is_whole=True) == delimiter


def test_a_row_cut_off_by_the_sample_does_not_count():
    """The last row of a sample that ends inside the file says nothing about widths."""
    sample = "a;b,c;d\n1;2,3;4\n1,5"
    assert decide_delimiter(sample, is_whole=False) == ";"
    assert decide_delimiter(sample, is_whole=True) == ","
