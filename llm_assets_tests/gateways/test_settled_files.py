"""Files are read where they changed and are at rest, whatever becomes of those beside them."""

import os
from pathlib import Path

from llm_assets.core.arrivals import KnownFiles
from llm_assets.core.ids import BatchKey, Sha256
from llm_assets.gateways import settled_files
from llm_assets.gateways.batches import hash_file
from llm_assets.gateways.settled_files import read_settled

NOW_SECONDS = 1_800_000_000.0


def test_a_file_that_cannot_be_read_keeps_no_other_out(tmp_path: Path):
    """It is told of at each look, what was known of it stays, and the files beside it are taken."""
    paths = {BatchKey(name): tmp_path / f"{name}.csv" for name in ("april", "may")}
    told: list[str] = []

    def look(known: KnownFiles, *, age_seconds: float = 60) -> KnownFiles:
        for path in paths.values():
            os.utime(path, (NOW_SECONDS - age_seconds, NOW_SECONDS - age_seconds))
        return read_settled(known, paths, now_seconds=NOW_SECONDS, show_problem=told.append)

    for path in paths.values():
        path.write_text("id\n1\n", encoding="utf-8")
    before = look(KnownFiles())
    assert (set(before.files), told) == ({*paths}, [])

    paths[BatchKey("april")].unlink()
    paths[BatchKey("april")].mkdir()
    paths[BatchKey("may")].write_text("id\n1\n2\n", encoding="utf-8")
    after = look(before, age_seconds=30)
    assert after.files[BatchKey("april")] == before.files[BatchKey("april")]
    assert after.files[BatchKey("may")].sha256 != before.files[BatchKey("may")].sha256
    look(after, age_seconds=30)
    assert len(told) == 2
    assert all("april.csv cannot be read (Is a directory)." in problem for problem in told)


def test_a_file_in_the_middle_of_being_replaced_is_not_read(tmp_path: Path):
    """Emptied, with the time it had before, it is left alone; what is written then is read once it is at rest."""
    path, may = tmp_path / "may.csv", BatchKey("may")

    def look(known: KnownFiles, text: str, *, age_seconds: float) -> KnownFiles:
        path.write_text(text, encoding="utf-8")
        os.utime(path, (NOW_SECONDS - age_seconds, NOW_SECONDS - age_seconds))
        return read_settled(known, {may: path}, now_seconds=NOW_SECONDS, show_problem=print)

    before = look(KnownFiles(), "id\n1\n", age_seconds=3600)
    emptied = look(before, "", age_seconds=3600)
    growing = look(emptied, "id\n", age_seconds=1)
    assert emptied.files == growing.files == before.files
    after = look(growing, "id\n1\n2\n", age_seconds=10)
    assert after.files[may].sha256 == hash_file(path)


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch):
    """A hash that may be of two contents is thrown away."""
    path, may = tmp_path / "may.csv", BatchKey("may")
    path.write_text("id\n1\n", encoding="utf-8")

    def hash_and_write(read: Path) -> Sha256:
        found = hash_file(read)
        read.write_text("id\n1\n2\n", encoding="utf-8")
        return found

    def look() -> KnownFiles:
        known, now_seconds = KnownFiles(), path.stat().st_mtime + 60
        return read_settled(known, {may: path}, now_seconds=now_seconds, show_problem=print)

    with monkeypatch.context() as patched:
        patched.setattr(settled_files, "hash_file", hash_and_write)
        assert look().files == {}
    assert look().files[may].sha256 == hash_file(path)
