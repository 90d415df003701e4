import pytest

from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, assert_told_plainly

STAGES = ["input_snapshot", "group_contexts", "work_items", "llm_outputs", "export", "report"]


def test_json_tells_every_batch_and_its_stages(finished: TinyProject):
    """`status --json` lists batches that have run and ones that have not, with stages and outcomes."""
    finished.write_table("data/notes/june.csv", NOTES[:2])
    run = finished.run("status", "notes", "--json")
    assert run.exit_code == 0
    assert run.record == {
        "task": "notes",
        "batches": [
            {
                "batch": "june",
                "stages_run": [],
                "stages_missing": STAGES,
                "items": 0,
                "outcomes": {},
            },
            {
                "batch": "may",
                "stages_run": STAGES,
                "stages_missing": [],
                "items": 6,
                "outcomes": {"accepted": 6},
            },
        ],
    }


def test_the_table_names_batches_and_counts(finished: TinyProject):
    """Without `--json` a person sees a table."""
    run = finished.run("status", "notes")
    assert run.exit_code == 0
    for words in ("notes", "may", "6 accepted"):
        assert words in run.stdout


def test_a_project_that_never_ran_has_a_status(project: TinyProject):
    """Before the first run every batch is there with nothing done."""
    run = project.run("status", "notes", "--json")
    assert [batch["items"] for batch in run.record["batches"]] == [0]


@pytest.mark.parametrize("args", [(), ("nots",)])
def test_a_wrong_command_is_told_plainly(project: TinyProject, args: tuple[str, ...]):
    """Status needs a task that there is."""
    assert_told_plainly(project.run("status", *args), exit_code=2, names=())


def test_a_damaged_account_of_a_run_is_told_plainly(finished: TinyProject):
    """A run record that is cut off names the file."""
    finished.write("data/artifacts/notes/llm_outputs/may.run.json", '{"n_items": 6')
    run = finished.run("status", "notes")
    assert_told_plainly(run, exit_code=2, names=("may.run.json",))
