"""Whether somebody else's pipeline starts when what is published changes, and only then."""

import importlib.util
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from llm_assets_tests.end_to_end.documents_project import TABLE, copy_documents, fill_paper_review
from llm_assets_tests.end_to_end.gated_project import read_routes
from llm_assets_tests.end_to_end.tiny_project import REPOSITORY, TinyProject

pytestmark = pytest.mark.slow

EXAMPLE = Path("examples/downstream")
READING_LIST = dg.AssetKey("reading_list")


@dataclass
class Office:
    """The project with the example in it, and the looks of the sensor that follows it."""

    tiny: TinyProject
    history: dg.DagsterInstance
    defs: dg.Definitions
    cursor: object = None

    def tick(self) -> set[str]:
        """The batches that the list is due for."""
        found = dg.evaluate_automation_conditions(
            defs=self.defs,
            instance=self.history,
            cursor=self.cursor,  # pyright: ignore[reportArgumentType] -- what it gave
        )
        self.cursor = found.cursor
        return {str(key) for key in found.get_requested_partitions(READING_LIST)}

    def make(self, batch: str) -> str:
        """What the daemon does then; the list."""
        job = self.defs.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(
            asset_selection=[READING_LIST], partition_key=batch, instance=self.history
        ).success
        event = self.history.get_latest_materialization_event(READING_LIST)
        assert event is not None
        assert event.asset_materialization is not None
        return str(event.asset_materialization.metadata["list"].value)

    def run(self, *args: str) -> None:
        done = self.tiny.run(*args)
        assert done.exit_code == 0, done.stderr


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """The example beside papers that were read once."""
    tiny = copy_documents(tmp_path)
    shutil.copytree(REPOSITORY / EXAMPLE, tmp_path / EXAMPLE)
    tiny.run_json("documents")
    path = tmp_path / EXAMPLE / "reading_list.py"
    spec = importlib.util.spec_from_file_location("reading_list", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with dg.DagsterInstance.from_config(str(tmp_path / ".dagster")) as history:
        yield Office(tiny, history, module.defs)


def test_a_correction_makes_it_due_and_an_unchanged_run_does_not(office: Office):
    """Nothing new, nothing to do; what a person decided asks for the list once, and so does another batch."""
    dg.Definitions.validate_loadable(office.defs)
    first = office.make("april")
    assert office.tick() == set()

    office.run("run", "documents")
    assert office.tick() == set()

    routes = read_routes(office.tiny, task="documents", batch="april")
    waiting = next(row for row, route in routes.items() if route == "review_queue")
    path = fill_paper_review(office.tiny, {waiting: {"decision": "approve"}})
    office.run("review", "import", "documents", str(path))
    assert office.tick() == {"april"}
    second = office.make("april")
    assert "(person)" not in first
    assert second.count("(person)") == 1
    assert office.tick() == set()

    table = office.tiny.root / TABLE
    shutil.copyfile(table, table.with_name("may.csv"))
    office.run("run", "documents", "--batch", "may")
    assert office.tick() == {"may"}


def test_it_goes_by_versions_alone():
    """The condition of the example is none of those that run after every run."""
    text = (REPOSITORY / EXAMPLE / "reading_list.py").read_text(encoding="utf-8")
    assert "data_version_changed()" in text
    assert not re.search(r"AutomationCondition\.(eager|any_deps_updated|newly_updated)", text)
