import pytest

from llm_assets.core.arrivals import SETTLING_SECONDS, FileStamp, KnownFiles, is_settled
from llm_assets.core.ids import BatchKey, Sha256

MAY, JUNE = BatchKey("may"), BatchKey("june")
OLD, NEW = Sha256("old"), Sha256("new")
FIRST = FileStamp(size_bytes=10, modified_ns=1)
SECOND = FileStamp(size_bytes=12, modified_ns=2)


def look(known: KnownFiles, stamp: FileStamp, sha256: Sha256) -> KnownFiles:
    """One look at the file of `may`, which is read only where it has to be."""
    unread = known.find_unread({MAY: stamp})
    return known.note_read({MAY: stamp}, dict.fromkeys(unread, sha256))


def test_a_file_is_read_once_and_again_when_it_changed():
    """A look without a change reads nothing."""
    known = look(KnownFiles(), FIRST, OLD)
    assert known.find_unread({MAY: FIRST}) == ()
    assert known.find_unread({MAY: SECOND}) == (MAY,)
    assert known.find_unread({MAY: FIRST, JUNE: FIRST}) == (JUNE,)


def test_new_content_is_due_until_it_was_asked_for():
    """A new file is due once; a changed one is due again."""
    known = look(KnownFiles(), FIRST, OLD)
    assert known.find_due({}) == (MAY,)
    known = known.note_requests([MAY])
    assert known.find_due({}) == ()
    assert look(known, SECOND, NEW).find_due({MAY: OLD}) == (MAY,)


def test_content_that_was_made_already_is_not_due():
    """What somebody ran by hand is not run again; a file that was only touched neither."""
    known = look(KnownFiles(), FIRST, OLD)
    assert known.find_due({MAY: OLD}) == ()
    touched = look(known.note_requests([MAY]), SECOND, OLD)
    assert touched.find_due({MAY: OLD}) == ()


def test_a_file_put_back_is_due_under_a_new_number():
    """Earlier content asks again, and no two requests are the same."""
    known = look(KnownFiles(), FIRST, OLD).note_requests([MAY])
    changed = look(known, SECOND, NEW).note_requests([MAY])
    back = look(changed, FIRST, OLD)
    assert back.find_due({MAY: NEW}) == (MAY,)
    assert back.note_requests([MAY]).files[MAY].n_requests == 3


def test_a_file_that_is_gone_is_forgotten():
    """Only files that are there are remembered."""
    known = look(KnownFiles(), FIRST, OLD)
    assert known.note_read({}, {}).files == {}


def test_a_file_that_is_still_growing_is_left_for_the_next_look():
    """A changed file that was not read keeps what was known of it; an unknown one stays unknown."""
    known = look(KnownFiles(), FIRST, OLD).note_requests([MAY])
    growing = known.note_read({MAY: SECOND, JUNE: SECOND}, {})
    assert growing.files == known.files
    assert growing.waiting == {MAY: SECOND, JUNE: SECOND}
    assert growing.find_due({MAY: OLD}) == ()


@pytest.mark.parametrize(
    ("age_seconds", "settled"),
    [(0.0, False), (SETTLING_SECONDS - 1, False), (SETTLING_SECONDS, True), (-60.0, True)],
)
def test_a_file_is_settled_when_it_was_left_alone(age_seconds: float, *, settled: bool):
    """What was written just now may not be all; a time in the future says nothing."""
    stamp = FileStamp(size_bytes=1, modified_ns=int((1000 - age_seconds) * 1e9))
    assert is_settled(stamp, now_seconds=1000.0) is settled


@pytest.mark.parametrize(
    ("modified_ns", "settled"),
    [(FIRST.modified_ns + 1, True), (FIRST.modified_ns, False), (0, False)],
)
def test_a_changed_file_whose_time_did_not_move_on_has_to_look_the_same_twice(
    modified_ns: int, *, settled: bool
):
    """An old time is a sign of rest only where it is a newer one than that of the content known before."""
    known = look(KnownFiles(), FIRST, OLD)
    stamps = {MAY: FileStamp(size_bytes=0, modified_ns=modified_ns)}
    assert known.find_settled(stamps, now_seconds=1000.0) == ((MAY,) if settled else ())
    waiting = known.note_read(stamps, {})
    assert waiting.find_settled(stamps, now_seconds=1000.0) == (MAY,)
    changed = {MAY: FileStamp(size_bytes=5, modified_ns=modified_ns)}
    assert waiting.find_settled(changed, now_seconds=1000.0) == ((MAY,) if settled else ())
    assert waiting.note_read({MAY: FIRST}, {}).waiting == {}


def test_what_is_remembered_survives_being_written_down():
    """The memory is the sensor's cursor."""
    known = look(KnownFiles(), FIRST, OLD).note_read({MAY: SECOND}, {}).note_requests([MAY])
    assert known.waiting
    assert KnownFiles.model_validate_json(known.model_dump_json()) == known
