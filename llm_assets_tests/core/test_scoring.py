import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from llm_assets.config.expected import ExpectedFieldSettings
from llm_assets.core.json_match import is_same_json
from llm_assets.core.scoring import SCORERS, find_value, normalise_text, score_value
from llm_assets.core.values import Scalar

GSM8K = "She sells 16 - 3 - 4 = 9 eggs.\nThat is $18 a day.\n#### 18"

CASES: list[tuple[str, dict[str, object], JsonValue, Scalar, float | None]] = [
    # exact
    ("exact", {}, "billing", "billing", 1),
    ("exact", {}, "Billing", "billing", 0),
    ("exact", {}, None, "billing", 0),
    ("exact", {}, 3, "3.0", 1),
    ("exact", {}, 3.5, "3.5", 1),
    ("exact", {}, 3, "3 apples", 0),
    ("exact", {}, 3, 3, 1),
    ("exact", {}, True, "True", 1),
    ("exact", {}, False, "true", 0),
    ("exact", {}, True, "1", 0),
    ("exact", {}, 1, True, 0),
    ("exact", {}, ["a", 1], '["a", 1.0]', 1),
    ("exact", {}, {"a": True}, '{"a": 1}', 0),
    ("exact", {}, ["a"], "a", 0),
    ("exact", {"pattern": r"#### (.+)"}, "so #### B", "because\n#### B", 1),
    ("exact", {"pattern": r"[A-D]"}, "A or B: B", "B", 1),
    ("exact", {"pattern": r"#### (.+)"}, "B", "no mark", None),
    # normalised
    ("normalised", {}, "  Hardware-Fault! ", "hardware fault", 1),
    ("normalised", {}, "\uff26\uff21\uff23ture", "facture", 1),
    ("normalised", {}, "Straße", "STRASSE", 1),
    ("normalised", {}, "caf\u00e9", "cafe\u0301", 1),
    ("normalised", {}, "-5", "5", 0),
    ("normalised", {}, "3.5", "35", 0),
    ("normalised", {}, "?!", "!?", 0),
    ("normalised", {}, True, "TRUE", 1),
    ("normalised", {}, None, "x", 0),
    # contains
    ("contains", {}, "The capital is Paris.", "paris", 1),
    ("contains", {}, "a catalogue", "cat", 0),
    ("contains", {}, None, "x", 0),
    ("contains", {}, ["Paris", "Rome"], "rome", 1),
    # numeric
    ("numeric", {"pattern": r"#### (.+)"}, 18, GSM8K, 1),
    ("numeric", {"pattern": r"#### (.+)"}, "first 9, so #### 18", GSM8K, 1),
    ("numeric", {"pattern": r"#### (.+)"}, "It is 9 eggs, that makes $18.00.", GSM8K, 1),
    ("numeric", {"pattern": r"#### (.+)"}, "18 or rather 17", GSM8K, 0),
    ("numeric", {}, 18, GSM8K, None),
    ("numeric", {}, 70000, "$70,000", 1),
    ("numeric", {}, "70,000 dollars", "70000", 1),
    ("numeric", {}, "no idea", "5", 0),
    ("numeric", {}, True, "1", 0),
    ("numeric", {}, None, "1", 0),
    ("numeric", {}, 1, "one", None),
    ("numeric", {}, "\u22123", "-3", 1),
    ("numeric", {}, 0.3, "0.30", 1),
    ("numeric", {"tolerance": 0.1}, 1.1, "1.0", 1),
    ("numeric", {"tolerance": 0.1}, 1.11, "1.0", 0),
    ("numeric", {"relative_tolerance": 0.01}, 99, "100", 1),
    ("numeric", {"relative_tolerance": 0.01, "tolerance": 5}, 95, "100", 1),
    ("numeric", {}, "1e999999999", "1", 0),
    ("numeric", {}, "1.5e3", "1,500", 1),
    ("numeric", {}, "1e999", "1", 0),
    # sets
    ("jaccard", {}, ["Red", "blue"], "blue, green", 1 / 3),
    ("jaccard", {}, ["b", "a", "a"], '["a", "b"]', 1),
    ("jaccard", {"separator": ";"}, "a; b", "b;a", 1),
    ("jaccard", {}, [], "a", 0),
    ("jaccard", {}, ["a"], "[]", None),
    ("f1", {}, ["Red", "blue"], "blue, green", 0.5),
    ("f1", {}, None, "a", 0),
    ("f1", {}, [1, 2], "1,2,3,4", 2 / 3),
    # JSON
    ("json", {}, {"a": 1, "b": {"c": "x", "d": 5}}, '{"a": 1.0, "b": {"c": "x"}}', 1),
    ("json", {}, {"a": 1, "b": ["x"]}, '{"a": 2, "b": ["x", "y"]}', 1 / 3),
    ("json", {}, None, '{"a": 1}', 0),
    ("json", {}, {"a": 1}, "{a: 1}", None),
    ("json", {}, {"a": 1}, "NaN", None),
    ("json", {}, "x", '"x"', 1),
]  # fmt: skip


@pytest.mark.parametrize(("scorer", "options", "found", "wanted", "score"), CASES)
def test_an_answer_is_scored(
    scorer: str, options: dict[str, object], found: JsonValue, wanted: Scalar, score: float | None
):
    """Each scorer with answers of every type; None where what is expected cannot be read."""
    settings = ExpectedFieldSettings.model_validate({"column": "label", "scorer": scorer} | options)
    assert score_value(found, wanted, settings) == (
        None if score is None else pytest.approx(score, abs=1e-12)
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(JSON, st.text(max_size=40), st.sampled_from(sorted(SCORERS)))
def test_a_score_is_between_0_and_1_whatever_was_said(found: JsonValue, wanted: str, scorer: str):
    """No answer and no label breaks a scorer, and none gets more than everything."""
    settings = ExpectedFieldSettings.model_validate({"column": "label", "scorer": scorer})
    score = score_value(found, wanted, settings)
    assert score is None or 0 <= score <= 1


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str):
    """What is equal once normalised stays equal however often that is done."""
    assert normalise_text(normalise_text(text)) == normalise_text(text)


@given(JSON)
def test_a_value_is_the_same_as_itself(value: JsonValue):
    """Equality of JSON values holds for each with itself, nested or not."""
    assert is_same_json(value, value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a", {"b": [{"c": 1}], "0": "zero"}),
        ("a.b.0.c", 1),
        ("a.b.1.c", None),
        ("a.0", None),
        ("x.y", "dotted"),
        ("no.where", None),
    ],
)
def test_a_value_is_found_by_its_dotted_path(path: str, value: JsonValue):
    """Through objects and lists; a key with dots in it counts before a path."""
    output: dict[str, JsonValue] = {"a": {"b": [{"c": 1}], "0": "zero"}, "x.y": "dotted"}
    assert find_value(output, path) == value
