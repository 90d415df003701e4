import pytest

from llm_assets.core.export_misfits import find_misfits
from llm_assets_tests.gateways.tables.export_tables import build_table


@pytest.mark.parametrize(
    ("kind", "values", "found"),
    [
        ("text", ["a", None], None),
        ("text", ["a", 1], (1, 2)),
        ("integer", [1, "five", None, True], (2, 2)),
        ("number", [1, 2.5], None),
        ("date", ["2026-03-01", "soon"], (1, 2)),
        ("decimal", ["0.5", "free"], (1, 2)),
        ("json", [1, "a", [True]], None),
        ("boolean", [], None),
    ],
)
def test_values_of_another_kind_are_found(kind, values, found):
    """They are counted by column, with the row of the first."""
    table = build_table(*((value,) for value in values), names=("x",), kinds=(kind,))
    misfits = [(m.n_values, m.first_row) for m in find_misfits(table)]
    assert misfits == ([] if found is None else [found])
