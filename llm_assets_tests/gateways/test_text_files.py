import pytest

from llm_assets.errors import ConfigError
from llm_assets.gateways.text_files import fingerprint_file, read_text_file


def read(path):
    return read_text_file(path, shown=f"prompts/{path.name}", purpose="prompt file")


def test_the_text_comes_without_a_mark(tmp_path):
    """A byte order mark is no part of the text."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfuser: \xc3\xa9\n")
    assert read(tmp_path / "a.yaml") == "user: é\n"


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    """A misspelt file name is answered with the one that is there."""
    (tmp_path / "triage.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "triagge.yaml")
    expected = "The prompt file prompts/triagge.yaml does not exist. Did you mean 'triage.yaml'?"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.yaml", "does not exist. Create it, or correct the path."),
        ("none/a.yaml", "does not exist. Its folder does not exist either"),
        ("", "cannot be read (Is a directory)"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, expected):
    """Each way of failing has its own sentence."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / name)
    assert expected in str(caught.value)


def test_a_file_that_is_not_utf8_names_the_line(tmp_path):
    """A wrong encoding is never guessed at."""
    (tmp_path / "a.yaml").write_bytes(b"user: a\nsystem: cr\xe8me\n")
    with pytest.raises(ConfigError, match=r"not UTF-8: line 2 holds the byte 0xE8\. Save it"):
        read(tmp_path / "a.yaml")


def test_a_fingerprint_changes_with_the_file_and_never_fails(tmp_path):
    """The definitions load also where a file is missing; the run that uses it tells."""
    path = tmp_path / "a.yaml"
    assert fingerprint_file(path) == ""
    path.write_text("user: a\n")
    first = fingerprint_file(path)
    path.write_text("user: b\n")
    assert len(first) == 64
    assert fingerprint_file(path) != first
