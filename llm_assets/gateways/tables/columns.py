"""Which names a header gives to the columns, and why a header is refused."""

from collections.abc import Sequence

from llm_assets.errors import InputError
from llm_assets.gateways.tables.typed_cells import replace_lone_surrogates


def build_columns(names: Sequence[str], *, place: str) -> tuple[str, ...]:
    """The column names, each on one line and without outer white space.

    Every column must have a name and no two the same, because prompts and exports speak of them by name.
    """
    columns = tuple(" ".join(replace_lone_surrogates(name).split()) for name in names)
    positions: dict[str, int] = {}
    for position, column in enumerate(columns, start=1):
        if not column:
            raise InputError(
                f"{place}: column {position} of {len(columns)} has no name.",
                remedy="Name it in the header, or take the column out.",
            )
        if column in positions:
            raise InputError(
                f"{place}: the columns {positions[column]} and {position} are both named {column!r}.",
                remedy="Rename one of them in the header.",
            )
        positions[column] = position
    return columns
