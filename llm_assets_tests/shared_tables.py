"""Tables that others made, which lie outside of the project and may be missing."""

import os
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("LLM_ASSETS_SHARED_DATA") or Path(__file__).parents[2] / "shared" / "data"
)
LYRICS = "hip_hop_candidate_lyrics.csv"
"""377 lines of songs, in Mac Roman."""
PROBLEMS = "gsm8k_test.jsonl"
"""1,319 problems of school mathematics with their answers."""


def find_shared_table(name: str) -> Path:
    """The file of this name; the test that asks is skipped where there is none."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not there; LLM_ASSETS_SHARED_DATA names its folder")
    return path
