import pytest


def test_values_as_text(read):
    """With `types: text` numbers, booleans, nulls and nested values become text that tells what they were."""
    content = (
        '{"a": 3, "b": 1.50, "c": true, "d": null, "e": ["x", {"k": 1}], "f": 3.0, "g": "007"}'
    )
    table = read("t.jsonl", content)
    assert table.columns == ("a", "b", "c", "d", "e", "f", "g")
    assert table.cells == [("3", "1.5", "true", "", '["x",{"k":1}]', "3", "007")]


def test_values_kept(read):
    """With `types: keep` numbers, booleans and nulls stay; lists and objects are JSON text still."""
    content = '{"a": 3, "b": 1.5, "c": false, "d": null, "e": {"k": [1]}, "f": "x"}'
    (cells,) = read("t.jsonl", content, types="keep").cells
    assert cells == (3, 1.5, False, None, '{"k":[1]}', "x")
    assert [type(cell) for cell in cells[:3]] == [int, float, bool]


def test_large_whole_numbers_keep_every_digit(read):
    """An id beyond what a float holds is exact."""
    assert read("t.jsonl", '{"id": 12345678901234567890}').cells == [("12345678901234567890",)]


def test_keys_in_any_order_and_blank_lines(read):
    """The first record orders the columns; blank lines count as lines and are no rows."""
    table = read("t.jsonl", '\n{"a": 1, "b": 2}\r\n\n{"b": 4, "a": 3}\n')
    assert (table.lines, table.cells) == ([2, 4], [("1", "2"), ("3", "4")])


def test_lone_surrogates_are_replaced(read):
    """Half a character, which no file could hold, becomes U+FFFD in keys, values and nested values."""
    table = read("t.jsonl", r'{"\ud83d": "x\ud800y", "b": "\ud83d\ude00", "c": ["\udc00"]}')
    assert table.columns == ("�", "b", "c")
    assert table.cells == [("x�y", "😀", '["�"]')]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}\n{"a": 1, "b": 2}', "line 2: the key 'b' is not among those of the first"),
        ('{"a": 1, "b": 2}\n\n{"a": 1}', "line 3: the key 'b' is missing that stands in the first"),
        ('{"a": 1}\n{"a": 1', "line 2: this is not one JSON object: Expecting ',' delimiter"),
        ('{"a": 1} {"a": 2}', "line 1: this is not one JSON object: Extra data, column 10"),
        ('{"a": 1, "a": 2}', "line 1: the object cannot be read: the key 'a' stands twice"),
        ('{"a": {"b": 1, "b": 2}}', "line 1: the object cannot be read: the key 'b' stands twice"),
        ('{"a": NaN}', "line 1: the object cannot be read: NaN is not JSON"),
        (f'{{"a": {"9" * 5000}}}', "line 1: the object cannot be read: Exceeds the limit"),
        (f'{{"a": {"[" * 99_999}', "line 1: the object is nested too deeply"),
        ('[{"a": 1}]', "line 1: this is JSON, but not an object"),
        ('{"a": 1}\nnull', "line 2: this is JSON, but not an object"),
        ("{}", "line 1: the first object has no keys"),
        ('{"": 1}', "line 1: column 1 of 1 has no name"),
        ('{"a": 1, " a": 2}', "line 1: the columns 1 and 2 are both named 'a'"),
        ("\n \n", "t.jsonl has no records"),
    ],
)
def test_records_that_are_refused(refuse, content, message):
    """A line that is no object like the first one is refused with file and line."""
    error = refuse("t.jsonl", content)
    assert message in error.what
    assert "t.jsonl" in error.what
    assert error.remedy
