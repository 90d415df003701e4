import pytest

from llm_assets.errors import ConfigError
from llm_assets_tests.config.task_texts import parse_task

LABELLED = "expected:\n  fields: {mood: label, score: {column: points, scorer: numeric}}\n"


def parse(text):
    return parse_task(f"prompt: p\n{text}", file="configs/x.yaml")


def test_expected_columns_are_hidden_from_the_model_unasked():
    """Whatever the lists of `context` leave out besides, the labels are left out, too."""
    assert parse(LABELLED).context.hidden == ("label", "points")
    both = parse(f"context: {{exclude: [id], hidden: [note]}}\n{LABELLED}").context
    assert (both.exclude, both.hidden) == (("id",), ("note", "label", "points"))


def test_a_list_of_columns_that_names_no_label_stays_as_it_is():
    """Where a person says what the model sees, nothing has to be hidden, and no stage becomes stale."""
    before = parse("context: {include: [text]}\n").context
    assert parse(f"context: {{include: [text]}}\n{LABELLED}").context == before


def test_labels_of_a_file_of_their_own_hide_nothing():
    """The input may have columns that are called like those of the file."""
    settings = parse(
        "input: {id_column: id}\n"
        "expected: {file: labels.csv, id_column: id, fields: {mood: label}}\n"
    )
    assert settings.context.hidden == ()


def test_what_people_published_can_be_expected():
    """Then fields are named alone, with a scorer where need be; no column is hidden, and no hash changes without it."""
    text = "gate: {field: c, at_least: 1}\nexpected:\n  from_review: true\n  fields:\n    mood:\n    score: {scorer: numeric}\n"
    settings = parse(text)
    assert settings.expected is not None
    assert settings.expected.from_review
    scorers = {name: each.scorer for name, each in settings.expected.fields.items()}
    assert scorers == {"mood": "exact", "score": "numeric"}
    assert settings.context.hidden == ()
    assert "from_review" not in parse(LABELLED).model_dump()["expected"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            f"context: {{include: [text, label]}}\n{LABELLED}",
            ("`context.include` names 'label', which holds expected answers", "worthless"),
        ),
        (
            f"grouping: {{mode: group_output, column: label}}\n{LABELLED}",
            ("`grouping.column` names 'label'", "worthless"),
        ),
        (f"input: {{id_column: points}}\n{LABELLED}", ("`input.id_column` names 'points'",)),
        (
            "expected: {fields: {mood: {column: a, scorer: exakt}}}",
            ("unknown value 'exakt'. Did you mean 'exact'?",),
        ),
        (
            "expected: {fields: {mood: {column: a, tolerance: 1}}}",
            ("`tolerance` belongs to the scorer numeric",),
        ),
        ("expected: {fields: {mood: {scorer: f1}}}", ("the scorer 'f1' needs a `column`",)),
        (
            "expected: {fields: {mood: {scorer: judge, column: a}}}",
            ("the scorer 'judge' takes no `column`",),
        ),
        (
            "expected: {fields: {mood: {column: a, scorer: hook}}}",
            ("the scorer 'hook' needs a `hook`",),
        ),
        (
            "expected: {fields: {mood: {column: a, hook: h.py:f}}}",
            ("`hook` belongs to the scorer hook",),
        ),
        (
            "expected: {fields: {mood: {column: a, scorer: hook, hook: h.f}}}",
            ("name a file and a function in it",),
        ),
        ("expected: {fields: {good: {scorer: judge}}}", ("needs a `judge` block",)),
        (
            "expected: {fields: {mood: {column: a, pattern: '('}}}",
            ("'(' is not a regular expression",),
        ),
        ("expected: {fields: {mood: a}, min_score: 80}", ("expected at most 1, got '80'",)),
        ("expected: {fields: {mood: a}, file: x.csv}", ("`file` and `id_column` belong together",)),
        (
            "expected: {fields: {mood: a}, file: x.csv, id_column: id}",
            ("needs `input.id_column`",),
        ),
        (
            "expected: {from_review: true, fields: {mood: }}",
            ("`expected.from_review` takes what people decided on, which needs a `gate` block",),
        ),
        (
            "gate: {field: c, at_least: 1}\nexpected: {from_review: true, fields: {mood: label}}",
            ("`fields.mood` names a `column`, and with `from_review` people's decisions hold",),
        ),
        (
            "gate: {field: c, at_least: 1}\nexpected: {from_review: true, file: l, id_column: i, fields: {m: }}",
            ("comes `from_review` or from a `file`, not from both",),
        ),
        ("expected: {min_score: 1}", ("expected.fields: this key is missing",)),
    ],
)
def test_mistakes_are_told_plainly(text, parts):
    """What would show the model its answers is refused, and so is what means nothing."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert [part for part in parts if part not in str(caught.value)] == []
