"""A judge at work in the real graph, counted by the server that is asked."""

import shutil
from collections.abc import Generator
from pathlib import Path
from threading import Event

import pytest

from llm_assets_tests.end_to_end.scripted_model import (
    COMPLETION_TOKENS,
    PROMPT_TOKENS,
    Asked,
    ScriptedModel,
    open_scripted_model,
)
from llm_assets_tests.end_to_end.tiny_project import (
    REPOSITORY,
    CliRun,
    TinyProject,
    assert_told_plainly,
    build_project,
)

CONFIG, SCHEMA, JUDGE = "configs/notes.yaml", "configs/schemas/notes.py", "prompts/judge.yaml"
JUDGE_BLOCK = """\
judge:
  prompt: prompts/judge.yaml
  llm:
    model: judge
attempts:
"""
JUDGE_PROMPT = """\
system: |
  You check sorted notes. {{ llm_schema }}
user: |
  <note>
  {{ row_block }}
  </note>
  {{ output_json }}
"""
JUDGE_MODEL = '''

class JudgeResult(BaseModel):
    """Whether a note is sorted well."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    verdict: bool
'''
TOO_VAGUE = "Say what is broken."


def work(asked: Asked) -> dict[str, object]:
    """A model that drafts, and mends its draft when told, but for notes on doors; a judge that rejects drafts."""
    if asked.model != "writer":
        is_good = "DRAFT" not in asked.texts[-1]
        return {"reason": "All is said." if is_good else TOO_VAGUE, "verdict": is_good}
    was_told = TOO_VAGUE in asked.texts[-1] and "doors" not in asked.question
    return {"summary": "FINAL" if was_told else "DRAFT", "mood": "good", "score": 1}


def agree(asked: Asked) -> dict[str, object] | str:
    """A model that is right at once, and a judge that says so."""
    if asked.model == "writer":
        return {"summary": "FINAL", "mood": "good", "score": 1}
    return {"reason": "All is said.", "verdict": True}


@pytest.fixture
def model() -> Generator[ScriptedModel]:
    """The model that answers and the judge, at one server."""
    with open_scripted_model(agree) as server:
        yield server


@pytest.fixture
def judged(tmp_path: Path, model: ScriptedModel) -> TinyProject:
    """A project with a judge that has a model of its own at the task's endpoint."""
    project = build_project(tmp_path / "project", base_url=model.base_url, model="writer")
    project.edit(CONFIG, "attempts:\n  ", f"{JUDGE_BLOCK}  ")
    project.edit(CONFIG, "formats: [csv, jsonl]", "formats: [csv, psv, tsv, jsonl]")
    project.edit(CONFIG, "backoff_seconds: 0.01", "backoff_seconds: 0.01\n  fault_retries: 1")
    project.write(JUDGE, JUDGE_PROMPT)
    project.write(SCHEMA, project.read(SCHEMA) + JUDGE_MODEL)
    return project


def run(project: TinyProject) -> CliRun:
    """Run the batch, however it ends."""
    return project.run("run", "notes", "--json")


def run_and_count(project: TinyProject, model: ScriptedModel) -> tuple[CliRun, int, int]:
    """Run the batch; beside what it said, the calls to the model that answers and to all others."""
    model.asked.clear()
    done = run(project)
    n_written = model.count("writer")
    assert done.calls_sent == len(model.asked)
    return done, n_written, len(model.asked) - n_written


def read_exports(project: TinyProject) -> str:
    """All exports in one text."""
    folder = project.root / "data" / "exports" / "notes"
    assert {path.suffix for path in folder.iterdir()} == {".csv", ".psv", ".tsv", ".jsonl"}
    return "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())


def test_a_rejected_answer_is_mended_or_exported_as_rejected(
    judged: TinyProject, model: ScriptedModel
):
    """The judge's reason reaches the next attempt; what stays rejected has no output in any export, but its reason."""
    model.script = work
    done, n_written, n_judged = run_and_count(judged, model)
    assert done.exit_code == 1
    assert done.batch["outcomes"] == {"accepted": 4, "rejected": 2}
    # Two notes were drafted twice in the same words: their second verdict is on record.
    assert (n_written, n_judged) == (12, 10)
    rows = judged.read_export()
    assert [row["status"] for row in rows].count("rejected") == 2
    for row in rows:
        is_rejected = row["topic"] == "doors"
        assert row["status"] == ("rejected" if is_rejected else "accepted")
        assert row["summary"] == ("" if is_rejected else "FINAL")
        assert row["error"] == (TOO_VAGUE if is_rejected else "")
        assert row["judge.reason"] == ("" if is_rejected else "All is said.")
        assert row["judge.verdict"] == ("" if is_rejected else "true")
        assert row["attempts"] == "2"
    assert "DRAFT" not in read_exports(judged)


def test_the_report_says_what_the_judge_did(judged: TinyProject, model: ScriptedModel):
    """Verdicts, rejections and the judge's model stand in the report, and a verdict beside each sample."""
    model.script = work
    run(judged)
    report = judged.read("data/reports/notes/may.md")
    assert "| Model | `judge` |" in report
    assert "| Verdicts | 10 |" in report
    assert "| of these rejections | 6 |" in report
    assert "| Items accepted after a rejection | 4 |" in report
    assert "| Items rejected for good | 2 |" in report
    assert report.count("The judge said:") == 3


def test_a_second_run_begins_a_new_round_for_rejected_items(
    judged: TinyProject, model: ScriptedModel
):
    """Accepted items send nothing; a rejected one is asked again, and not judged twice for the same words."""
    model.script = work
    run(judged)
    done, n_written, n_judged = run_and_count(judged, model)
    assert (n_written, n_judged) == (4, 0)
    assert done.batch["outcomes"] == {"accepted": 4, "rejected": 2}
    judged.edit(CONFIG, "attempts: 3", "attempts: 3\n  retry_failed: false")
    assert run_and_count(judged, model)[1:] == (0, 0)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (JUDGE, "You check", "You are strict and check"),
        (CONFIG, "model: judge", "model: another_judge"),
        (CONFIG, "model: judge", "model: judge\n    temperature: 0.5"),
        (SCHEMA, "    reason: str\n", '    reason: str = Field(description="Why.")\n'),
    ],
)
def test_a_changed_judge_is_asked_and_nobody_else(
    judged: TinyProject, model: ScriptedModel, path: str, old: str, new: str
):
    """Another prompt, model, parameter or class of the judge costs one verdict an item; taken back, it costs nothing."""
    assert run_and_count(judged, model)[1:] == (6, 6)
    judged.edit(path, old, new)
    assert run_and_count(judged, model)[1:] == (0, 6)
    judged.edit(path, new, old)
    assert run_and_count(judged, model)[1:] == (0, 0)


def test_what_no_verdict_depends_on_costs_nothing(judged: TinyProject, model: ScriptedModel):
    """More retries change no call that was made, and adding a judge later asks the judge alone."""
    judged.edit(CONFIG, JUDGE_BLOCK, "attempts:\n")
    assert run_and_count(judged, model)[1:] == (6, 0)
    judged.edit(CONFIG, "attempts:\n", JUDGE_BLOCK)
    assert run_and_count(judged, model)[1:] == (0, 6)
    judged.edit(CONFIG, "prompts/judge.yaml\n", "prompts/judge.yaml\n  retries: 4\n")
    assert run_and_count(judged, model)[1:] == (0, 0)


def test_a_judge_that_gives_no_verdict_rejects_nothing(judged: TinyProject, model: ScriptedModel):
    """Without a valid verdict items fail by the judge's name, keep their answers, and next time only it is asked."""

    def mumble(asked: Asked):
        return agree(asked) if asked.model == "writer" else "I rather like it."

    model.script = mumble
    done, n_written, n_judged = run_and_count(judged, model)
    assert (done.exit_code, done.batch["outcomes"]) == (1, {"failed": 6})
    assert (n_written, n_judged) == (6, 12)
    rows = judged.read_export()
    assert all(row["error"].startswith("The judge gave no verdict: ") for row in rows)
    assert "FINAL" not in read_exports(judged)
    model.script = agree
    done, n_written, n_judged = run_and_count(judged, model)
    assert (n_written, n_judged) == (0, 6)
    assert done.batch["outcomes"] == {"accepted": 6}


def add_own_endpoint(project: TinyProject, base_url: str) -> None:
    """Give the judge an endpoint of its own, with a key and a price."""
    endpoint = f"""\
  bench:
    base_url: {base_url}
    api_key_env: BENCH_KEY
    price: {{input_usd: 1000, output_usd: 0}}
"""
    project.write("configs/endpoints.yaml", project.read("configs/endpoints.yaml") + endpoint)
    project.edit(CONFIG, "    model: judge\n", "    endpoint: bench\n    model: judge\n")
    project.edit(
        CONFIG, "  model: writer\n", "  model: writer\n  price: {input_usd: 0, output_usd: 100}\n"
    )
    project.write(".env", "BENCH_KEY=sk-bench\n")


def test_a_judge_of_its_own_has_its_own_address_key_and_price(
    judged: TinyProject, model: ScriptedModel
):
    """Each is asked at its own server with its own key, and the cost is the sum of both prices."""
    with open_scripted_model(agree) as bench:
        add_own_endpoint(judged, bench.base_url)
        done = run(judged)
    assert done.batch["outcomes"] == {"accepted": 6}
    assert {asked.model for asked in model.asked} == {"writer"}
    assert [(asked.model, asked.key) for asked in bench.asked] == [("judge", "Bearer sk-bench")] * 6
    assert not any("sk-bench" in asked.key for asked in model.asked)
    cost = 6 * (PROMPT_TOKENS * 1000 + COMPLETION_TOKENS * 100) / 1_000_000
    assert done.batch["cost_usd"] == pytest.approx(cost)
    assert done.batch["cost_is_known"]
    rows = judged.read_export()
    assert sum(float(row["cost_usd"]) for row in rows) == pytest.approx(cost)


def test_an_unreachable_judge_fails_items_and_keeps_their_answers(
    judged: TinyProject, model: ScriptedModel
):
    """Where nobody listens the items fail by the judge's name; once somebody does, only the judge is asked."""
    with open_scripted_model(agree) as bench:
        add_own_endpoint(judged, bench.base_url)
    done = run(judged)
    assert (done.exit_code, done.batch["outcomes"]) == (1, {"failed": 6})
    assert all(
        row["error"].startswith("The judge did not answer: ") for row in judged.read_export()
    )
    with open_scripted_model(agree) as again:
        judged.edit("configs/endpoints.yaml", bench.base_url, again.base_url)
        done = run(judged)
        assert again.count("judge") == 6
    assert done.batch["outcomes"] == {"accepted": 6}
    assert model.count("writer") == 6


def test_a_judge_that_accepts_no_key_stops_the_run(judged: TinyProject, model: ScriptedModel):
    """What dooms every verdict ends the run with its name; every answer until then is kept and used."""
    with open_scripted_model(lambda _: 401) as bench:
        add_own_endpoint(judged, bench.base_url)
        assert_told_plainly(
            judged.run("run", "notes"), exit_code=3, names=["'bench'", "Check the key"]
        )
        bench.script = agree
        done = run(judged)
    assert done.batch["outcomes"] == {"accepted": 6}
    assert model.count("writer") == 6


@pytest.mark.parametrize(
    ("path", "old", "new", "names"),
    [
        (SCHEMA, "class JudgeResult", "class Verdict", [SCHEMA, "'JudgeResult'"]),
        (SCHEMA, "verdict: bool", "rating: bool", ["'JudgeResult'", "'verdict'"]),
        (SCHEMA, "verdict: bool", "verdict: str", ["'JudgeResult'", "'verdict'"]),
        (SCHEMA, "    reason: str\n", "", ["'JudgeResult'", "'reason'"]),
        (JUDGE, "{{ output_json }}", "{{ ouput }}", [JUDGE, "ouput", "Did you mean 'output'?"]),
        (JUDGE, "{{ row_block }}", "{{ internal }}", [JUDGE, "internal"]),
        (JUDGE, "{{ output_json }}", "{{ output_json", [JUDGE]),
        (CONFIG, "prompts/judge.yaml", "prompts/jugde.yaml", ["prompts/jugde.yaml"]),
        (CONFIG, "    model: judge", "    endpoint: offlien", [f"{CONFIG}:", "offlien", "offline"]),
        (CONFIG, "    model: judge", "    modell: judge", [f"{CONFIG}:", "modell", "'model'"]),
    ],
)
def test_a_mistake_about_the_judge_is_told_before_the_first_call(
    judged: TinyProject, model: ScriptedModel, path: str, old: str, new: str, names: list[str]
):
    """A judge that cannot work is a mistake in a file: one plain message, and no call, not even to the model."""
    judged.edit(path, old, new)
    assert_told_plainly(judged.run("run", "notes"), exit_code=2, names=names)
    assert model.asked == []


@pytest.mark.slow
def test_a_process_killed_between_answer_and_verdict_repeats_no_answer(
    judged: TinyProject, model: ScriptedModel
):
    """Killed while the judge thinks, the next run asks the judge about the answer that is there."""
    is_judging, may_go_on = Event(), Event()

    def think(asked: Asked):
        if asked.model == "judge":
            is_judging.set()
            may_go_on.wait(timeout=30)
        return agree(asked)

    model.script = think
    judged.edit(CONFIG, "max_in_flight: 4", "max_in_flight: 1")
    process = judged.start("run", "notes")
    assert is_judging.wait(timeout=60)
    process.kill()
    process.communicate()
    may_go_on.set()
    assert (model.count("writer"), model.count("judge")) == (1, 1)
    done = run(judged)
    assert done.batch["outcomes"] == {"accepted": 6}
    assert (model.count("writer"), model.count("judge")) == (6, 7)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """A copy of the example tasks."""
    root = tmp_path_factory.mktemp("examples")
    for folder in ("configs", "prompts", "data/samples"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    return TinyProject(root)


@pytest.mark.parametrize(
    ("task", "calls", "columns"),
    [
        ("ticket_triage", [88], {"judge.reason"}),
        ("course_feedback", [7], set[str]()),
        (
            "interview_questions",
            [36, 28],
            {"judge.skill_score", "judge.total", "judge.verdict", "judge.reason"},
        ),
    ],
)
def test_the_examples_are_judged_and_run_again_for_nothing(
    examples: TinyProject, task: str, calls: list[int], columns: set[str]
):
    """Each answer of the two examples with a judge costs a verdict, all are accepted, and a second run sends 0 calls."""
    first = examples.run_json(task).record["batches"]
    assert [batch["calls_sent"] for batch in first] == calls
    assert all(batch["outcomes"] == {"accepted": batch["items"]} for batch in first)
    second = examples.run_json(task).record["batches"]
    assert [batch["calls_sent"] for batch in second] == [0] * len(calls)
    for batch in first:
        header = set(examples.read_export(batch["batch"], task)[0])
        assert {name for name in header if name.startswith("judge.")} >= columns
        report = examples.read(f"data/reports/{task}/{batch['batch']}.md")
        assert ("## Judge" in report) is bool(columns)


def test_the_rubric_of_an_example_adds_up(examples: TinyProject):
    """The total of a rubric is the sum of its criteria, worked out by the schema module and not by a model."""
    examples.run_json("interview_questions")
    rows = examples.read_export("operations", "interview_questions")
    scores = ("skill_score", "level_score", "clarity_score", "evidence_score")
    for row in rows:
        assert int(row["judge.total"]) == sum(int(row[f"judge.{name}"]) for name in scores)
