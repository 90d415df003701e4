"""What a text answer gives, and what is said about one that lacks something."""

import random
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from llm_assets.config.answer import AnswerSettings
from llm_assets.core.answers import InvalidAnswer, ValidAnswer
from llm_assets.core.text_answers import parse_text_answer
from llm_assets.core.text_form import build_text_form

N_RANDOM_TEXTS = 10_000


class Review(BaseModel):
    model_config = ConfigDict(extra="forbid")

    summary: str
    analysis_points: list[str] = []
    rating: int = Field(ge=1, le=10)
    confidence: float = Field(default=0.5, ge=0, le=1)


class Facts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mood: Literal["good", "not good", "so so"] = "so so"
    is_recommended: bool | None = None
    degrees: float = 0.0
    years: list[int] = []
    note: str | None = "unset"
    code: Annotated[str, Field(pattern="^[A-Z]+$")] = "X"


class Scores(BaseModel):
    model_config = ConfigDict(extra="forbid")

    design: int = Field(ge=1, le=5)
    battery: int | None = Field(default=None, ge=1, le=5)


class Measured(BaseModel):
    model_config = ConfigDict(extra="forbid")

    scores: Scores
    verdict: str = Field(title="Our verdict")


class Translation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


FULL: dict[str, JsonValue] = {
    "summary": "It is loud.",
    "analysis_points": ["Bright screen", "Weak battery"],
    "rating": 7,
    "confidence": 0.8,
}
TIDY = """\
## Summary
It is loud.

## Analysis points
- Bright screen
- Weak battery

## Rating
7/10

## Confidence
0.8
"""
FORMS = {
    "headings": TIDY,
    "windows line ends": TIDY.replace("\n", "\r\n"),
    "old line ends": TIDY.replace("\n", "\r"),
    "no line end": TIDY.rstrip(),
    "indented": "".join(f"    {line}\n" for line in TIDY.split("\n")),
    "indented by a tab": "".join(f"\t{line}\n" for line in TIDY.split("\n")),
    "hashes without a blank": TIDY.replace("## ", "##"),
    "closed headings": TIDY.replace("## Rating", "## Rating ##"),
    "upper case": TIDY.replace("Analysis points", "ANALYSIS POINTS"),
    "lower case": TIDY.replace("## Rating", "## rating"),
    "field names": TIDY.replace("Analysis points", "analysis_points"),
    "colons": TIDY.replace("Summary", "Summary:").replace("Rating", "Rating :"),
    "no blank lines": TIDY.replace("\n\n", "\n"),
    "without hashes": TIDY.replace("## ", ""),
    "without hashes, with colons": TIDY.replace("## Summary", "Summary:").replace("## ", ""),
    "numbered sections": TIDY.replace("## Summary", "Section 1: Summary").replace(
        "## Analysis", "Section 2: Analysis"
    ),
    "numbered headings": TIDY.replace("## Summary", "## 1. Summary").replace(
        "## Rating", "### 3) Rating"
    ),
    "numbered lines": TIDY.replace("## Summary", "1. Summary")
    .replace("## Analysis", "2. Analysis")
    .replace("## Rating", "3. Rating")
    .replace("## Confidence", "4. Confidence"),
    "part a": TIDY.replace("## Summary", "**Part A: Summary**"),
    "underlined": TIDY.replace("## Summary", "Summary\n=======").replace(
        "## Rating", "Rating\n---"
    ),
    "bold headings": TIDY.replace("## Summary", "**Summary**").replace("## Rating", "**Rating:**"),
    "labels": "Summary: It is loud.\nAnalysis points: Bright screen; Weak battery\nRating: 7\nConfidence: 0.8",
    "dashes": "Summary - It is loud.\nAnalysis points - Bright screen, Weak battery\nRating \u2013 7\nConfidence \u2014 0.8",
    "bold labels": "**Summary**: It is loud.\n**Analysis points**:\n* Bright screen\n* Weak battery\n\n**Rating**: 7/10\n**Confidence**: 0.8",
    "bold labels, colon inside": "**Summary:** It is loud.\n**Analysis points:**\n1. Bright screen\n2. Weak battery\n\n**Rating:** 7\n**Confidence:** 80%",
    "all bold": "**Summary: It is loud.**\n**Analysis points: Bright screen, Weak battery**\n**Rating: 7**\n__Confidence: 0.8__",
    "a list of labels": "- **Summary**: It is loud.\n- **Analysis points**: Bright screen, Weak battery\n- **Rating**: 7/10\n- **Confidence**: 0.8",
    "numbered labels": "1. **Summary:** It is loud.\n2. **Analysis points:** Bright screen, Weak battery\n3. **Rating:** 7\n4. **Confidence:** 0.8",
    "scales in brackets": TIDY.replace("## Rating\n7/10", "Rating (1-10): 7").replace(
        "## Confidence\n0.8", "**Confidence** (0 to 1): 0.8"
    ),
    "a title above": f"# Review of a radio\n\nHere it is:\n\n{TIDY}",
    "a section of its own below": f"{TIDY}\n## Notes\n\n5 stars elsewhere",
    "rules between": TIDY.replace("\n\n", "\n\n---\n\n"),
    "a rule right below a line": TIDY.replace("It is loud.\n", "It is loud.\n---\n"),
    "thinking before": f"<think>Rating: 2?</think>\n{TIDY}",
    "in a fence": f"```markdown\n{TIDY}```",
    "in a fence, with words around": f"Sure:\n\n```\n{TIDY}```\nAnything else?",
    "other bullets": TIDY.replace("- Bright", "\u2022 Bright").replace("- Weak", "\u2022 Weak"),
    "wrapped items": TIDY.replace("- Bright screen", "- Bright\n  screen"),
    "words around the items": TIDY.replace("- Bright", "I see:\n\n- Bright").replace(
        "battery\n", "battery\n\nThat is all.\n"
    ),
    "no bullets": TIDY.replace("- ", ""),
    "a byte order mark": f"\ufeff{TIDY}",
}


def parse(text: str, model: type[BaseModel] = Review, **settings: object):
    answer = AnswerSettings.model_validate({"kind": "text", **settings})
    return parse_text_answer(text, build_text_form(model, answer), model)


def accept(text: str, model: type[BaseModel] = Review, **settings: object) -> ValidAnswer:
    read = parse(text, model, **settings)
    assert isinstance(read, ValidAnswer), read
    return read


def refuse(text: str, model: type[BaseModel] = Review, **settings: object) -> str:
    read = parse(text, model, **settings)
    assert isinstance(read, InvalidAnswer), read
    return read.problem


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_form_is_understood(text: str):
    """The same answer is read from each of the forms in which models write headings, labels and lists."""
    read = accept(text)
    assert read.output == FULL
    assert read.parse_errors == ()
    assert not read.is_repaired


def test_code_is_no_heading():
    """What stands in a code fence is text, whatever it looks like, and stays as it is written."""
    code = "```sh\n# Rating\n# not a heading\nRating: 3\n```"
    read = accept(TIDY.replace("It is loud.", f"It is loud.\n\n{code}"))
    assert read.output == {**FULL, "summary": f"It is loud.\n\n{code}"}


def test_tildes_are_a_fence_too():
    """Both kinds of fence hide what is in them, also with another fence inside."""
    code = "~~~\n```\n## Rating\n2\n```\n~~~"
    assert accept(TIDY.replace("It is loud.", code)).output == {**FULL, "summary": code}


def test_another_word_is_not_taken_for_a_field():
    """`Operating: 4` is no rating, nor is a word that begins or ends like one."""
    text = "Summary: It is loud.\nOperating: 4\nRatings: 5\nRating system: 6\nThe Rating: 3"
    assert "`rating`: there is no part `Rating`" in refuse(text)


def test_sentence_that_begins_like_a_field_stays_a_sentence():
    """A name counts only where it is set off; prose that begins with it is prose."""
    prose = "Rating it is hard.\nThe overall\nrating\nis fine.\nSummary-like texts are long."
    read = accept(TIDY.replace("It is loud.", prose))
    assert read.output == {**FULL, "summary": prose}


def test_measure_is_kept_whole():
    """`3.5 mm jack` is no numbered item, in a list or out of one."""
    items = "- 3.5 mm jack missing\n- 2.4 GHz only"
    read = accept(TIDY.replace("- Bright screen\n- Weak battery", items))
    assert read.output["analysis_points"] == ["3.5 mm jack missing", "2.4 GHz only"]
    read = accept(TIDY.replace("It is loud.", "3.5 mm jack\n1. of May"))
    assert read.output["summary"] == "3.5 mm jack\n1. of May"


def test_quoted_heading_is_no_heading():
    """What the model quotes from the text it was given does not cut its own answer."""
    quote = "It says:\n\n> ## Rating\n> 2/10"
    assert accept(TIDY.replace("It is loud.", quote)).output == {**FULL, "summary": quote}


def test_heading_below_a_section_belongs_to_it():
    """A deeper heading of the model's own is part of the section, one of the same depth ends it."""
    text = TIDY.replace("It is loud.", "### Sound\nIt is loud.\n\n## Aside\nNothing.")
    assert accept(text).output == {**FULL, "summary": "### Sound\nIt is loud."}


def test_item_that_begins_like_a_field_stays_an_item():
    """Inside a list a label is an item where its field has a part elsewhere, and a field where it has none."""
    items = "- Rating: too good to be true\n- Weak battery"
    text = TIDY.replace("- Bright screen\n- Weak battery", items)
    assert accept(text).output["analysis_points"] == [
        "Rating: too good to be true",
        "Weak battery",
    ]
    text = "Summary: It is loud.\nAnalysis points:\n- Bright screen\n- Weak battery\n- Rating: 7/10\n- Confidence: 0.8"
    assert accept(text).output == FULL


def test_nested_items_stay_with_their_item():
    """An item below an item is a line of it, so that nothing is lost and nothing is counted twice."""
    text = TIDY.replace("- Weak battery", "- Weak battery\n  - three hours\n  - no fast charging")
    points = accept(text).output["analysis_points"]
    assert points == ["Bright screen", "Weak battery\n- three hours\n- no fast charging"]


@pytest.mark.parametrize("word", ["None", "none.", "n/a", "-", "**None**"])
def test_list_of_nothing_is_empty(word: str):
    """A word for nothing is no item."""
    text = TIDY.replace("- Bright screen\n- Weak battery", word)
    assert accept(text).output["analysis_points"] == []


def test_sentence_with_commas_is_one_item():
    """Commas separate labels, not the clauses of a sentence."""
    sentence = "Loud, but the battery is weak, which I found out on the first day"
    text = TIDY.replace("- Bright screen\n- Weak battery", sentence)
    assert accept(text).output["analysis_points"] == [sentence]


def test_missing_part_with_a_default_is_accepted_with_a_note():
    """Where the model has a default, it stands in, and the answer says so."""
    read = accept("Summary: It is loud.\nRating: 7")
    assert read.output == {**FULL, "analysis_points": [], "confidence": 0.5}
    assert read.parse_errors == (
        "`analysis_points`: there is no part `Analysis Points`",
        "`confidence`: there is no part `Confidence`",
    )


def test_missing_part_without_a_default_is_invalid():
    """A field that has to be there is asked for again, with all that are missing, and without those that may be."""
    assert refuse("Nothing of the kind.") == (
        "`summary`: there is no part `Summary`; `rating`: there is no part `Rating`"
    )


def test_required_part_is_invalid_without_it():
    """`required` asks for a part although there is a default for it."""
    text = "Summary: It is loud.\nRating: 7"
    problem = refuse(text, required=["confidence"])
    assert "`confidence`: there is no part `Confidence`" in problem


def test_text_without_any_part_gives_defaults_where_all_have_one():
    """An answer that names no part at all is all defaults, each with a note, and no crash."""
    read = accept("Nothing of the kind.", Facts)
    assert read.output == Facts().model_dump()
    assert len(read.parse_errors) == len(Facts.model_fields)


def test_number_out_of_bounds_is_reported_and_never_moved():
    """95 for a score of 1 to 10 makes a required field invalid, and a default stand in for an optional one."""
    assert "`rating`: 95 is outside of 1 to 10" in refuse(TIDY.replace("7/10", "95"))
    read = accept(TIDY.replace("0.8", "-0.8"))
    assert read.output["confidence"] == 0.5
    assert read.parse_errors == ("`confidence`: -0.8 is outside of 0 to 1",)


def test_part_that_is_there_but_says_nothing_is_missing():
    """A heading without a text below it gives no value."""
    assert "`summary`: the part is empty" in refuse(TIDY.replace("It is loud.", ""))


def test_part_that_is_said_twice_is_told():
    """The first one that can be read counts; one that says something else is noted, an echo of it is not."""
    assert accept(f"{TIDY}\nRating: 7").parse_errors == ()
    read = accept(f"{TIDY}\nRating: 9")
    assert read.output["rating"] == 7
    assert read.parse_errors == ("`rating`: the answer says it 2 times; the first one counts",)
    assert accept(f"Rating: hard to say\n{TIDY}").output == FULL


def test_other_types_are_read():
    """Choices, truths, numbers with sign and decimals, lists of numbers and words for nothing have their forms."""
    text = "Mood: **Not good**, really\nIs recommended: yes!\nDegrees: -3.5\nYears: 2019, 2021\nNote: n/a\nCode: AB"
    assert accept(text, Facts).output == {
        "mood": "not good",
        "is_recommended": True,
        "degrees": -3.5,
        "years": [2019, 2021],
        "note": None,
        "code": "AB",
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Mood: excellent", "`mood`: `excellent` is none of good, not good, so so"),
        ("Mood: good at first, then not", "`mood`: `good at first"),
        ("Years: 2019, soon", "`years`: item 2: there is no number"),
        ("Code: ab", "`code`: String should match pattern"),
    ],
)
def test_part_that_gives_no_value_is_told(line: str, words: str):
    """What is no value of its field, or one that the model's own rules refuse, leaves the default and a note."""
    read = accept(line, Facts)
    assert read.output == Facts().model_dump()
    assert [error for error in read.parse_errors if error.startswith(words)]


def test_nested_model_is_a_section_with_labels():
    """A model inside the model takes the labels of its section; a title is a name like the field's own."""
    text = "## Scores\n- Design: 4/5\n- Battery: 3\n\n## Our verdict\nBuy it."
    read = accept(text, Measured)
    assert read.output == {"scores": {"design": 4, "battery": 3}, "verdict": "Buy it."}
    read = accept("Scores:\n- Design: 4\n- Battery: 6\n\nverdict: Buy it.", Measured)
    assert read.output["scores"] == {"design": 4, "battery": None}
    assert read.parse_errors == ("`scores.battery`: 6 is outside of 1 to 5",)
    assert "`scores.design`: 9 is outside" in refuse("Scores:\n- Design: 9\n\nverdict: x", Measured)


def test_model_with_one_text_takes_the_whole_answer():
    """Where there is nothing to tell apart, an answer needs no heading; where it has one, the heading counts."""
    assert accept("# Liebe Leute\n\nEs ist laut.", Translation).output == {
        "text": "# Liebe Leute\n\nEs ist laut."
    }
    assert accept("Text: Es ist laut.", Translation).output == {"text": "Es ist laut."}


def test_alias_is_a_name():
    """The config may give a field further names, and its own goes on to count."""
    aliases = {"analysis_points": ["Key points", "Pros & cons"], "rating": ["Stars"]}
    for name in ("Key points", "KEY_POINTS", "Pros & cons", "Analysis points"):
        text = TIDY.replace("Analysis points", name).replace("## Rating", "Stars:")
        assert accept(text, aliases=aliases).output == FULL


def test_field_by_field_notes_stay_in_bounds():
    """A part of any length is quoted by its beginning."""
    read = accept(f"Mood: {'x' * 100_000}", Facts)
    assert max(map(len, read.parse_errors)) < 200


@given(text=st.text(max_size=300))
def test_any_text_gives_an_end(text: str):
    """Whatever a model answers, the parser gives an answer or a problem, and no exception."""
    for model in (Review, Facts, Measured, Translation):
        assert isinstance(parse(text, model), ValidAnswer | InvalidAnswer)


def test_ten_thousand_random_texts_give_an_end():
    """Texts thrown together from what parsers stumble over never raise, and what is valid is so under the schema."""
    form = build_text_form(Review, AnswerSettings(kind="text"))
    draw = random.Random(7)  # noqa: S311 -- the same texts in every run
    ends = {ValidAnswer: 0, InvalidAnswer: 0}
    for _ in range(N_RANDOM_TEXTS):
        text = "".join(draw.choices(FRAGMENTS, k=draw.randint(0, 12)))
        read = parse_text_answer(text, form, Review)
        ends[type(read)] += 1
        if isinstance(read, ValidAnswer):
            assert Review.model_validate(read.output, strict=True).model_dump() == read.output
    assert min(ends.values()) > 100


FRAGMENTS = (
    *("\n", "\r\n", "\n\n", "    ", "\t", "- ", "* ", "1. ", "12) ", "# ", "## ", "###### ", "> "),
    *(
        "```\n",
        "~~~",
        "---\n",
        "===\n",
        "**",
        "__",
        "`",
        "_",
        ":",
        " - ",
        "\u2014",
        "(",
        ")",
        "[",
        "]",
    ),
    *("Summary", "summary:\n", "## Rating\n", "Rating: ", "Analysis points\n", "Confidence: "),
    *(
        "Section 1: ",
        "3.5 mm jack",
        "8/10",
        "-2",
        "95",
        "80%",
        "7 to 8",
        "1e999",
        "9" * 400,
        "\u0663",
    ),
    *(
        "It is loud.\n",
        "\ud800",
        "\x00",
        "\u2028",
        "\x0b",
        "\ufeff",
        "I\u0307",
        "\u0131",
        "<think>",
        "</think>",
    ),
    *("| a | b |\n", "<summary>x</summary>\n", "[Rating]: x\n", "\\", "{{ }}", "{\n", "NaN", "inf"),
    *("Summary: x\nRating: 7\n", "## Summary\nGood.\n\n## Rating\n8\n"),
)
