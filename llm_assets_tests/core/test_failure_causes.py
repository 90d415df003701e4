import pytest

from llm_assets.core.failure_causes import build_cause_text, build_failure_causes
from llm_assets.core.ids import RowId, WorkId
from llm_assets.core.llm_outputs import ItemOutput, Outcome


def build_item(number, *, outcome: Outcome = "invalid", reason=None):
    return ItemOutput(
        work_id=WorkId(f"w{number}"),
        row_ids=(RowId(f"r{number}"),),
        group_key=None,
        group_context_id=None,
        outcome=outcome,
        output=None,
        verdict=None,
        reason=reason,
        attempts=(),
        accepted_at=None,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timed out after 120 s", "timed out after 7.5 s"),
        ("'red' is not a colour", "'blue green' is not a colour"),
        ('no field "a" there', 'no field "b" there'),
        ("`x` doesn't fit", "`y` doesn't fit"),
        ("request req_81f failed.", "request req_9bc failed."),
        ("two\nlines", "two  lines"),
    ],
)
def test_equal_causes_read_alike(one, other):
    """What differs from item to item is left out of a cause."""
    assert build_cause_text(one) == build_cause_text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the answer was cut off", "the answer was refused"),
        ("it doesn't end and won't fit", "it doesn't start and won't fit"),
        ("is not a number.", "is not a number"),
    ],
)
def test_different_causes_read_differently(one, other):
    """Words tell causes apart; an apostrophe is no quotation mark."""
    assert build_cause_text(one) != build_cause_text(other)


def test_most_frequent_cause_first():
    """Causes come by number of items, then by kind of outcome; accepted items are no failures."""
    causes = build_failure_causes(
        [
            build_item(1, outcome="failed", reason="server error 500"),
            build_item(2, outcome="accepted"),
            build_item(3, reason="'a' is not allowed"),
            build_item(4, reason="'b' is not allowed"),
            build_item(5, outcome="truncated", reason="server error 500"),
        ]
    )
    assert [(c.outcome, c.text, [i.work_id for i in c.items]) for c in causes] == [
        ("invalid", "… is not allowed", ["w3", "w4"]),
        ("truncated", "server error 500", ["w5"]),
        ("failed", "server error 500", ["w1"]),
    ]


def test_missing_reason_is_said():
    """An item without a reason still has a cause."""
    assert build_failure_causes([build_item(1)])[0].text == "no reason given"


def test_endless_reason_is_compared_by_its_beginning():
    """A reason of a megabyte of quotes is grouped at once."""
    assert len(build_cause_text("it's " + '"' * 1_000_000)) <= 160
