"""Files are read where they changed and are at rest, whatever becomes of those beside them."""

import os
from pathlib import Path

from llm_assets.core.arrivals import KnownFiles
from llm_assets.core.ids import BatchKey
from llm_assets.gateways.settled_files import read_settled

NOW_SECONDS = 1_800_000_000.0


def test_a_file_that_cannot_be_read_keeps_no_other_out(tmp_path: Path):
    """It is told of at each look, what was known of it stays, and the files beside it are taken."""
    paths = {BatchKey(name): tmp_path / f"{name}.csv" for name in ("april", "may")}
    told: list[str] = []

    def look(known: KnownFiles) -> KnownFiles:
        for path in paths.values():
            os.utime(path, (NOW_SECONDS - 60, NOW_SECONDS - 60))
        return read_settled(known, paths, now_seconds=NOW_SECONDS, show_problem=told.append)

    for path in paths.values():
        path.write_text("id\n1\n", encoding="utf-8")
    before = look(KnownFiles())
    assert (set(before.files), told) == ({*paths}, [])

    paths[BatchKey("april")].unlink()
    paths[BatchKey("april")].mkdir()
    paths[BatchKey("may")].write_text("id\n1\n2\n", encoding="utf-8")
    after = look(before)
    assert after.files[BatchKey("april")] == before.files[BatchKey("april")]
    assert after.files[BatchKey("may")].sha256 != before.files[BatchKey("may")].sha256
    look(after)
    assert len(told) == 2
    assert all("april.csv cannot be read (Is a directory)." in problem for problem in told)
