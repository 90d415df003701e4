"""A judge at work in the real graph, and in the examples."""

import shutil
from collections.abc import Generator
from pathlib import Path
from threading import Event

import pytest

from llm_assets_tests.end_to_end.judged_project import (
    JUDGE,
    TOO_VAGUE,
    add_own_endpoint,
    agree,
    build_judged_project,
    work,
)
from llm_assets_tests.end_to_end.scripted_model import Asked, ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import (
    REPOSITORY,
    CliRun,
    TinyProject,
    assert_told_plainly,
)


@pytest.fixture(scope="module")
def working() -> Generator[ScriptedModel]:
    """A model whose drafts a judge rejects, both at one server."""
    with open_scripted_model(work) as server:
        yield server


@pytest.fixture(scope="module")
def first_run(
    tmp_path_factory: pytest.TempPathFactory, working: ScriptedModel
) -> tuple[TinyProject, CliRun]:
    """A project that ran once, and how that ended."""
    root = tmp_path_factory.mktemp("judged") / "project"
    project = build_judged_project(root, base_url=working.base_url)
    return project, project.run("run", "notes", "--json")


@pytest.fixture
def judged(tmp_path: Path) -> Generator[tuple[TinyProject, ScriptedModel]]:
    """A project that has not run yet, and a server that agrees to everything."""
    with open_scripted_model(agree) as server:
        yield build_judged_project(tmp_path / "project", base_url=server.base_url), server


def test_a_rejected_answer_is_mended_or_exported_as_rejected(
    first_run: tuple[TinyProject, CliRun],
):
    """The judge's reason reaches the next attempt; what stays rejected is exported with its reason and no output."""
    project, done = first_run
    assert done.exit_code == 1
    assert done.batch["outcomes"] == {"accepted": 4, "rejected": 2}
    # Six drafts, six further ones; two of these are word for word the first, and their verdict is on record.
    assert done.calls_sent == 6 + 6 + 6 + 4
    for row in project.read_export():
        is_rejected = row["topic"] == "doors"
        assert row["status"] == ("rejected" if is_rejected else "accepted")
        assert row["summary"] == ("" if is_rejected else "FINAL")
        assert row["error"] == (TOO_VAGUE if is_rejected else "")
        assert row["judge.reason"] == ("" if is_rejected else "All is said.")
        assert row["judge.verdict"] == ("" if is_rejected else "true")
        assert row["attempts"] == "2"


def test_no_export_holds_a_rejected_output(first_run: tuple[TinyProject, CliRun]):
    """Whatever the format, what the judge rejected is in none of the files, and every row is."""
    project, _ = first_run
    folder = project.root / "data" / "exports" / "notes"
    assert {path.suffix for path in folder.iterdir()} == {".csv", ".psv", ".tsv", ".jsonl"}
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "DRAFT" not in text
        assert text.count("FINAL") == 4
        assert text.count("rejected") == 2


def test_the_report_says_what_the_judge_did(first_run: tuple[TinyProject, CliRun]):
    """Verdicts, rejections and the judge's model stand in the report, and a verdict beside each sample."""
    project, _ = first_run
    report = project.read("data/reports/notes/may.md")
    for line in (
        "| Model | `judge` |",
        "| Verdicts | 10 |",
        "| of these rejections | 6 |",
        "| Items accepted after a rejection | 4 |",
        "| Items rejected for good | 2 |",
        f"Cause: {TOO_VAGUE}",
    ):
        assert line in report
    assert report.count("The judge said:") == 3


def test_a_second_run_begins_a_new_round_for_rejected_items(
    first_run: tuple[TinyProject, CliRun], tmp_path: Path
):
    """Accepted items send nothing; a rejected one is asked again, and not judged twice for the same words."""
    project = first_run[0].copy(tmp_path / "project")
    done = project.run("run", "notes", "--json")
    assert done.batch["outcomes"] == {"accepted": 4, "rejected": 2}
    assert done.calls_sent == 4


def test_a_judge_that_takes_no_key_stops_the_run(judged: tuple[TinyProject, ScriptedModel]):
    """What dooms every verdict ends the run with one sentence that names the judge's endpoint and the remedy."""
    project, model = judged
    with open_scripted_model(lambda _: 401) as bench:
        add_own_endpoint(project, bench.base_url)
        stopped = project.run("run", "notes")
    assert_told_plainly(stopped, exit_code=3, names=["'bench'", "Check the key"])
    assert (model.count("writer"), bench.count("judge")) == (1, 1)


def test_a_mistake_about_the_judge_is_told_plainly(judged: tuple[TinyProject, ScriptedModel]):
    """A judge's prompt that cannot work is a mistake in a file, told before the model that answers is asked."""
    project, model = judged
    project.edit(JUDGE, "{{ output_json }}", "{{ ouput }}")
    told = project.run("run", "notes")
    assert_told_plainly(told, exit_code=2, names=[JUDGE, "ouput", "Did you mean 'output'?"])
    assert model.asked == []


@pytest.mark.slow
def test_a_process_killed_between_answer_and_verdict_repeats_no_answer(
    judged: tuple[TinyProject, ScriptedModel],
):
    """Killed while the judge thinks, the next run asks the judge about the answer that is there."""
    project, model = judged
    is_judging, may_go_on = Event(), Event()

    def think(asked: Asked):
        if asked.model == "judge":
            is_judging.set()
            may_go_on.wait(timeout=30)
        return agree(asked)

    model.script = think
    process = project.start("run", "notes")
    assert is_judging.wait(timeout=60)
    process.kill()
    process.communicate()
    may_go_on.set()
    assert (model.count("writer"), model.count("judge")) == (1, 1)
    done = project.run_json("notes")
    assert done.batch["outcomes"] == {"accepted": 6}
    assert (model.count("writer"), model.count("judge")) == (6, 7)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """A copy of the example tasks."""
    root = tmp_path_factory.mktemp("examples")
    for folder in ("configs", "prompts", "data/samples"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    return TinyProject(root)


RUBRIC = ("skill_score", "level_score", "clarity_score", "evidence_score")
EXAMPLES: dict[str, tuple[list[int], set[str]]] = {
    "ticket_triage": ([88], {"judge.reason"}),
    "course_feedback": ([7], set()),
    "interview_questions": (
        [36, 28],
        {"judge.reason", "judge.verdict", "judge.total", *(f"judge.{name}" for name in RUBRIC)},
    ),
}
"""The calls of each batch, and the columns that the judge adds."""


@pytest.mark.slow
@pytest.mark.parametrize("task", EXAMPLES)
def test_the_examples_are_judged_and_run_again_for_nothing(examples: TinyProject, task: str):
    """An example's judge costs a verdict for each answer and accepts all of them, and a second run sends 0 calls."""
    calls, columns = EXAMPLES[task]
    first = examples.run_json(task).record["batches"]
    assert [batch["calls_sent"] for batch in first] == calls
    assert all(batch["outcomes"] == {"accepted": batch["items"]} for batch in first)
    second = examples.run_json(task).record["batches"]
    assert [batch["calls_sent"] for batch in second] == [0] * len(calls)
    for batch in first:
        rows = examples.read_export(batch["batch"], task)
        assert {name for name in rows[0] if name.startswith("judge.")} == columns
        report = examples.read(f"data/reports/{task}/{batch['batch']}.md")
        assert ("## Judge" in report) is bool(columns)
        if "judge.total" in columns:
            totals = [sum(int(row[f"judge.{name}"]) for name in RUBRIC) for row in rows]
            assert [int(row["judge.total"]) for row in rows] == totals
