import subprocess

import pytest

from llm_assets.gateways.git_state import read_git_state

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com")


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit."""
    (tmp_path / "a.txt").write_text("a")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, *IDENTITY, "commit", "--quiet", "-m", "First")
    return tmp_path


def git(folder, *arguments):
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_clean_project_is_at_its_commit(repository):
    """The commit is named in full."""
    state = read_git_state(repository)
    assert state
    assert (state.commit, state.is_clean) == (git(repository, "rev-parse", "HEAD"), True)


@pytest.mark.parametrize(("name", "text"), [("a.txt", "b"), ("new.txt", "n")])
def test_a_changed_or_new_file_is_not_clean(repository, name, text):
    """A file that the commit does not hold as it is makes the commit an incomplete answer."""
    (repository / name).write_text(text)
    state = read_git_state(repository)
    assert state
    assert state.is_clean is False


def test_what_runs_make_does_not_count(repository):
    """Exports and the ledger are no change of the project, also where nobody told git to leave them out."""
    (repository / "data" / "exports").mkdir(parents=True)
    (repository / "data" / "exports" / "may.csv").write_text("x")
    (repository / "data" / "ledger.sqlite").write_text("x")
    state = read_git_state(repository)
    assert state
    assert state.is_clean
    (repository / "data" / "inputs.csv").write_text("x")
    state = read_git_state(repository)
    assert state
    assert not state.is_clean


def test_only_the_project_itself_counts(repository):
    """A change elsewhere in a larger repository is no change of the project."""
    project = repository / "project"
    project.mkdir()
    (repository / "a.txt").write_text("b")
    state = read_git_state(project)
    assert state
    assert state.is_clean


def test_without_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    """Outside of a repository, before the first commit and without git, nothing is said."""
    assert read_git_state(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert read_git_state(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert read_git_state(tmp_path) is None
