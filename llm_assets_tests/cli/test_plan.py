import io
import json

import pytest
from rich.console import Console

from llm_assets.cli.plan_views import build_plan_table, print_plans
from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.plan import Plan
from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets_tests.core.plans import build_plan_of
from llm_assets_tests.end_to_end.tiny_project import (
    CONFIG,
    NOTES,
    PROMPT,
    SCHEMA,
    TinyProject,
    assert_told_plainly,
)

NOTES_TASK, MAY = TaskName("notes"), BatchKey("may")


def read_files(project: TinyProject) -> dict[str, bytes]:
    """Every file below the project, the ledger and Dagster's history among them."""
    files = (path for path in project.root.rglob("*") if path.is_file())
    return {path.relative_to(project.root).as_posix(): path.read_bytes() for path in files}


def load_messages(project: TinyProject, call_key) -> list[dict[str, str]]:
    with open_ledger(f"sqlite:///{project.root / 'data' / 'ledger.sqlite'}") as ledger:
        messages = ledger.load_messages(call_key)
    return [{"role": message.role, "content": message.content} for message in messages]


def test_json_has_the_promised_shape(finished: TinyProject):
    """`plan --json` prints one object with the task and, for each batch, counts, reasons, calls, tokens and cost."""
    finished.write_table("data/notes/may.csv", [("7", "roof", "Rain comes in.", "g"), *NOTES])
    run = finished.run("plan", "notes", "--json")
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.record["task"] == "notes"
    assert {name: run.batch[name] for name in ("batch", "items", "answered", "to_run")} == {
        "batch": "may",
        "items": 7,
        "answered": 6,
        "to_run": 1,
    }
    assert run.batch["reasons"] == {"new": 1}
    assert (run.batch["left_out"], run.batch["calls_to_send"]) == (0, 1)
    assert run.batch["calls_by_purpose"] == {"generate": 1, "judge": 0}
    for tokens in run.batch["tokens"].values():
        assert 0 < tokens["low"] <= tokens["likely"] <= tokens["high"]
    assert run.batch["cost_usd"] == {"low": "0", "likely": "0", "high": "0"}
    assert (run.batch["lengths_are_guessed"], run.batch["tokens_are_approximate"]) == (False, True)


def test_a_plan_is_a_line_for_each_batch(finished: TinyProject):
    """Where nobody watches, every batch is a line on standard output."""
    finished.write_table("data/notes/june.csv", [("7", "roof", "Rain comes in.", "g"), NOTES[0]])
    run = finished.run("plan", "notes")
    first, second = run.stdout.splitlines()
    assert first.startswith("notes / june: 2 items: 1 answered already, 1 to run (1 new) in 1 call")
    assert second == "notes / may: 6 items: 6 answered already, 0 to run"


@pytest.mark.parametrize(
    "args", [("--json",), (), ("--force",), ("--prompt", "3"), ("--force", "--prompt", "1")]
)
def test_a_plan_changes_nothing(finished: TinyProject, args: tuple[str, ...]):
    """Not a byte of the project changes, neither in the ledger nor in Dagster's history."""
    finished.edit("prompts/notes.yaml", "workshop", "repair shop")
    before = read_files(finished)
    assert finished.run("plan", "notes", *args).exit_code == 0
    assert read_files(finished) == before


def test_a_plan_of_a_project_that_never_ran_makes_nothing(project: TinyProject):
    """Before the first run there is no ledger and no history, and a plan makes neither."""
    before = read_files(project)
    assert project.run("plan", "notes", "--json").batch["reasons"] == {"new": 6}
    assert read_files(project) == before


def test_a_table_and_a_task_from_elsewhere(project: TinyProject, tmp_path):
    """`--config` and `--input` plan what lies anywhere, and the table is not remembered."""
    elsewhere = TinyProject(tmp_path / "elsewhere")
    elsewhere.write("minutes.yaml", "prompt: prompt.yaml\nschema:\n  module: schema.py\n")
    elsewhere.write("prompt.yaml", PROMPT)
    elsewhere.write("schema.py", SCHEMA)
    table = elsewhere.write_table("tables/june.csv", NOTES[:2])
    before = read_files(project)
    run = project.run(
        "plan", "--config", str(elsewhere.root / "minutes.yaml"), "--input", str(table), "--json"
    )
    assert (run.record["task"], run.batch["batch"], run.batch["to_run"]) == ("minutes", "june", 2)
    assert read_files(project) == before
    assert project.run("plan", "notes", "--json").batch["batch"] == "may"


@pytest.mark.parametrize("args", [(), ("--force",)])
def test_a_prompt_is_shown_as_it_is_sent(project: TinyProject, args: tuple[str, ...]):
    """What `--prompt` shows of a row is to the letter what the ledger has on record after the run."""
    project.write_table(
        "data/notes/may.csv",
        [("1", "lathe", 'Braces {{ text }} {% if %}, "quotes", ümläuts 🎉 [red]b[/red]', "a")],
    )
    shown = project.run("plan", "notes", *args, "--prompt", "1", "--json").record
    assert shown["is_due"]
    assert project.run_json("notes", *args).calls_sent == 1
    messages = [{key: turn[key] for key in ("role", "content")} for turn in shown["messages"]]
    assert load_messages(project, shown["call_key"]) == messages
    assert [turn["tokens"] for turn in shown["messages"]] == [
        count_tokens_approximately(turn["content"]) for turn in messages
    ]
    after = project.run("plan", "notes", "--prompt", "1", "--json").record
    assert (after["is_due"], after["messages"]) == (False, shown["messages"])


def test_a_prompt_is_shown_to_people(finished: TinyProject):
    """Every message stands below its role and its tokens, unchanged, and the item is named."""
    record = finished.run("plan", "notes", "--prompt", "5", "--json").record
    run = finished.run("plan", "notes", "--batch", "may", "--prompt", record["work_id"])
    assert f"notes / may, work item {record['work_id']}" in run.stdout
    for turn in record["messages"]:
        head = f"--- {turn['role']} (about {turn['tokens']} tokens) ---"
        assert f"{head}\n{turn['content']}\n" in run.stdout
    total = sum(turn["tokens"] for turn in record["messages"])
    assert f"about {total} tokens for extractive" in run.stdout


def test_a_row_is_one_of_a_batch(finished: TinyProject):
    """Where there are several batches, the row's one has to be named."""
    finished.write_table("data/notes/june.csv", NOTES[:2])
    assert "--batch" in finished.run("plan", "notes", "--prompt", "1").stderr
    assert finished.run("plan", "notes", "--batch", "june", "--prompt", "1").exit_code == 0


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("nots",), ["'nots'", "Did you mean 'notes'?"]),
        (("notes", "--batch", "mai"), ["'mai'", "Did you mean 'may'?"]),
        (("notes", "--input", "gone.csv"), ["gone.csv", "does not exist"]),
        (("notes", "--prompt", "99"), ["'99'", "from 1 to 6"]),
    ],
)
def test_a_wrong_command_is_told_plainly(project: TinyProject, args: tuple[str, ...], names):
    """What is not there is named in a sentence."""
    assert_told_plainly(project.run("plan", *args), exit_code=2, names=names)


def test_a_mistake_that_a_run_would_meet_is_told(project: TinyProject):
    """A prompt that names no column stops the plan as it would stop the run."""
    project.edit("prompts/notes.yaml", "{{ row_block }}", "{{ textt }}")
    assert_told_plainly(project.run("plan", "notes"), exit_code=2, names=["textt", "Did you mean"])


def test_a_budget_that_cannot_be_kept_is_told(project: TinyProject):
    """A cap that needs a longest answer is checked before a run, and so before its plan is believed."""
    project.write(
        "configs/notes.yaml", project.read("configs/notes.yaml") + "budget:\n  per_run_usd: 1\n"
    )
    assert CONFIG.startswith("prompt:")
    assert_told_plainly(project.run("plan", "notes"), exit_code=2, names=["max_output_tokens"])


def render(plans: list[tuple[BatchKey, Plan]]) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(build_plan_table(NOTES_TASK, plans))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_table_for_people_names_reasons_and_bounds():
    """On a terminal a batch is a row with its reasons below one another, its calls, and its cost with bounds."""
    plan = build_plan_of({"new": 3, "settings_changed": 2}, n_left_out=1, n_following=5)
    hooked = build_plan_of(n_without_call=2)
    text = render([(MAY, plan), (BatchKey("june"), build_plan_of()), (BatchKey("july"), hooked)])
    for words in (
        "3 new",
        "2 model or parameters changed",
        "(1 beyond the limit)",
        "45 (39 answered)",
        "5 calls or more and 5 verdicts",
        "$0.02 ($0.01 to $0.05)",
        "all answered",
        "45 (43 answered, 2 need no call)",
        "nothing to ask",
    ):
        assert words in text


def test_what_a_plan_rests_on_is_said_below_the_table(capsys: pytest.CaptureFixture[str]):
    """Guesses and approximate counts are marked once, and an unknown price is no number."""
    plan = build_plan_of({"new": 1}, cost=None, is_guess=True, is_approximate=True)
    print_plans(NOTES_TASK, [(MAY, plan), (MAY, plan)], is_terminal=True)
    text = capsys.readouterr().out
    assert text.count("answer lengths guessed, tokens counted approximately") == 1
    assert "unknown" in text
    assert "$" not in text


def test_json_is_one_object(project: TinyProject):
    """Standard output of `--json` is nothing but the object, also for a row."""
    for args in ((), ("--prompt", "1")):
        assert isinstance(json.loads(project.run("plan", "notes", "--json", *args).stdout), dict)


def test_a_prompt_out_of_order_is_warned_about_once(project: TinyProject):
    """A plan and the log of a run tell what in a prompt keeps providers from caching it, and scripts see it, too."""
    project.edit("prompts/notes.yaml", "</note>", "</note>\n  " + "Be exact. " * 150)
    planned = project.run("plan", "notes")
    assert planned.stderr.count("warning: Prompt 'prompts/notes.yaml' has 1,") == 1
    (told,) = project.run("plan", "notes", "--json").batch["warnings"]
    assert "characters that never change after `row_block`" in told
    assert project.run("run", "notes").stderr.count(told) == 1
    assert told not in project.run("run", "notes").stderr


def test_an_unknown_name_in_an_example_turn_sends_nothing(project: TinyProject):
    """A slip in one of several messages is told by file, place and columns before the first call."""
    project.write(
        "prompts/notes.yaml",
        "messages:\n"
        "- {role: system, content: '{{ llm_schema }}'}\n"
        "- {role: user, content: 'The lathe hums.'}\n"
        "- {role: assistant, content: '{}'}\n"
        "- {role: user, content: 'Note: {{ txt }}'}\n",
    )
    for command in ("plan", "run"):
        run = project.run(command, "notes")
        names = ("'prompts/notes.yaml' uses {{ txt }} (line 1) in `messages[3]`", "topic, text")
        assert_told_plainly(run, exit_code=2, names=names)
    assert project.run("spend").stdout == "No calls are on record.\n"


def test_an_older_prompt_runs_as_it_stands(project: TinyProject):
    """With `syntax: braces`, a prompt of `{name}` and doubled braces asks the same as one in Jinja."""
    jinja = project.run("plan", "notes", "--prompt", "1", "--json").record["messages"]
    text = PROMPT.replace("{{ ", "{").replace(" }}", "}")
    project.write("prompts/notes.yaml", f"syntax: braces\n{text}")
    assert project.run("plan", "notes", "--prompt", "1", "--json").record["messages"] == jinja
    assert project.run_json("notes").batch["outcomes"] == {"accepted": 6}
