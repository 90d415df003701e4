import pytest

from llm_assets.core.model_list import parse_model_list

NO_LISTS = (b"", b"<html>", b"[]", b"{}", b'{"data": 3}', b'{"models": []}', b"\xff")


def test_the_names_are_the_ids():
    """Names are read as they are asked for, and entries without one are passed over."""
    body = b'{"object": "list", "data": [{"id": "a"}, {"id": "models/b"}, {"id": 3}, {}, 4]}'
    assert parse_model_list(body) == {"a", "b"}
    assert parse_model_list(b'{"data": []}') == frozenset()


@pytest.mark.parametrize("body", NO_LISTS)
def test_anything_else_is_no_list(body: bytes):
    """What a server says in place of a list is told apart from an empty one."""
    assert parse_model_list(body) is None
