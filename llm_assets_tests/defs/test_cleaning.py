from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.core.ids import BatchKey
from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.cleaning import TaskCleaner, build_task_cleaner
from llm_assets.defs.project_definitions import build_definitions, build_scope
from llm_assets.defs.runs import TaskRunner
from llm_assets.errors import StorageError
from llm_assets.gateways.batches import list_batches
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import build_project

MAY = BatchKey("may")
KEEP_FRESH = "automation:\n  keep_fresh: true\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    tiny = build_project(tmp_path)
    tiny.write("configs/notes.yaml", tiny.read("configs/notes.yaml") + KEEP_FRESH)
    return Project(root=tmp_path, environ={})


@pytest.fixture
def cleaner(project: Project) -> Iterator[TaskCleaner]:
    """A task that keeps itself fresh, its one batch made."""
    task = load_task(project, "notes")
    with dg.DagsterInstance.ephemeral() as history:
        scope = build_scope(project, task, observers=())
        runner = TaskRunner(scope, history, process="test")
        runner.register(list_batches(task, project))
        assert runner.ensure_schema().problem is None
        assert runner.run_batch(MAY, RunChoice(limit=None, is_forced=False)).problem is None
        yield build_task_cleaner(scope, history)


def test_nothing_starts_by_itself_because_values_were_put_away(cleaner: TaskCleaner):
    """Where a task keeps itself fresh, what was put away on purpose is not made again behind one's back."""
    scope = cleaner.scope
    definitions = build_definitions(scope.project, [scope.task], observers=())
    before = dg.evaluate_automation_conditions(defs=definitions, instance=cleaner.instance)
    cleaner.clean(cleaner.plan("llm_outputs", ["may"]))
    after = dg.evaluate_automation_conditions(
        defs=definitions, instance=cleaner.instance, cursor=before.cursor
    )
    asked = {
        stage
        for stage in ("llm_outputs", "export", "report")
        if after.get_requested_partitions(scope.build_key(stage))
    }
    assert asked == set()


def test_a_run_that_began_since_the_plan_is_left_alone(cleaner: TaskCleaner):
    """A person may look at the plan for long before they say yes; nothing is moved from under a run."""
    cleaning = cleaner.plan("export", ["may"])
    tags = {"dagster/partition": "may"}
    started = dg.DagsterRunStatus.STARTED
    cleaner.instance.add_run(dg.DagsterRun(job_name="notes_batch", status=started, tags=tags))
    with pytest.raises(StorageError, match="the batch may"):
        cleaner.clean(cleaning)
    cleaner.instance.wipe()
    assert cleaner.clean(cleaning)


def test_a_plan_changes_nothing(cleaner: TaskCleaner):
    """Looking at what would go moves no file and tells Dagster nothing."""
    first = cleaner.plan("export", [])
    assert cleaner.plan("export", []) == first
    assert [stage for stage, _ in first.files] == ["report", "export"]
