import pytest

from llm_assets.gateways.offline_model.choices import rank_options
from llm_assets.gateways.offline_model.content import Content
from llm_assets.gateways.offline_model.focus import parse_focus
from llm_assets.gateways.offline_model.shapes import About


def rank(options: tuple, text: str, *, name: str = "category", description: str = ""):
    about = About(name=name, description=description)
    return rank_options(options, about, Content(focus=parse_focus(text)))


@pytest.mark.parametrize(
    ("options", "text", "best"),
    [
        (("billing", "technical", "other"), "body: the app crashes on start", "technical"),
        (("billing", "technical", "other"), "body: you charged my card twice", "billing"),
        (("billing", "technical", "other"), "body: lorem ipsum", "other"),
        (("low", "medium", "high"), "body: our shop is down, urgently help", "high"),
        (("low", "medium", "high"), "body: lorem ipsum", "medium"),
        (("low", "medium", "high"), "body: just an idea for someday", "low"),
        (("positive", "negative", "neutral"), "body: terrible and broken", "negative"),
        (("positive", "negative", "mixed"), "body: lovely room, terrible noise", "mixed"),
        (("a", "b"), "body: lorem ipsum", "a"),
        ((3, 1, 2), "body: 42", 3),
    ],
)
def test_the_words_of_the_text_decide(options: tuple, text: str, best: object):
    """Words of an option's kind speak for it; without any, a neutral option or the first one is taken."""
    assert rank(options, text).options[0] == best


def test_a_description_explains_the_options():
    """What the schema says about an option counts like the option's own kind of words."""
    description = "k1: anything about boats; k2: anything about horses"
    assert rank(("k1", "k2"), "body: my horse", description=description).options[0] == "k2"


def test_a_field_of_the_prompt_with_that_name_wins():
    """Where the row already says which option it is, that one is taken."""
    assert rank(("bug", "praise"), "category: praise\nbody: a bug").options[0] == "praise"


def test_the_margin_grows_with_what_speaks_for_the_best_option():
    """It is 0 for a guess."""
    options = ("billing", "technical")
    guess = rank(options, "body: lorem").margin
    hint = rank(options, "body: the invoice").margin
    clear = rank(options, "body: invoice, refund, payment, charged").margin
    assert guess == 0 < hint < clear < 1
