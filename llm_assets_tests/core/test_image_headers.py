from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.image_headers import HEAD_BYTES, ImageHeader, read_image_header
from llm_assets.core.images import ImageProblem, MediaType
from llm_assets_tests.pictures import build_gif, build_jpeg, build_png, build_webp

PICTURES: dict[str, tuple[MediaType, Callable[[int, int], bytes]]] = {
    "png": ("image/png", build_png),
    "jpeg": ("image/jpeg", build_jpeg),
    "gif": ("image/gif", build_gif),
    "webp": ("image/webp", lambda w, h: build_webp(b"VP8X", w, h)),
    "lossless webp": ("image/webp", lambda w, h: build_webp(b"VP8L", w, h)),
    "lossy webp": ("image/webp", lambda w, h: build_webp(b"VP8 ", w, h)),
}


@pytest.mark.parametrize("name", PICTURES)
@given(width=st.integers(1, 300), height=st.integers(1, 300))
def test_kind_and_size_are_read_from_the_bytes(name, width, height):
    """Every format that is sent tells its kind and its size by its header."""
    media_type, build = PICTURES[name]
    header = read_image_header(build(width, height))
    assert header == ImageHeader(media_type=media_type, width=width, height=height)


@pytest.mark.parametrize("name", PICTURES)
def test_a_header_that_is_cut_off_is_broken(name):
    """A file that ends before its size is told is no picture, and the reason names its format."""
    media_type, build = PICTURES[name]
    problem = read_image_header(build(4, 3)[:12])
    assert isinstance(problem, ImageProblem)
    assert media_type.removeprefix("image/").upper() in problem.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"A text that is called picture.png.",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"BM" + bytes(60),
        b"\x89PNG\n",
        b"RIFF\x04\x00\x00\x00WAVE",
    ],
)
def test_what_is_no_picture_is_told_so(content):
    """Texts, other formats and mangled signatures are refused whatever the file is called."""
    problem = read_image_header(content)
    assert isinstance(problem, ImageProblem)
    assert "is no PNG, JPEG, GIF or WebP picture" in problem.text


def test_a_png_whose_check_sum_is_wrong_is_broken():
    """One flipped bit in the header is found before anybody pays for it."""
    whole = bytearray(build_png(300, 200))
    whole[18] ^= 1
    assert isinstance(read_image_header(bytes(whole)), ImageProblem)


@pytest.mark.parametrize("build", [build_png, build_jpeg, build_gif])
def test_a_picture_without_pixels_is_broken(build):
    """No width or no height is no picture."""
    assert isinstance(read_image_header(build(0, 3)), ImageProblem)
    assert isinstance(read_image_header(build(4, 0)), ImageProblem)


def test_a_jpeg_may_tell_its_size_late():
    """What stands before the size is passed over; beyond the bytes looked at, the size is unknown and no fault."""
    late = build_jpeg(640, 480, before=bytes(60_000))
    assert read_image_header(late) == ImageHeader(media_type="image/jpeg", width=640, height=480)
    too_late = (b"\xff\xd8" + (b"\xff\xfe\xff\xff" + bytes(65_533)) * 17)[:HEAD_BYTES]
    assert read_image_header(too_late) == ImageHeader(
        media_type="image/jpeg", width=None, height=None
    )


def test_a_jpeg_without_a_size_is_broken():
    """A picture that begins before its size was told, or bytes that are no segment, are refused."""
    start = b"\xff\xd8\xff\xe0\x00\x04ab"
    assert isinstance(read_image_header(start + b"\xff\xda\x00\x02" + bytes(40)), ImageProblem)
    assert isinstance(read_image_header(start + b"no segment at all"), ImageProblem)


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF1234WEBP", b""]),
    st.binary(),
)
def test_no_bytes_break_the_reader(start, rest):
    """Whatever a file holds, the answer is a header with a size or a reason."""
    header = read_image_header(start + rest)
    assert isinstance(header, ImageHeader | ImageProblem)
    if isinstance(header, ImageHeader):
        assert header.width
        assert header.height
