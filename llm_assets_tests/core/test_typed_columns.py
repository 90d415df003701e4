from datetime import UTC, date, datetime

import pytest

from llm_assets.core.typed_columns import build_typed_column

MOMENT = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "values", "typed_kind", "typed"),
    [
        ("text", ["a", None, ""], "text", ["a", None, ""]),
        ("integer", [1, None, -(2**63)], "integer", [1, None, -(2**63)]),
        ("integer", [1, 2**63], "text", ["1", str(2**63)]),
        ("integer", [1, "five"], "text", ["1", "five"]),
        ("integer", [True], "text", ["true"]),
        ("number", [1, 2.5], "number", [1.0, 2.5]),
        ("number", [2**53 + 1], "text", [str(2**53 + 1)]),
        ("number", [10**400], "text", [str(10**400)]),
        ("decimal", ["0.0015", None], "number", [0.0015, None]),
        ("decimal", ["0.12345678901234567890"], "text", ["0.12345678901234567890"]),
        ("boolean", [True, None], "boolean", [True, None]),
        ("boolean", [1], "text", ["1"]),
        ("date", ["2026-03-01", None], "date", [date(2026, 3, 1), None]),
        ("date", ["2026-03-01", "soon"], "text", ["2026-03-01", "soon"]),
        ("datetime", ["2026-03-01T10:00:00"], "datetime", [datetime(2026, 3, 1, 10)]),  # noqa: DTZ001 - none is meant
        ("datetime", ["2026-03-01T11:00:00+01:00", "2026-03-01T10:00Z"], "instant", [MOMENT] * 2),
        (
            "datetime",
            ["2026-03-01T10:00:00", "2026-03-01T10:00:00Z"],
            "text",
            ["2026-03-01T10:00:00", "2026-03-01T10:00:00Z"],
        ),
        ("json", [[1], "a", None, {"k": 2}], "text", ["[1]", "a", None, '{"k":2}']),
        ("date", [None, None], "date", [None, None]),
        ("datetime", [], "datetime", []),
    ],
    ids=str,
)
def test_a_column_has_one_type(kind, values, typed_kind, typed):
    """A column is of its kind where every value is, exactly; else all of it is text and nothing is lost."""
    column = build_typed_column(values, kind)
    assert (column.kind, list(column.values)) == (typed_kind, typed)
