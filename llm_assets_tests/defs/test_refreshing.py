from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.core.task_status import TaskStatus
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.defs.task_status import read_task_status
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project


@dataclass(frozen=True, slots=True)
class Shop:
    """A project and its history."""

    tiny: TinyProject
    history: dg.DagsterInstance

    def refresh(self) -> dg.ExecuteInProcessResult:
        """Run the job as the UI or a schedule does."""
        project = Project(root=self.tiny.root, environ={})
        definitions = build_definitions(project, [load_task(project, "notes")], observers=())
        job = definitions.resolve_job_def("notes_refresh")
        return job.execute_in_process(instance=self.history, raise_on_error=False)

    def read_status(self) -> TaskStatus:
        project = Project(root=self.tiny.root, environ={})
        scope = build_scope(project, load_task(project, "notes"), observers=())
        return read_task_status(scope, self.history, build_task_graph(scope))

    def count_runs(self, job: str) -> int:
        return self.history.get_runs_count(dg.RunsFilter(job_name=job))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A project with two batches that has not run yet."""
    tiny = build_project(tmp_path)
    tiny.write_table("data/notes/june.csv", NOTES[:2])
    with dg.DagsterInstance.ephemeral() as history:
        yield Shop(tiny, history)


def test_the_job_brings_everything_up_to_date(shop: Shop):
    """From nothing to fresh in one run, each batch with runs of its own; again, it makes nothing."""
    assert shop.refresh().success
    assert shop.read_status().is_fresh
    assert (shop.count_runs("notes_schema"), shop.count_runs("notes_batch")) == (1, 2)
    assert shop.refresh().success
    assert (shop.count_runs("notes_schema"), shop.count_runs("notes_batch")) == (1, 2)


def test_the_log_says_what_was_due_and_what_was_made(shop: Shop):
    """Each batch with its reasons and its stages; where nothing is due, the log says so."""

    def read_log() -> list[str]:
        run_id = shop.refresh().run_id
        return [entry.user_message for entry in shop.history.all_logs(run_id)]

    first, second = read_log(), read_log()
    assert "Made what batches share: schema, schema_text." in first
    for batch in ("june", "may"):
        assert [line[: len(batch) + 9] for line in first if line.startswith(batch)] == [
            f"{batch}: missing",
            f"{batch}: made in",
        ]
    nothing = "No batch has anything that is stale, missing or failed."
    assert (nothing in first, nothing in second) == (False, True)


def test_a_change_is_followed_where_it_leads_and_no_further(shop: Shop):
    """Only what the change touches is made again; answers that come out the same end it there."""
    shop.refresh()
    shop.tiny.edit("prompts/notes.yaml", "You sort", "You file")
    assert shop.refresh().success
    assert shop.read_status().is_fresh
    outputs, exports = (
        shop.history.fetch_materializations(dg.AssetKey(["notes", stage]), limit=9).records
        for stage in ("llm_outputs", "export")
    )
    assert (len(outputs), len(exports)) == (4, 2)


def test_a_batch_that_stops_is_named_and_keeps_no_other_one_waiting(shop: Shop):
    """The job fails with the sentence of what stopped, after it has made all the others."""
    shop.tiny.write("data/notes/april.csv", "id,topic,text,internal\n1,2,3,4,5\n")
    ended = shop.refresh()
    assert not ended.success
    (failure,) = ended.get_step_failure_events()
    user_failure = failure.step_failure_data.user_failure_data
    assert user_failure is not None
    assert (user_failure.description or "").startswith("april: data/notes/april.csv, line 2")
    states = {batch.batch: batch.state for batch in shop.read_status().batches}
    assert states == {"april": "failed", "june": "fresh", "may": "fresh"}


def test_a_lost_endpoint_is_not_tried_with_every_batch(shop: Shop):
    """As on the command line, the batches after the one that met it would meet it as well."""
    shop.tiny.edit("configs/notes.yaml", "model: extractive", "model: extractiv")
    (failure,) = shop.refresh().get_step_failure_events()
    assert "extractiv" in str(failure.step_failure_data.user_failure_data)
    assert shop.count_runs("notes_batch") == 1
