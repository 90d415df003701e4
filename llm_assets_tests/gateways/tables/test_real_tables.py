from pathlib import Path

import pytest

from llm_assets.config.task import CleaningSettings, InputSettings
from llm_assets.core.input_snapshot import InputSnapshot, build_input_snapshot
from llm_assets.errors import InputError
from llm_assets.gateways.tables.reading import open_table
from llm_assets_tests.shared_tables import LYRICS, PROBLEMS, find_shared_table


def _snapshot(path: Path, settings: InputSettings, cleaning: CleaningSettings) -> InputSnapshot:
    with open_table(path, settings, shown_path=path.name) as table:
        return build_input_snapshot(table, cleaning=cleaning, id_column=settings.id_column)


def test_lyrics_are_explained_before_they_are_read():
    """A file in Mac Roman is refused with its first foreign byte and a hint at the right encoding."""
    with pytest.raises(InputError) as caught:
        _snapshot(find_shared_table(LYRICS), InputSettings(), CleaningSettings())
    assert f"{LYRICS}, line 13: byte 0xE5 at offset 2127" in caught.value.what
    assert "mac_roman" in caught.value.what
    assert "cp1252" not in caught.value.what


def test_lyrics_with_the_encoding_named():
    """All 377 rows are there, and the label "N/A" survives where its column has no null tokens."""
    settings = InputSettings(encoding="mac_roman", id_column="id")
    cleaning = CleaningSettings(null_tokens_by_column={"theme": ()})
    snapshot = _snapshot(find_shared_table(LYRICS), settings, cleaning)
    assert snapshot.meta.n_rows == len(snapshot.records) == 377
    assert all(row.row_id == row.values["id"] for row in snapshot.records)
    assert snapshot.meta.encoding == "mac-roman"
    assert sum(row.values["theme"] == "N/A" for row in snapshot.records) == 79


def test_problems():
    """All 1,319 records are there, each with a name of its own."""
    snapshot = _snapshot(find_shared_table(PROBLEMS), InputSettings(), CleaningSettings())
    assert snapshot.meta.n_rows == len({row.row_id for row in snapshot.records}) == 1319
    assert snapshot.meta.columns == ("question", "answer")
