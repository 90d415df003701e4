"""How many tokens a message has with the pictures in it.

What a picture is charged as differs from model to model, and no count of our own is exact. The likely number is by
tiles of 512 pixels, as OpenAI publishes it for `gpt-4o` and `gpt-4.1`; once answers are on record, what the provider
counted corrects it.
"""

from collections.abc import Callable

from llm_assets.config.images import ImageDetail
from llm_assets.core.calls import CallRequest, Message, Usage
from llm_assets.core.images import ImagePart
from llm_assets.core.tokens import count_tokens_approximately

BASE_TOKENS = 85
"""Of every picture, and all of one that is looked at in low detail."""
TILE_TOKENS = 170
TILE_PIXELS = 512
MOST_LONG_PIXELS, MOST_SHORT_PIXELS = 2048, 768
"""Larger pictures are made smaller before they are cut into tiles."""
UNKNOWN_TOKENS = BASE_TOKENS + 4 * TILE_TOKENS
"""Of a picture whose size nobody knows: an address, mostly."""

BOUND_TOKENS = 50_000
"""More than eight tiles, the most there can be, at the dearest rate published (`gpt-4o-mini`: 2,833 and 5,667 each)."""
BOUND_PIXELS_PER_TOKEN = 500
"""Models that make no picture smaller take one token for 750 or 784 pixels."""
BOUND_UNKNOWN_PIXELS = 25_000_000


def count_message_tokens(
    message: Message, count: Callable[[str], int] = count_tokens_approximately
) -> int:
    """The tokens of a message by that count of texts; with pictures in it the number is an approximation."""
    return count(message.content) + sum(map(count_image_tokens, message.images))


def estimate_usage(request: CallRequest, answer: str | None) -> Usage:
    """Our own count of a call, marked as such, where the server gave none."""
    return Usage(
        prompt_tokens=sum(map(count_message_tokens, request.messages)),
        completion_tokens=count_tokens_approximately(answer or ""),
        is_approximate=True,
    )


def count_image_tokens(part: ImagePart) -> int:
    """About what a picture is charged as."""
    return count_pixels(part.size, part.detail)


def count_pixels(size: tuple[int, int] | None, detail: ImageDetail | None) -> int:
    """About what a picture of that width and height is charged as; None where nobody knows them."""
    if detail == "low":
        return BASE_TOKENS
    if size is None:
        return UNKNOWN_TOKENS
    short, long = sorted(size)
    scale = min(1.0, MOST_LONG_PIXELS / long)
    scale = min(scale, MOST_SHORT_PIXELS / short)
    n_tiles = _count_tiles(short * scale) * _count_tiles(long * scale)
    return BASE_TOKENS + n_tiles * TILE_TOKENS


def bound_image_tokens(part: ImagePart) -> int:
    """More than any model that we know of charges for a picture."""
    n_pixels = BOUND_UNKNOWN_PIXELS if part.size is None else part.size[0] * part.size[1]
    return BOUND_TOKENS + n_pixels // BOUND_PIXELS_PER_TOKEN


def _count_tiles(pixels: float) -> int:
    return max(1, -(-round(pixels) // TILE_PIXELS))
