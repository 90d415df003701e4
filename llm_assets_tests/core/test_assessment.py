import pytest

from llm_assets.config.expected import ExpectedSettings
from llm_assets.core.assessment import MAX_GROUPS, Assessment, find_shortfalls
from llm_assets.core.confusion import ConfusionTable
from llm_assets.core.ids import GroupKey
from llm_assets.core.intervals import mean_interval, wilson_interval
from llm_assets.core.llm_outputs import ItemOutput, Outcome
from llm_assets.errors import StorageError
from llm_assets_tests.core.labelled import assess, build_item

ROWS = (
    {"label": "good", "shop": "north"},
    {"label": "good", "shop": "north"},
    {"label": "bad", "shop": "south"},
    {"label": "bad", "shop": ""},
    {"label": "", "shop": "south"},
    {"label": "bad", "shop": "south"},
)


def build_settings(fields: object | None = None, **changes: object) -> ExpectedSettings:
    return ExpectedSettings.model_validate({"fields": fields or {"mood": "label"}} | changes)


def build_items(*answers: str | None, outcome: Outcome = "invalid") -> list[ItemOutput]:
    """An item for each answer; None has no accepted output."""
    return [
        build_item({"mood": answer}, row_ids=(f"r{at}",))
        if answer is not None
        else build_item(row_ids=(f"r{at}",), outcome=outcome)
        for at, answer in enumerate(answers, start=1)
    ]


def list_scores(assessment: Assessment) -> list[float | None]:
    return [item.score for item in assessment.records]


def test_right_and_wrong_answers_give_a_share_with_wilsons_interval():
    """Of five labelled rows three are right; the sixth expects nothing and is left out and counted."""
    assessment = assess(
        build_settings(), ROWS, build_items("good", "bad", "bad", None, "bad", "bad")
    )
    meta = assessment.meta
    assert list_scores(assessment) == [1, 0, 1, 0, None, 1]
    assert (meta.n_items, meta.total.n_scored, meta.n_nothing_expected) == (6, 5, 1)
    assert meta.total.score == pytest.approx(0.6)
    assert meta.total.is_share
    assert meta.total.interval == wilson_interval(3, 5)
    assert meta.fields[0].gaps == {"missing": 1}


def test_an_item_without_an_accepted_output_is_wrong_and_told_apart():
    """It counts against the score like a wrong answer, and is counted by itself."""
    assessment = assess(build_settings(), ROWS[:2], build_items("good", None))
    assert assessment.meta.total.score == 0.5
    assert assessment.meta.total.n_without_output == 1
    assert [item.standing for item in assessment.records] == ["answered", "without_output"]


@pytest.mark.parametrize("outcome", ["skipped", "over_budget"])
def test_items_that_nobody_asked_about_are_left_out(outcome: Outcome):
    """A run with a limit or a budget says nothing about the rows that it did not get to."""
    items = build_items("good", None, outcome=outcome)
    meta = assess(build_settings(), ROWS[:2], items).meta
    assert (meta.n_not_asked, meta.total.n_scored, meta.total.score) == (1, 1, 1.0)


def test_several_fields_give_a_mean_and_each_has_its_own_score():
    """An item's score is the mean of its fields, and the batch's the mean of its items."""
    settings = build_settings({"mood": "label", "where": {"column": "shop", "scorer": "contains"}})
    items = [
        build_item({"mood": "good", "where": "up north"}, row_ids=("r1",)),
        build_item({"mood": "bad", "where": "north"}, row_ids=("r2",)),
        build_item({"mood": "good", "where": "west"}, row_ids=("r3",)),
        build_item({"mood": "bad", "where": "east"}, row_ids=("r4",)),
    ]
    assessment = assess(settings, ROWS[:4], items)
    meta = assessment.meta
    assert list_scores(assessment) == [1, 0.5, 0, 1]
    assert [(each.name, each.total.score) for each in meta.fields] == [
        ("mood", 0.5),
        ("where", pytest.approx(2 / 3)),
    ]
    assert not meta.total.is_share
    expected = mean_interval([1, 0.5, 0, 1])
    assert meta.total.interval is not None
    assert expected is not None
    assert meta.total.interval.low == max(expected.low, 0.0)
    assert meta.total.interval.high == 1.0 < expected.high


def test_labels_are_set_against_answers():
    """A row for each expected label, a column for each that occurs, and what had no output apart."""
    items = build_items("good", "bad", "bad", None, "bad", "so-so")
    (field,) = assess(build_settings(), ROWS, items).meta.fields
    table = field.confusion
    assert table is not None
    assert table.labels == ("bad", "good", "so-so")
    assert [(row.expected, row.counts, row.n_without_output) for row in table.rows] == [
        ("bad", (1, 0, 1), 1),
        ("good", (1, 1, 0), 0),
    ]
    assert [row.n_items for row in table.rows] == [3, 2]


@pytest.mark.parametrize(
    ("labels", "answers", "options"),
    [
        (["a", "b"], ["a", "b"], {}),
        (["a", "a"], ["a", "a"], {}),
        (["x" * 61, "x" * 61], ["a", "b"], {}),
        (["a", "a"], ["a", "b"], {"scorer": "contains"}),
        (["a"] * 25, [f"b{at}" for at in range(25)], {}),
        ([], [], {}),
    ],
)
def test_what_are_no_labels_has_no_table(
    labels: list[str], answers: list[str], options: dict[str, str]
):
    """Values that never repeat, one value alone, long texts, free texts and other scorers."""
    settings = build_settings({"mood": {"column": "label"} | options})
    rows = [{"label": label} for label in labels]
    (field,) = assess(settings, rows, build_items(*answers)).meta.fields
    assert field.confusion is None


def test_a_right_answer_stands_on_the_diagonal_however_it_is_spelt():
    """What a scorer takes for the same is the same label."""
    settings = build_settings({"mood": {"column": "label", "scorer": "normalised"}})
    rows = [{"label": "Very Good"}, {"label": "very good"}, {"label": "bad"}]
    (field,) = assess(
        settings, rows, build_items("very-good", "VERY GOOD!", "Very good")
    ).meta.fields
    table = field.confusion
    assert isinstance(table, ConfusionTable)
    assert [(row.expected, row.counts) for row in table.rows] == [
        ("very good", (2, 0)),
        ("bad", (1, 0)),
    ]


def test_groups_have_a_score_each():
    """By a column of the input, the largest group first; rows without a value are a group, too."""
    items = build_items("good", "bad", "bad", None, "bad", "bad")
    meta = assess(build_settings(group_by="shop"), ROWS, items).meta
    assert [(each.group, each.total.n_scored, each.total.score) for each in meta.groups] == [
        ("north", 2, 0.5),
        ("south", 2, 1.0),
        ("", 1, 0.0),
    ]


def test_many_groups_are_cut_and_counted():
    """An assessment does not grow with the number of groups."""
    rows = [{"label": "a", "shop": f"s{at}"} for at in range(MAX_GROUPS + 3)]
    meta = assess(build_settings(group_by="shop"), rows, build_items(*["a"] * len(rows))).meta
    assert (len(meta.groups), meta.n_groups_left_out) == (MAX_GROUPS, 3)


def test_the_judge_scores_by_the_verdicts_on_record():
    """Accepted is right, rejected is wrong, and an output that no judge saw has no score."""
    settings = build_settings({"good": {"scorer": "judge"}})
    items = [
        build_item({}, row_ids=("r1",), verdict={"verdict": True}),
        build_item(row_ids=("r2",), outcome="rejected"),
        build_item({}, row_ids=("r3",)),
    ]
    assessment = assess(settings, ROWS[:3], items)
    assert list_scores(assessment) == [1, 0, None]
    assert assessment.meta.fields[0].gaps == {"unjudged": 1}
    assert assessment.meta.total.interval == wilson_interval(1, 2)


def test_what_cannot_be_read_is_no_fault_of_the_answer():
    """A label that is no number has no score, also where there is no output, and is counted."""
    settings = build_settings({"mood": {"column": "label", "scorer": "numeric"}})
    rows = [{"label": "7"}, {"label": "seven"}, {"label": "eight"}]
    assessment = assess(settings, rows, build_items("7", "7", None))
    assert list_scores(assessment) == [1, None, None]
    assert assessment.meta.fields[0].gaps == {"unreadable": 2}


@pytest.mark.parametrize("scorer", ["exact", "normalised", "contains", "f1", "json"])
def test_without_an_output_nothing_is_right(scorer: str):
    """Also where a scorer would find nothing where nothing was expected."""
    settings = build_settings({"mood": {"column": "label", "scorer": scorer}})
    rows = [{"label": '{"a": null}'}]
    assert list_scores(assess(settings, rows, build_items(None))) == [0]


def test_groups_of_rows_are_labelled_by_their_rows_or_by_a_table_of_their_own():
    """Rows that agree say what is expected of their group; a table names the group."""
    rows = [{"label": "good"}, {"label": "good"}, {"label": "bad"}, {"label": "good"}]
    items = [
        build_item({"mood": "good"}, row_ids=("r1", "r2"), group_key=GroupKey("a")),
        build_item({"mood": "good"}, row_ids=("r3", "r4"), group_key=GroupKey("b")),
    ]
    assessment = assess(build_settings(), rows, items)
    assert list_scores(assessment) == [1, None]
    assert assessment.meta.fields[0].gaps == {"conflicting": 1}
    labels = {"a": {"label": "bad"}, "b": {"label": "good"}}
    assert list_scores(assess(build_settings(), rows, items, labels=labels, label_key="group")) == [
        0,
        1,
    ]


def test_a_score_below_what_is_asked_for_is_said():
    """For the batch and for single fields; a batch without labels falls short of nothing."""
    settings = build_settings({"mood": {"column": "label", "min_score": 0.4}}, min_score=0.8)
    meta = assess(settings, ROWS[:2], build_items("good", "bad")).meta
    assert find_shortfalls(meta) == (
        "The score is 0.500, below the 0.8 that `min_score` asks for.",
    )
    assert find_shortfalls(assess(settings, [{"label": ""}], build_items("good")).meta) == ()
    (shortfall,) = find_shortfalls(
        assess(
            build_settings({"mood": {"column": "label", "min_score": 0.9}}),
            ROWS[:2],
            build_items("good", "bad"),
        ).meta
    )
    assert shortfall.startswith("The score of mood is 0.500")


def test_outputs_of_other_rows_are_not_scored():
    """Labels of one input and answers to another would give a number that means nothing."""
    with pytest.raises(StorageError):
        assess(build_settings(), ROWS[:2], build_items("good"))
