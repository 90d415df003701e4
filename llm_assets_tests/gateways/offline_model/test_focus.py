import pytest

from llm_assets.gateways.offline_model.content import Content
from llm_assets.gateways.offline_model.focus import parse_focus


def test_the_row_counts_and_not_the_instructions_around_it():
    """Of a prompt with instructions, a row and a closing demand only the row's values remain."""
    focus = parse_focus(
        "Classify this ticket.\n\nTicket:\nsubject: Late\nbody: It is late.\n\nAnswer in JSON."
    )
    assert focus.fields == (("subject", "Late"), ("body", "It is late."))
    assert focus.passages == ("Late", "It is late.")


def test_a_row_is_told_from_the_context_of_its_group():
    """The last section with fields is the item; what stands before it is background."""
    focus = parse_focus("## Group\n\nskill: SQL\n\nskill: Python\n\n## Row\n\nskill: Airflow\n")
    assert focus.fields == (("skill", "Airflow"),)
    assert focus.background == "SQL\nPython"


@pytest.mark.parametrize(
    "text",
    [
        "Feedback:\na: 1\nb: 2\n\na: 3\nb: 4",
        "### Row 1\na: 1\nb: 2\n### Row 2\na: 3\nb: 4",
        "<rows>\na: 1\nb: 2\n---\na: 3\nb: 4\n</rows>\nSummarise them.",
        "- a: 1\n- b: 2\n\n- a: 3\n- b: 4",
        "a: 1\nb: 2\na: 3\nb: 4",
    ],
)
def test_all_rows_of_a_group_belong_together(text: str):
    """Blank lines, rules and numbered headings between rows do not cut a group apart."""
    assert [value for _, value in parse_focus(text).fields] == ["1", "2", "3", "4"]


def test_an_empty_cell_is_no_heading():
    """`name:` without a value is left out and starts no section."""
    focus = parse_focus("Notes:\nbody: first\n\nTitle: x\n\nTitle:\nbody: second")
    assert [value for _, value in focus.fields] == ["first", "x", "second"]


def test_a_value_may_go_on_in_further_lines():
    """A line that is no field continues the value above it."""
    assert parse_focus("song: Awe\nline: one\ntwo").fields == (("song", "Awe"), ("line", "one two"))


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        ("Summarise the text.\n\nCats sleep.\n\nDogs bark.", ("Cats sleep.", "Dogs bark.")),
        ("Summarise this:\n\nCats sleep.", ("Cats sleep.",)),
        ("Summarise the text.", ("Summarise the text.",)),
        ("", ("",)),
    ],
)
def test_free_text_stands_without_its_instruction(text: str, passages: tuple[str, ...]):
    """Without fields the paragraphs that give no order are the content; if all do, the text is."""
    assert parse_focus(text).passages == passages


def test_what_is_an_items_own_comes_before_what_its_group_shares():
    """A word that many rows of the group have is a worse keyword than one of this row alone."""
    content = Content(
        focus=parse_focus(
            "Group:\nrole: data engineer\nskill: SQL\n\nrole: data engineer\nskill: Airflow\n\n"
            "Row:\n\nrole: data engineer\nskill: Airflow"
        )
    )
    assert content.keywords[0] == "airflow"


def test_lists_in_a_value_are_kept_as_phrases():
    """`window functions, query plans` gives two phrases, and SQL keeps its capitals."""
    content = Content(focus=parse_focus("skill: SQL\nnotes: window functions, query plans"))
    assert content.keywords == ("window functions", "query plans", "SQL", "skill")[:3]


def test_sentences_leave_out_greetings_and_labels():
    """A summary would quote the prose and neither ids nor a greeting."""
    content = Content(focus=parse_focus("id: T-1\nbody: Hello there, my screen is black. It hums!"))
    assert content.sentences == ("My screen is black.", "It hums!")


def test_lines_that_stand_in_one_are_sentences_of_their_own():
    """A stroke between lines parts them, also behind the end of a sentence, and belongs to neither."""
    content = Content(focus=parse_focus("text: Paid in cash. / Two pumps / With many thanks"))
    assert content.sentences == ("Paid in cash.", "Two pumps", "With many thanks")


def test_numbers_are_read_as_people_write_them():
    """Thousands, decimals and signs are understood; digits inside of names are no numbers."""
    content = Content(focus=parse_focus("It cost $1,250.50, then -3 more for model X200 v1.2.3."))
    assert content.numbers == (1250.5, -3.0)
