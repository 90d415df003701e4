from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.item_pairs import match_items_of
from llm_assets.errors import InputError
from llm_assets_tests.core.comparisons import build_batch, build_compared

TEXTS = st.lists(st.sampled_from("abcd"), max_size=8)


def build_texts(texts, **changes):
    return build_batch(
        [build_compared(text, place=place) for place, text in enumerate(texts)], **changes
    )


def read_pairs(matching):
    return [(pair.a.about, pair.b.about) for pair in matching.pairs]


@given(TEXTS, TEXTS, st.booleans())
def test_every_item_is_paired_once_or_alone(texts_a, texts_b, is_same_table):
    """Nothing is lost and nothing is paired twice, whatever is on both sides."""
    a = build_texts(texts_a, table_id="a")
    b = build_texts(texts_b, table_id="a" if is_same_table else "b")
    matching = match_items_of(a, b)
    of_a = [pair.a.number for pair in matching.pairs] + [each.number for each in matching.only_a]
    of_b = [pair.b.number for pair in matching.pairs] + [each.number for each in matching.only_b]
    assert sorted(of_a) == [each.number for each in a.items]
    assert sorted(of_b) == [each.number for each in b.items]
    assert [pair.a.number for pair in matching.pairs] == sorted(
        pair.a.number for pair in matching.pairs
    )


@given(TEXTS, TEXTS, st.booleans())
def test_it_makes_no_difference_which_side_comes_first(texts_a, texts_b, is_same_table):
    """The other way round, the same items are paired."""
    a = build_texts(texts_a, table_id="a")
    b = build_texts(texts_b, table_id="a" if is_same_table else "b")
    there, back = match_items_of(a, b), match_items_of(b, a)
    assert sorted((pair.a.number, pair.b.number) for pair in there.pairs) == sorted(
        (pair.b.number, pair.a.number) for pair in back.pairs
    )


@given(TEXTS)
def test_a_batch_is_paired_with_itself(texts):
    """Every row with itself, also among equal ones."""
    batch = build_texts(texts)
    matching = match_items_of(batch, batch)
    assert [(pair.a.number, pair.b.number) for pair in matching.pairs] == [
        (each.number, each.number) for each in batch.items
    ]


@given(TEXTS, TEXTS)
def test_rows_of_different_tables_are_paired_by_content(texts_a, texts_b):
    """As many of each text as both tables have, wherever they stand."""
    matching = match_items_of(
        build_texts(texts_a, table_id="a"), build_texts(texts_b, table_id="b")
    )
    assert Counter(a for a, _ in read_pairs(matching)) == Counter(texts_a) & Counter(texts_b)
    assert all(a == b for a, b in read_pairs(matching))


def test_equal_rows_keep_their_order():
    """The first of several is paired with the first, the second with the second."""
    a, b = build_texts("xax", table_id="a"), build_texts("yxx", table_id="b")
    assert [(pair.a.number, pair.b.number) for pair in match_items_of(a, b).pairs] == [
        (1, 2),
        (3, 3),
    ]


def test_lines_of_one_file_are_paired_whatever_was_cleaned():
    """Two tasks that clean the same file differently still speak of the same rows."""
    a, b = build_texts(("N/A", "b")), build_texts(("", "b"))
    assert read_pairs(match_items_of(a, b)) == [("N/A", ""), ("b", "b")]


def test_names_pair_rows_whose_content_changed():
    """With the same id column on both sides, the name is all that counts, and an unknown name is alone."""
    a = [build_compared("old", place=0, name="r1"), build_compared("same", place=1, name="r2")]
    b = [build_compared("same", place=0, name="r3"), build_compared("new", place=1, name="r1")]
    matching = match_items_of(
        build_batch(a, table_id="a", id_column="id"), build_batch(b, table_id="b", id_column="id")
    )
    assert read_pairs(matching) == [("old", "new")]
    assert [each.about for each in matching.only_a] == ["same"]
    assert [each.about for each in matching.only_b] == ["same"]


def test_names_from_different_columns_mean_nothing():
    """Two columns that both count from 1 do not make rows the same; then content decides."""
    a = [build_compared("x", place=0, name="1"), build_compared("y", place=1, name="2")]
    b = [build_compared("y", place=0, name="1"), build_compared("x", place=1, name="2")]
    matching = match_items_of(
        build_batch(a, table_id="a", id_column="id"), build_batch(b, table_id="b", id_column="nr")
    )
    assert read_pairs(matching) == [("x", "x"), ("y", "y")]


def test_groups_are_paired_by_their_keys():
    """Whatever rows they have."""
    a = [build_compared("x", place=0, group="red"), build_compared("y", place=1, group="blue")]
    b = [build_compared("z", place=0, group="blue"), build_compared("x", place=1, group="green")]
    matching = match_items_of(
        build_batch(a, mode="group_output"), build_batch(b, mode="group_output")
    )
    assert read_pairs(matching) == [("y", "z")]


def test_rows_and_groups_cannot_be_paired():
    """The message says which side is which."""
    with pytest.raises(InputError, match="one output for each group"):
        match_items_of(build_texts("a"), build_texts("a", mode="group_output"))


def test_tables_without_a_common_column_have_nothing_in_common():
    """No columns to compare is no sameness."""
    a = build_texts("ab", table_id="a")
    b = build_texts("ab", table_id="b", columns=("other",))
    assert match_items_of(a, b).pairs == ()
