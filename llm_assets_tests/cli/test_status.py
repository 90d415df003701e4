import pytest

from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, assert_told_plainly

STAGES = ["input_snapshot", "group_contexts", "work_items", "llm_outputs", "export", "report"]


FRESH = {"state": "fresh", "reasons": []}
MISSING = {"state": "missing", "reasons": []}


def test_json_tells_every_batch_and_its_stages(finished: TinyProject):
    """`status --json` lists batches that have run and ones that have not, with the state of every stage."""
    finished.write_table("data/notes/june.csv", NOTES[:2])
    run = finished.run("status", "notes", "--json")
    assert run.exit_code == 0
    assert run.record["task"] == "notes"
    assert run.record["is_fresh"] is False
    assert run.record["batches"] == [
        {
            "batch": "june",
            "state": "missing",
            "has_file": True,
            "items": 0,
            "outcomes": {},
            "stages": dict.fromkeys(STAGES, MISSING),
        },
        {
            "batch": "may",
            "state": "fresh",
            "has_file": True,
            "items": 6,
            "outcomes": {"accepted": 6},
            "stages": dict.fromkeys(STAGES, FRESH),
        },
    ]


def test_what_is_stale_is_told_with_its_reason(finished: TinyProject):
    """A changed prompt makes the outputs stale and what comes after them doubtful; nothing is sent to know it."""
    finished.edit("prompts/notes.yaml", "You sort", "You file")
    told = finished.run("status", "notes").stdout
    assert "llm_outputs stale (the prompt changed); export, report may change" in told
    assert "`llm-assets run notes --stale`" in told
    (batch,) = finished.run("status", "notes", "--json").record["batches"]
    reasons = [{"kind": "settings", "subject": "prompt"}]
    assert batch["stages"]["llm_outputs"] == {"state": "stale", "reasons": reasons}


def test_a_refresh_makes_what_is_stale_and_then_there_is_nothing_to_do(finished: TinyProject):
    """`run --stale` makes the stages that changed, tells which, and a second one makes none."""
    finished.edit("configs/notes.yaml", "samples: 3", "samples: 2")
    done = finished.run("run", "notes", "--stale", "--json")
    assert done.exit_code == 0
    assert done.record["batches"] == [{"batch": "may", "made": ["report"], "failed_checks": []}]
    assert finished.run("run", "notes", "--stale", "--json").record["batches"] == []
    assert "There is nothing to do." in finished.run("status", "notes").stdout


def test_a_failed_batch_is_told_and_refreshed_alone(finished: TinyProject):
    """A batch that stopped is failed with its sentence until it is mended; the others are left as they are."""
    finished.write("data/notes/june.csv", "id,topic,text,internal\n1,2,3,4,5\n")
    assert finished.run("run", "notes").exit_code == 2
    told = finished.run("status", "notes").stdout
    assert "june: failed" in told
    assert "june.csv" in told
    assert "may: fresh" in told
    finished.write_table("data/notes/june.csv", NOTES[:2])
    done = finished.run("run", "notes", "--stale", "--json")
    assert [batch["batch"] for batch in done.record["batches"]] == ["june"]
    assert finished.run("status", "notes", "--json").record["is_fresh"] is True


def test_a_refresh_takes_no_choice_of_items(finished: TinyProject):
    """What is stale is not chosen by hand."""
    run = finished.run("run", "notes", "--stale", "--limit", "1")
    assert_told_plainly(run, exit_code=2, names=("--limit",))


def test_a_batch_whose_file_is_gone_is_still_told(finished: TinyProject):
    """Its results stay and say so; there is nothing to bring up to date."""
    (finished.root / "data/notes/may.csv").unlink()
    status = finished.run("status", "notes", "--json").record
    assert [batch["has_file"] for batch in status["batches"]] == [False]
    assert status["is_fresh"] is True


def test_values_that_somebody_deleted_are_missing(finished: TinyProject):
    """The files count, whatever the history says of them; what is missing comes back without a call."""
    (finished.root / "data/artifacts/notes/llm_outputs/may.jsonl").unlink()
    (batch,) = finished.run("status", "notes", "--json").record["batches"]
    assert batch["stages"]["llm_outputs"] == MISSING
    done = finished.run("run", "notes", "--stale", "--json")
    assert (done.batch["made"], done.batch["calls_sent"]) == (["llm_outputs"], 0)


def test_the_table_names_batches_and_counts(finished: TinyProject):
    """Without `--json` a person sees a line for each batch, and what there is to do."""
    run = finished.run("status", "notes")
    assert run.exit_code == 0
    for words in ("may", "6 accepted"):
        assert words in run.stdout


def test_a_project_that_never_ran_has_a_status(project: TinyProject):
    """Before the first run every batch is there with nothing done."""
    run = project.run("status", "notes", "--json")
    assert [batch["items"] for batch in run.record["batches"]] == [0]


@pytest.mark.parametrize("args", [(), ("nots",)])
def test_a_wrong_command_is_told_plainly(project: TinyProject, args: tuple[str, ...]):
    """Status needs a task that there is."""
    assert_told_plainly(project.run("status", *args), exit_code=2, names=())
