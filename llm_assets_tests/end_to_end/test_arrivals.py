"""What becomes of a file that is dropped into a task's folder while the UI is open."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from time import monotonic

import dagster as dg
import pytest

from llm_assets_tests.end_to_end.dagster_ui import LOCATION, Ui, open_ui
from llm_assets_tests.end_to_end.test_dagster import read_metadata
from llm_assets_tests.end_to_end.tiny_project import TinyProject

pytestmark = pytest.mark.slow

CONFIG = "configs/notes.yaml"
JUNE = "data/notes/june.csv"
ROWS = (
    ("1", "roof", "Rain came through the skylight.", "a"),
    ("2", "roof", "The skylight was sealed and is fine now.", "b"),
    ("3", "tools", "Somebody took the good chisel.", "c"),
)
CHANGED_ROWS = (*ROWS[:2], ("3", "tools", "The good chisel is back.", "c"))
MOST_SECONDS = 120
"""Two busy cores took 24: up to 13 until a file is looked at that was left alone for a while, 5 in the queue, the run."""
SENSOR = """query($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor {
  sensorState { status ticks(limit: 1) { tickId } } } } }"""


class History:
    """What is on record of batches."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def is_known(self, batch: str) -> bool:
        """Whether the file has become a batch and its version is told."""
        partitions = self._instance.get_dynamic_partitions("notes_batches")
        return batch in partitions and bool(self.list_versions(batch))

    def list_runs(self, batch: str) -> Sequence[dg.RunRecord]:
        """The batch's runs, the latest first."""
        wanted = dg.RunsFilter(job_name="notes_batch", tags={"dagster/partition": batch})
        return self._instance.get_run_records(wanted)

    def list_versions(self, batch: str) -> Mapping[int, str]:
        """The versions of the batch's file that were told, by their numbers in the history, the latest first."""
        records = self._instance.fetch_observations(_select("input_file", batch), limit=20).records
        observed = {record.storage_id: record.asset_observation for record in records}
        return {
            number: (event.tags or {})["dagster/data_version"]
            for number, event in observed.items()
            if event
        }

    def read_version_used(self, batch: str) -> str:
        """The version that was told when the batch's file was last read."""
        wanted = _select("input_snapshot", batch)
        (made,) = self._instance.fetch_materializations(wanted, limit=1).records
        assert made.asset_materialization
        tags = made.asset_materialization.tags or {}
        return self.list_versions(batch)[int(tags["dagster/input_event_pointer/notes/input_file"])]


@pytest.fixture
def history(finished: TinyProject) -> Iterator[History]:
    with dg.DagsterInstance.from_config(str(finished.root / ".dagster")) as instance:
        yield History(instance)


def wait_for_run(ui: Ui, history: History, *, number: int) -> float:
    """The seconds until so many runs were asked for and the last of them has ended well."""
    begin = monotonic()
    ui.wait_until(lambda: len(history.list_runs("june")) == number)
    ui.wait_until(lambda: history.list_runs("june")[0].dagster_run.is_finished)
    assert history.list_runs("june")[0].dagster_run.is_success
    return monotonic() - begin


def read_sensor(ui: Ui, name: str) -> tuple[str, bool]:
    """How a sensor stands, and whether it has looked already."""
    selector = {
        "repositoryLocationName": LOCATION,
        "repositoryName": "__repository__",
        "sensorName": name,
    }
    state = ui.ask(SENSOR, selector=selector)["sensorOrError"]["sensorState"]
    return state["status"], bool(state["ticks"])


def test_a_file_runs_when_it_arrives_and_whenever_it_changes(
    finished: TinyProject, history: History
):
    """A file that was dropped is run soon, its version told first; again once changed; and put back, without a call."""
    finished.write(CONFIG, f"{finished.read(CONFIG)}automation: {{run_new_files: true}}\n")
    with open_ui(finished) as ui:
        ui.wait_until(lambda: read_sensor(ui, "notes_run_new_files") == ("RUNNING", True))
        for number, (rows, n_calls) in enumerate(((ROWS, 3), (CHANGED_ROWS, 1), (ROWS, 0)), 1):
            path = finished.write_table(JUNE, rows)
            assert wait_for_run(ui, history, number=number) < MOST_SECONDS
            assert history.read_version_used("june") == sha256(path.read_bytes()).hexdigest()
            assert read_metadata(finished, "llm_outputs", "june")["calls_sent"] == n_calls
        assert [row["text"] for row in finished.read_export("june")] == [row[2] for row in ROWS]
        assert len(history.list_runs("may")) == 1  # from before


def test_a_file_is_only_made_known_where_nothing_is_switched_on(
    finished: TinyProject, history: History
):
    """As a task comes, a file becomes a batch whose version is told, and no run of it begins."""
    with open_ui(finished) as ui:
        finished.write_table(JUNE, ROWS)
        ui.wait_until(lambda: history.is_known("june"))
        # Once the next file is known, too, whatever looks at files has seen the first one.
        finished.write_table("data/notes/july.csv", ROWS)
        ui.wait_until(lambda: history.is_known("july"))
        assert read_sensor(ui, "notes_watch_files")[0] == "RUNNING"
        assert read_sensor(ui, "notes_run_new_files") == ("STOPPED", False)
        assert not history.list_runs("june")
    assert not (finished.root / "data/exports/notes/june.csv").exists()


def _select(stage: str, batch: str) -> dg.AssetRecordsFilter:
    return dg.AssetRecordsFilter(asset_key=dg.AssetKey(["notes", stage]), asset_partitions=[batch])
