import os
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.defs.examination import examine_history, examine_home
from llm_assets.defs.history import HOME_VARIABLE
from llm_assets.defs.process_locks import PROCESS_TAG, open_process_lock
from llm_assets.gateways.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv(HOME_VARIABLE, "")
    return Project(root=tmp_path)


@pytest.mark.parametrize(
    ("environ", "in_file", "level", "words"),
    [
        (None, None, "warning", "Add the line `DAGSTER_HOME="),
        ("/a", None, "ok", "/a"),
        (None, "/a", "ok", "/a"),
        ("/a", "/a/", "ok", "/a"),
        ("/a", "/b", "warning", "write the same into .env"),
    ],
)
def test_both_command_lines_keep_one_history(
    project: Project, environ: str | None, in_file: str | None, level: str, words: str
):
    """Where `.env` and the environment name two homes, or neither names one, what ran is shown in one place only."""
    if in_file:
        (project.root / ".env").write_text(f"DAGSTER_HOME={in_file}\n")
    finding = examine_home(project, from_environ=environ)
    assert finding.level == level
    assert words in f"{finding.text} {finding.remedy}"


def test_killed_runs_are_ended_and_counted(project: Project):
    """What a killed process held is freed on the way, and told."""
    levels = [finding.level for finding in examine_history(project)]
    assert levels == ["ok", "ok", "ok"]
    with dg.DagsterInstance.get() as history:
        with open_process_lock(history) as lock:
            tags = {PROCESS_TAG: lock}
            started = dg.DagsterRunStatus.STARTED
            run = history.add_run(dg.DagsterRun(job_name="j", status=started, tags=tags))
        storage = history.event_log_storage
        storage.set_concurrency_slots("llm_api", 1)
        assert storage.claim_concurrency_slot("llm_api", run.run_id, "s").is_claimed
    texts = [finding.text for finding in examine_history(project)]
    assert "1 runs, 0 under way; 1 of killed processes ended, 1 places freed" in texts
    assert "0 of 1 places taken, 0 waiting" in texts


def test_a_home_with_other_settings_is_told(project: Project, monkeypatch: pytest.MonkeyPatch):
    """A home that somebody shares keeps its settings, which may not be those of the project."""
    home = project.root / "shared"
    home.mkdir()
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    (finding, *_) = examine_history(project)
    assert (finding.subject, finding.level) == ("dagster.yaml", "warning")


@pytest.mark.parametrize(
    ("settings", "words"),
    [("no_such_key: 1\n", "cannot be opened"), ("a: [\n", "cannot be opened")],
)
def test_settings_that_cannot_be_read_are_a_problem(project: Project, settings: str, words: str):
    """A mistake in dagster.yaml is told in a line and not as a stack trace."""
    (project.root / "dagster.yaml").write_text(settings)
    (finding,) = examine_history(project)
    assert finding.level == "problem"
    assert words in finding.text


def test_a_home_that_is_no_whole_path_is_a_problem(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    """The mistake of the environment is told with its remedy."""
    monkeypatch.setenv(HOME_VARIABLE, "somewhere")
    (finding,) = examine_history(project)
    assert (finding.level, HOME_VARIABLE in finding.text) == ("problem", True)
    assert os.environ[HOME_VARIABLE] == "somewhere"
