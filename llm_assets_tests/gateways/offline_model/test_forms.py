import pytest

from llm_assets.gateways.offline_model.chat import ChatRequest
from llm_assets.gateways.offline_model.forms import find_form, parse_blank
from llm_assets.gateways.offline_model.models import ModelName, build_completion
from llm_assets.gateways.offline_model.shapes import Choice, Number, Shape, Text

FORM = """\
## Summary
<the note in one sentence>

**Points:**
- <a strength>
- <a weakness>
- ...

Rating: <a whole number from 1 to 10>/10
Mood: <one of good, bad>
"""
SYSTEM = f"Read the note.\n\n```markdown\n{FORM}```\n\nNothing else."
NOTE = "<note>\nThe lathe is great and quiet. The belt is broken and slips.\n</note>"


def ask(system: str, user: str = NOTE, *, model: ModelName = "extractive", **parameters) -> str:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    request = ChatRequest.model_validate({"model": model, "messages": messages, **parameters})
    return build_completion(request, model).text or ""


def test_form_of_the_prompt_is_filled_in():
    """What stands around the blanks comes back, and each blank holds what its words and its heading ask for."""
    heading, summary, _, points, first, second, _, rating, mood = ask(SYSTEM).splitlines()
    assert (heading, points) == ("## Summary", "**Points:**")
    assert summary in {"The lathe is great and quiet.", "The belt is broken and slips."}
    assert first == "- The lathe is great and quiet."
    assert second == "- The belt is broken and slips."
    assert rating.startswith("Rating: ")
    assert 1 <= int(rating.removeprefix("Rating: ").removesuffix("/10")) <= 10
    assert mood in {"Mood: good", "Mood: bad"}


def test_form_inside_of_an_indented_prompt_loses_its_indent():
    """A form in an indented block of a prompt file is answered from the beginning of the line."""
    indented = "".join(f"    {line}\n" for line in SYSTEM.splitlines())
    assert ask(indented).startswith("## Summary\n")


def test_blank_that_has_nothing_left_to_say_is_taken_out():
    """A note of one sentence has one point, not the same one again."""
    answer = ask(SYSTEM, "<note>\nThe lathe hums.\n</note>")
    assert answer.count("- ") == 1


@pytest.mark.parametrize(
    "prompt",
    [
        "Read the note.",
        "Read it.\n```python\nprint(1)\n```",
        "Read it.\n```\nno blanks\n```",
        "Mind < and > here.",
    ],
)
def test_prompt_without_a_form_is_answered_freely(prompt: str):
    """A fence without blanks is an example or code, and no form."""
    assert find_form(prompt) is None
    assert "lathe" in ask(prompt) or "belt" in ask(prompt)


def test_schema_counts_before_a_form():
    """A request that asks for JSON gets JSON, whatever the prompt shows."""
    assert ask(SYSTEM, response_format={"type": "json_object"}).startswith("{")


def test_answer_to_a_form_is_the_same_every_time():
    """It depends on the request alone, also where the model is cut off or repeats the note."""
    assert ask(SYSTEM) == ask(SYSTEM)
    assert len(ask(SYSTEM, max_tokens=5)) < len(ask(SYSTEM))
    assert "broken" in ask(SYSTEM, model="echo").splitlines()[1]


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        ("a whole number from 1 to 10", Number(is_integer=True, low=1, high=10)),
        ("a number from 0 to 1", Number(is_integer=False, low=0, high=1)),
        ("a score between -5 and 5", Number(is_integer=True, low=-5, high=5)),
        ("one of good, bad or mixed", Choice(options=("good", "bad", "mixed"))),
        ("high | low", Choice(options=("high", "low"))),
        ("yes or no", Choice(options=("yes", "no"))),
        ("the note in 1 to 2 sentences", Text()),
        ("a strength, in a few words", Text()),
    ],
)
def test_words_of_a_blank_say_what_it_holds(words: str, shape: Shape):
    """Bounds make a number, listed words a choice, and everything else is text."""
    assert parse_blank(words) == shape
