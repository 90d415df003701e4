import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.text_scores import Bounds, NoScore, read_score

ONE_TO_TEN = Bounds(low=1, high=10, is_integer=True)
SHARE = Bounds(low=0, high=1)
FREE = Bounds()


@pytest.mark.parametrize(
    ("text", "bounds", "score"),
    [
        ("8", ONE_TO_TEN, 8),
        ("8.", ONE_TO_TEN, 8),
        ("**8**", ONE_TO_TEN, 8),
        ("8.0", ONE_TO_TEN, 8),
        ("8/10", ONE_TO_TEN, 8),
        ("8 / 10", ONE_TO_TEN, 8),
        ("8 out of 10", ONE_TO_TEN, 8),
        ("a solid 8 of 10", ONE_TO_TEN, 8),
        ("8, because 2 of 3 buyers miss a 3.5 mm jack", ONE_TO_TEN, 8),
        ("8 (scale: 1-10)", ONE_TO_TEN, 8),
        ("on a scale of 1 to 10, it gets 8", ONE_TO_TEN, 8),
        ("It gets an 8.", ONE_TO_TEN, 8),
        ("-2", FREE, -2),
        ("\u22122.5 degrees", FREE, -2.5),
        ("+4", FREE, 4),
        ("3.5", FREE, 3.5),
        ("3,5", FREE, 3.5),
        (".75", SHARE, 0.75),
        ("1,250.5", FREE, 1250.5),
        ("1,250", FREE, 1250),
        ("0.8/1", SHARE, 0.8),
        ("80%", SHARE, 0.8),
        ("80 per cent", SHARE, 0.8),
        ("80%", Bounds(low=0, high=100), 80),
    ],
)
def test_score_is_read(text: str, bounds: Bounds, score: float):
    """A score is found in the forms in which models write one, with its sign and its decimals."""
    assert read_score(text, bounds) == score
    assert isinstance(read_score(text, bounds), int) is bounds.is_integer


@pytest.mark.parametrize(
    ("text", "bounds", "words"),
    [
        ("95", ONE_TO_TEN, "95 is outside of 1 to 10"),
        ("0", ONE_TO_TEN, "0 is outside of 1 to 10"),
        ("-3/10", ONE_TO_TEN, "-3 is outside of 1 to 10"),
        ("1.01", SHARE, "1.01 is outside of 0 to 1"),
        ("4/5", ONE_TO_TEN, "4 of 5 is on another scale than 1 to 10"),
        ("80%", ONE_TO_TEN, "80% is on another scale"),
        ("7.5", ONE_TO_TEN, "7.5 is not a whole number"),
        ("7-8", ONE_TO_TEN, "several numbers"),
        ("7 to 8", ONE_TO_TEN, "several numbers"),
        ("between 6 and 8", ONE_TO_TEN, "several numbers"),
        ("the 2 of us say 8/10 or 7/10", ONE_TO_TEN, "several numbers"),
        ("excellent", ONE_TO_TEN, "no number in `excellent`"),
        ("v2 of the B12", ONE_TO_TEN, "no number"),
        ("", ONE_TO_TEN, "no number in an empty part"),
    ],
)
def test_number_that_is_no_score_is_reported(text: str, bounds: Bounds, words: str):
    """Nothing is clamped, rounded, rescaled or picked from several: the text says what is wrong."""
    read = read_score(text, bounds)
    assert isinstance(read, NoScore)
    assert words in read.problem


@given(value=st.integers(-999, 999), low=st.integers(-50, 50), size=st.integers(1, 100))
def test_score_lies_within_its_bounds(value: int, low: int, size: int):
    """A number comes back as it stands in the text, or not at all where it lies out of bounds."""
    bounds = Bounds(low=low, high=low + size, is_integer=True)
    read = read_score(f"Score: {value}!", bounds)
    assert isinstance(read, NoScore) is not (low <= value <= low + size)
    assert isinstance(read, NoScore) or read == value
