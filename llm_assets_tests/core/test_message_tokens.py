import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.calls import Message
from llm_assets.core.images import ImagePart
from llm_assets.core.message_tokens import (
    bound_image_tokens,
    count_image_tokens,
    count_message_tokens,
)
from llm_assets_tests.pictures import build_file


def build_part(width: int | None = 4, height: int | None = 3, *, detail=None, is_url=False):
    file = None if is_url else build_file(width=width, height=height)
    return ImagePart(source="p.png", file=file, detail=detail)


@pytest.mark.parametrize(
    ("part", "n_tokens"),
    [
        (build_part(4, 3), 85 + 170),
        (build_part(512, 512), 85 + 170),
        (build_part(513, 512), 85 + 2 * 170),
        (build_part(1024, 1024), 85 + 4 * 170),
        (build_part(2048, 4096), 85 + 6 * 170),
        (build_part(4096, 2048), 85 + 6 * 170),
        (build_part(4096, 8192, detail="low"), 85),
        (build_part(100_000, 1), 85 + 4 * 170),
        (build_part(None, None), 85 + 4 * 170),
        (build_part(is_url=True), 85 + 4 * 170),
    ],
)
def test_a_picture_counts_by_its_tiles(part, n_tokens):
    """Large pictures are made smaller, then cut into tiles; in low detail all cost the same."""
    assert count_image_tokens(part) == n_tokens


def test_a_message_counts_its_text_and_its_pictures():
    """The tokens of a message are those of both, by whichever count of the text."""
    message = Message(role="user", content="abc", images=(build_part(), build_part(detail="low")))
    assert count_message_tokens(message, len) == 3 + 255 + 85
    assert count_message_tokens(Message(role="user", content="abc"), len) == 3


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_the_bound_is_above_what_models_charge(width, height):
    """The bound is more than the likely number, than the dearest rate of tiles and than counts by the pixel."""
    part = build_part(width, height)
    n_tiles = (count_image_tokens(part) - 85) // 170
    bound = bound_image_tokens(part)
    assert bound > 2833 + 5667 * n_tiles
    assert bound > width * height / 750
    assert bound > -(-width // 768) * -(-height // 768) * 258 or width * height < 768 * 768
