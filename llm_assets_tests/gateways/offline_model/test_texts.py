import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.gateways.offline_model.content import Content
from llm_assets.gateways.offline_model.focus import parse_focus
from llm_assets.gateways.offline_model.patterns import build_matching_text, is_match
from llm_assets.gateways.offline_model.roles import decide_role
from llm_assets.gateways.offline_model.shapes import About, Text
from llm_assets.gateways.offline_model.texts import build_text, choose_text, fit_text

REVIEW = (
    "course: Databases\ncomment: The lecturer was excellent. The exercises were confusing and dull."
)


def choose(name: str, text: str = REVIEW, *, description: str = "", nth: int = 0) -> str:
    content = Content(focus=parse_focus(text))
    return choose_text(About(name=name, description=description), content, nth)


@pytest.mark.parametrize(
    ("name", "description", "role"),
    [
        ("summary", "", "summary"),
        ("keyTopics", "", "keyword"),
        ("categories", "", "keyword"),
        ("weaknesses", "", "criticism"),
        ("confidence_reason", "", "reason"),
        ("is_urgent", "", "urgency"),
        ("x", "A short summary of the row.", "summary"),
        ("x", "", "any"),
    ],
)
def test_a_field_says_what_it_is_for(name: str, description: str, role: str):
    """The last telling word of the name decides, then the description."""
    assert decide_role(About(name=name, description=description)) == role


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("strengths", "The lecturer was excellent."),
        ("weaknesses", "The exercises were confusing and dull."),
        ("course", "Databases"),
        ("course_name", "Databases"),
        ("sentiment", "negative"),
    ],
)
def test_a_field_gets_what_the_text_says_about_it(name: str, text: str):
    """Praise, complaints, names and moods are found; a field that the prompt has too is copied."""
    assert choose(name) == text


def test_questions_differ_within_a_list_and_between_rows():
    """Each is made around another keyword; another row gives other ones."""
    mine = [
        choose("questions", "skill: SQL\nnotes: window functions, indexes", nth=i) for i in range(3)
    ]
    other = [
        choose("questions", "skill: Airflow\nnotes: backfills, sensors", nth=i) for i in range(3)
    ]
    assert len({*mine, *other}) == 6
    assert "window functions" in mine[0]


def test_a_wish_for_brevity_is_heard():
    """`At most 4 words` in a description cuts the text there."""
    assert choose("summary", description="At most 4 words.") == "The exercises were confusing…"
    assert len(choose("quote", description="No more than 30 characters.")) <= 30


@given(st.text(max_size=80), st.integers(0, 50), st.integers(0, 50), st.integers(0, 99))
def test_a_text_fits_its_bounds(text: str, low: int, span: int, nth: int):
    """Cutting and lengthening always end within the allowed number of characters."""
    fitted = fit_text(text, Text(min_length=low, max_length=low + span), nth)
    assert low <= len(fitted) <= low + span


def test_a_pattern_is_first_looked_for_in_the_content():
    """An order number is copied from the text rather than made up."""
    content = Content(focus=parse_focus("body: Where is AB-1234 please"))
    shape = Text(pattern=r"^[A-Z]{2}-\d{4}$")
    assert build_text(About(name="order"), shape, content, 0) == "AB-1234"


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{4}-\d{2}-\d{2}$",
        r"^(?:yes|no)$",
        r"^[^a-z]+$",
        r"^(?P<a>x|yz)*[\w.+-]+@[\w-]+\.[a-z]{2,}$",
        r"^\+?[1-9]\d{1,14}$",
        r"^#[0-9a-fA-F]{6}$",
        r"^a{2,3}b?c*d+$",
        r"^\$\d+\.\d\d$",
        r"^.{5,}$",
        r"^[]x]{2}[a-]$",
        "",
    ],
)
@pytest.mark.parametrize("min_length", [0, 12])
def test_a_text_is_made_for_a_pattern(pattern: str, min_length: int):
    """Where a text of that length can match, one is made; several can be had where there is a choice."""
    text = build_matching_text(pattern, min_length, 0)
    if text is not None:
        assert is_match(pattern, text)
        assert len(text) >= min_length
    assert min_length > 0 or text is not None


@pytest.mark.parametrize("pattern", ["(", "a**", r"(?=x)y", "[", r"\p{L}", "a" * 600, "x{999999}"])
def test_a_pattern_that_is_not_understood_gives_none(pattern: str):
    """Looking ahead, broken and monstrous patterns end in None and in no error."""
    assert build_matching_text(pattern, 0, 0) is None
