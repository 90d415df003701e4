import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.group_contexts import GroupContexts
from llm_assets.core.run_choice import RunChoice
from llm_assets.core.run_summary import RunSummary
from llm_assets.errors import ConfigError, StorageError
from llm_assets.gateways.artifacts import load_model
from llm_assets.gateways.steps_run import build_items, find_run_record
from llm_assets_tests.fakes import RecordingObserver
from llm_assets_tests.gateways.stages import MAY, build_project_files, prepare

GROUPED = {
    "context:\n": "grouping:\n  mode: row_output_with_group_context\n  column: topic\ncontext:\n"
}


@pytest.fixture
def project(tmp_path):
    """A tiny project that has not run yet."""
    return build_project_files(tmp_path / "project")


def count_calls(project):
    with closing(sqlite3.connect(project.ledger_path)) as connection:
        return connection.execute("select count(*) from calls").fetchone()[0]


def test_a_batch_gets_an_output_for_every_item(project):
    """Outputs come in item order, each valid under the schema, and say what they were made with."""
    stages = prepare(project)
    generation = stages.generate()
    assert [o.work_id for o in generation.outputs.records] == [
        item.work_id for item in stages.items.records
    ]
    assert {output.outcome for output in generation.outputs.records} == {"accepted"}
    meta = generation.outputs.meta
    assert (meta.endpoint, meta.model, meta.is_rehearsal) == ("offline", "extractive", True)
    assert meta.prompt_path == "prompts/notes.yaml"
    assert meta.schema_sha256 == fingerprint_text(stages.schema_text.text)
    assert (meta.structured_output, meta.parameters) == ("json_schema", {"temperature": 0.0})
    assert (meta.totals.n_items, meta.totals.n_calls) == (6, 6)


def test_a_second_run_gives_equal_outputs_and_another_account(project):
    """The outputs do not tell how often the batch was run; the account beside them does."""
    stages = prepare(project)
    first = stages.generate()
    path = find_run_record(stages.task, project, MAY)
    assert path.name == "may.run.json"
    assert load_model(path, RunSummary, shown=path.name).calls_sent == 6
    second = stages.generate()
    assert second.outputs == first.outputs
    account = load_model(path, RunSummary, shown=path.name)
    assert (account.calls_sent, account.calls_reused) == (0, 6)
    assert account == second.summary
    assert count_calls(project) == 6


def test_another_project_makes_the_same_outputs(project, tmp_path):
    """Nothing of a machine or a moment is in the outputs: another folder and another ledger give equal values."""
    other = prepare(build_project_files(tmp_path / "elsewhere"))
    assert prepare(project).generate().outputs == other.generate().outputs


def test_an_items_group_reaches_the_model(tmp_path):
    """In the group modes the prompt holds the text of the item's own group."""
    project = build_project_files(tmp_path, GROUPED)
    prompt = tmp_path / "prompts" / "notes.yaml"
    prompt.write_text("user: '{{ group_key }}: {{ group_context }} -- {{ text }}'\n")
    prepare(project).generate()
    with closing(sqlite3.connect(project.ledger_path)) as connection:
        texts = [text for (text,) in connection.execute("select text from parts")]
    shared = [text for text in texts if "hums and the belt" in text and "Belt replaced" in text]
    assert len(shared) == 1


def test_contexts_of_another_moment_are_told(tmp_path):
    """Items whose groups are not among the stored contexts are a sentence, not a crash."""
    stages = prepare(build_project_files(tmp_path, GROUPED))
    assert all(item.group_context for item in build_items(stages.items, stages.contexts))
    meta = stages.contexts.meta
    fewer = GroupContexts(meta=meta, records=stages.contexts.records[1:])
    with pytest.raises(StorageError, match="`group_contexts` and `work_items` again"):
        build_items(stages.items, fewer)


def test_a_schema_that_changed_meanwhile_is_told(project):
    """What the prompt says and what validates must be the same; nothing is sent otherwise."""
    stages = prepare(project)
    path = stages.task.schema_path
    path.write_text(path.read_text().replace("le=10", "le=20"))
    with pytest.raises(StorageError, match=r"configs/schemas/notes\.py changed after") as caught:
        stages.generate()
    assert caught.value.remedy.startswith("Materialize `notes/schema`")
    assert not project.ledger_path.exists()


def test_a_missing_key_is_told_before_anything_is_sent(tmp_path):
    """An endpoint without its key stops the stage at once."""
    project = build_project_files(tmp_path, {"endpoint: offline": "endpoint: openai"})
    stages = prepare(project)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        stages.generate()
    assert not project.ledger_path.exists()


def test_a_prompt_that_names_nothing_there_is_told_before_anything_is_sent(project):
    """A misspelt column in the prompt is found before the first call."""
    stages = prepare(project)
    path = stages.task.steps[0].prompt_path
    path.write_text(path.read_text().replace("row_block", "txet"))
    with pytest.raises(ConfigError, match=r"'prompts/notes\.yaml' uses .*txet"):
        stages.generate()
    assert not project.ledger_path.exists()


def test_a_limit_and_an_observer_reach_the_run(project):
    """What a person chose for this run holds, and who watches is told the plan."""
    observer = RecordingObserver()
    generation = prepare(project).generate(RunChoice(limit=2, is_forced=False), observer=observer)
    outcomes = [output.outcome for output in generation.outputs.records]
    assert outcomes == ["accepted"] * 2 + ["skipped"] * 4
    assert observer.plans[0].n_left_out == 4


def test_a_ledger_url_of_the_environment_is_used(project, tmp_path):
    """Projects that name the same ledger share their answers."""
    url = f"sqlite:///{tmp_path}/shared/ledger.sqlite"
    shared = replace(project, environ={"LLM_ASSETS_LEDGER_URL": url})
    assert prepare(shared).generate().summary.calls_sent == 6
    other = build_project_files(tmp_path / "other")
    other = replace(other, environ={"LLM_ASSETS_LEDGER_URL": url})
    assert prepare(other).generate().summary.calls_sent == 0


def test_the_account_is_plain_json(project):
    """Any tool can read what a run did."""
    stages = prepare(project)
    stages.generate()
    record = json.loads(find_run_record(stages.task, project, MAY).read_bytes())
    assert (record["n_items"], record["calls_sent"], record["cost_usd"]) == (6, 6, "0")
