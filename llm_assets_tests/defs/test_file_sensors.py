import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.file_sensors import build_file_sensors
from llm_assets.defs.jobs import build_jobs
from llm_assets.defs.project_definitions import build_scope
from llm_assets.defs.registering import read_observed
from llm_assets.defs.runs import TaskRunner
from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject, build_project
from llm_assets_tests.fakes import NOON, FakeClock

WATCH, RUN = 0, 1
MAY = BatchKey("may")
LONG_AGO_SECONDS = NOON.timestamp() - 3600


@dataclass
class Inbox:
    """A project whose files were all written long ago, and the sensors' looks at it."""

    tiny: TinyProject
    history: dg.DagsterInstance
    cursors: dict[int, str | None] = field(default_factory=dict[int, str | None])
    n_put: int = 0

    def build_scope(self) -> TaskScope:
        project = Project(root=self.tiny.root, environ={})
        scope = build_scope(project, load_task(project, "notes"), observers=())
        return replace(scope, clock=FakeClock())

    def look(self, which: int) -> dg.SensorResult | dg.SkipReason:
        """One tick of a sensor, its requests carried out as the daemon would, but for the runs."""
        scope = self.build_scope()
        graph = build_task_graph(scope)
        sensor = build_file_sensors(scope, graph, build_jobs(scope, graph))[which]
        context = dg.build_sensor_context(instance=self.history, cursor=self.cursors.get(which))
        found = sensor(context)
        if not isinstance(found, dg.SensorResult):
            assert isinstance(found, dg.SkipReason)
            return found
        for request in found.dynamic_partitions_requests or ():
            names = list(request.partition_keys)
            self.history.add_dynamic_partitions(request.partitions_def_name, names)
        for event in found.asset_events:
            assert isinstance(event, dg.AssetObservation)
            self.history.report_runless_asset_event(event)
        self.cursors[which] = found.cursor
        return found

    def list_requests(self) -> list[tuple[str | None, str | None]]:
        """The jobs and batches that the running sensor asks for now."""
        found = self.look(RUN)
        assert isinstance(found, dg.SensorResult)
        return [(request.job_name, request.partition_key) for request in found.run_requests or ()]

    def run_by_hand(self, *batches: str) -> None:
        scope = self.build_scope()
        runner = TaskRunner(scope, self.history, process="test")
        runner.register(list_batches(scope.task, scope.project))
        assert runner.ensure_schema().problem is None
        for batch in batches:
            choice = RunChoice(limit=None, is_forced=False)
            assert runner.run_batch(BatchKey(batch), choice).problem is None

    def put(self, name: str, n_rows: int, *, age_seconds: float = 3600) -> None:
        path = self.tiny.write_table(f"data/notes/{name}.csv", NOTES[:n_rows])
        self.n_put += 1
        moment = NOON.timestamp() - age_seconds + self.n_put / 1000
        os.utime(path, (moment, moment))

    def list_known(self) -> set[str]:
        return set(self.history.get_dynamic_partitions("notes_batches"))


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    """A project that has not run yet, with one batch."""
    with dg.DagsterInstance.ephemeral() as history:
        found = Inbox(build_project(tmp_path), history)
        found.put("may", 3)
        yield found


def test_watching_makes_files_known_and_runs_nothing(inbox: Inbox):
    """A new file becomes a batch and its content the version of its input, without a run; once is enough."""
    found = inbox.look(WATCH)
    assert isinstance(found, dg.SensorResult)
    assert not found.run_requests
    assert inbox.list_known() == {"may"}
    assert set(read_observed(inbox.build_scope(), inbox.history, [MAY])) == {MAY}
    again = inbox.look(WATCH)
    assert isinstance(again, dg.SensorResult)
    assert (again.asset_events, again.dynamic_partitions_requests) == ([], [])


def test_a_look_that_runs_nothing_says_why_and_remembers(inbox: Inbox):
    """The list of looks says what was noted in words of ours, and the cursor is kept all the same."""

    def read_words() -> str | None:
        found = inbox.look(WATCH)
        assert isinstance(found, dg.SensorResult)
        assert MAY in (found.cursor or "")
        return found.skip_reason and found.skip_reason.skip_message

    assert read_words() == "Made known as batches: may. Nothing is run."
    assert read_words() == "No new or changed file."
    inbox.put("may", 4)
    assert read_words() == "Noted what changed in files. Nothing is run."


def test_a_new_file_runs_after_what_it_needs(inbox: Inbox):
    """The schema comes first and alone; once it is there the batch is asked for, and only once."""
    assert inbox.list_requests() == [("notes_schema", None)]
    inbox.run_by_hand()
    assert inbox.list_requests() == [("notes_batch", "may")]
    assert inbox.list_requests() == []


def test_the_schema_is_asked_for_again_where_settings_came_back(inbox: Inbox):
    """What one content was already asked for does not keep a later one waiting for a schema that was changed back."""

    def edit(old: str, new: str) -> str | None:
        inbox.tiny.edit("configs/schemas/notes.py", old, new)
        found = inbox.look(RUN)
        assert isinstance(found, dg.SensorResult)
        (request,) = list(found.run_requests or [])
        assert request.job_name == "notes_schema"
        return request.run_key

    old, new = "class LLMOutput", "# mood and score\nclass LLMOutput"
    first = edit(old, new)
    assert edit(new, new) == first
    inbox.run_by_hand()
    assert inbox.list_requests() == [("notes_batch", "may")]
    inbox.put("june", 2)
    second = edit(new, old)
    inbox.run_by_hand()
    assert edit(old, new) not in (first, second)


def test_a_changed_file_runs_again_and_so_does_one_put_back(inbox: Inbox):
    """Each new content is a run of its own, also where it is an earlier one; a touched file is none."""
    inbox.run_by_hand("may")
    assert inbox.list_requests() == []  # it was run by hand
    keys: set[str | None] = set()
    for n_rows in (4, 3, 4):
        inbox.put("may", n_rows)
        found = inbox.look(RUN)
        assert isinstance(found, dg.SensorResult)
        (request,) = list(found.run_requests or [])
        keys.add(request.run_key)
        inbox.run_by_hand("may")
    assert len(keys) == 3
    inbox.put("may", 4, age_seconds=60)
    assert inbox.list_requests() == []


def test_a_file_that_is_being_replaced_runs_once(inbox: Inbox):
    """In the moment in which it is empty and has its old time nothing is asked for; then its new content is."""
    inbox.run_by_hand("may")
    assert inbox.list_requests() == []
    path = inbox.tiny.root / "data/notes/may.csv"
    moment = path.stat().st_mtime
    path.write_text("", encoding="utf-8")
    os.utime(path, (moment, moment))
    assert inbox.list_requests() == []
    inbox.put("may", 4)
    assert inbox.list_requests() == [("notes_batch", "may")]
    assert inbox.list_requests() == []


def test_a_file_put_back_with_its_old_time_runs_at_the_second_look(inbox: Inbox):
    """A time that went back says nothing, so the file is read once it looked the same twice."""
    inbox.run_by_hand("may")
    assert inbox.list_requests() == []
    inbox.put("may", 4, age_seconds=7200)
    assert inbox.list_requests() == []
    assert inbox.list_requests() == [("notes_batch", "may")]


def test_a_file_that_may_still_grow_waits(inbox: Inbox):
    """A file that was written to just now is left for a later look."""
    inbox.run_by_hand("may")
    inbox.put("june", 2, age_seconds=1)
    assert inbox.list_requests() == []
    assert "june" not in inbox.list_known()
    inbox.put("june", 2, age_seconds=10)
    assert inbox.list_requests() == [("notes_batch", "june")]
    assert "june" in inbox.list_known()


def test_a_batch_whose_run_failed_waits_for_its_file_to_change(inbox: Inbox):
    """What was asked for is not asked for again, however its run ended."""
    inbox.run_by_hand()
    inbox.tiny.write("data/notes/may.csv", "id,topic\n1,2,3\n")
    os.utime(inbox.tiny.root / "data/notes/may.csv", (LONG_AGO_SECONDS, LONG_AGO_SECONDS))
    assert inbox.list_requests() == [("notes_batch", "may")]
    assert inbox.list_requests() == []
    inbox.put("may", 5)
    assert inbox.list_requests() == [("notes_batch", "may")]


def test_a_file_that_cannot_be_a_batch_is_told_plainly(inbox: Inbox):
    """The look is passed over with the sentence that `llm-assets run` would say."""
    inbox.put("bad name", 1)
    found = inbox.look(WATCH)
    assert isinstance(found, dg.SkipReason)
    assert "cannot name a batch" in (found.skip_message or "")


def test_nothing_that_may_cost_money_starts_by_itself(inbox: Inbox):
    """Only watching is on; running new files, keeping fresh and the schedule are switched on in the config."""

    def read_states() -> dict[str, bool]:
        definitions = build_definitions_of(inbox)
        running = dg.DefaultSensorStatus.RUNNING
        return {s.name: s.default_status == running for s in definitions.sensors or ()} | {
            s.name: s.default_status == dg.DefaultScheduleStatus.RUNNING
            for s in definitions.schedules or ()
            if isinstance(s, dg.ScheduleDefinition)
        }

    assert read_states() == {
        "notes_watch_files": True,
        "notes_run_new_files": False,
        "notes_keep_fresh": False,
    }
    config = inbox.tiny.read("configs/notes.yaml")
    block = 'automation: {run_new_files: true, keep_fresh: true, schedule: "0 6 * * *"}\n'
    inbox.tiny.write("configs/notes.yaml", block + config)
    assert all(read_states().values())
    assert "notes_schedule" in read_states()


def build_definitions_of(inbox: Inbox) -> dg.Definitions:
    from llm_assets.defs.task_definitions import build_task_definitions

    return build_task_definitions(inbox.build_scope())
