"""Whether workbooks that people put into a folder are taken in once, wholly or not at all, and what then runs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg
import pytest

from llm_assets.config.overrides import parse_assignment
from llm_assets.core.ids import BatchKey
from llm_assets.defs.jobs import build_jobs
from llm_assets.defs.project_definitions import build_scope
from llm_assets.defs.review_sensor import build_review_sensor
from llm_assets.defs.runs import TaskRunner
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.gateways.ledger.corrections import load_corrections
from llm_assets.gateways.tasks import load_task, override_task
from llm_assets_tests.defs.reviewed_shop import MAY, ReviewedShop
from llm_assets_tests.end_to_end.gated_project import ROUTES, Edits, fill_review, read_routes
from llm_assets_tests.fakes import NOON, FakeClock

pytestmark = pytest.mark.slow

FREE_STAGES = {"corrections", "gate", "review_queue", "published", "report"}
"""What shows people's decisions and sends nothing."""
APPROVE_3: Edits = {"3": {"decision": "approve"}}


@dataclass
class Desk:
    """The folder for filled workbooks, and the sensor's looks at it."""

    shop: ReviewedShop
    cursor: str | None = None
    skip_words: str | None = None
    """What the last look said that starts no run."""
    run_keys: set[str | None] = field(default_factory=set[str | None])

    @property
    def folder(self) -> Path:
        return self.shop.tiny.root / "data" / "reviews" / "notes"

    def put(
        self, name: str, edits: Edits, *, age_seconds: float = 3600, batch: str = "may"
    ) -> None:
        path = fill_review(self.shop.tiny, edits, to=f"data/reviews/notes/{name}", batch=batch)
        self.set_age(path, age_seconds)

    def set_age(self, path: Path, age_seconds: float) -> None:
        moment = NOON.timestamp() - age_seconds
        os.utime(path, (moment, moment))

    def look(self, *sets: str, is_killed: bool = False) -> list[dg.RunRequest]:
        """One tick of the sensor; what Dagster runs then, which is a key only once. Of a killed one it knows nothing."""
        task = load_task(self.shop.project, "notes")
        task = override_task(task, self.shop.project, [parse_assignment(text) for text in sets])
        scope = replace(build_scope(self.shop.project, task, observers=()), clock=FakeClock())
        graph = build_task_graph(scope)
        sensor = build_review_sensor(scope, graph, build_jobs(scope, graph))
        found = sensor(dg.build_sensor_context(instance=self.shop.history, cursor=self.cursor))
        assert isinstance(found, dg.SensorResult)
        self.skip_words = found.skip_reason and found.skip_reason.skip_message
        if is_killed:
            return []
        self.cursor = found.cursor
        new = [each for each in found.run_requests or () if each.run_key not in self.run_keys]
        self.run_keys.update(each.run_key for each in new)
        return new

    def carry_out(self, requests: Sequence[dg.RunRequest]) -> None:
        """What the daemon does with them."""
        for request in requests:
            job = self.shop.build().resolve_job_def(str(request.job_name))
            assert job.execute_in_process(
                partition_key=request.partition_key,
                asset_selection=request.asset_selection,
                instance=self.shop.history,
            ).success

    def count_observed(self) -> int:
        """How often it was told since the project's first run that people had decided something."""
        key = dg.AssetKey(["notes", "review_files"])
        return len(self.shop.history.fetch_observations(key, limit=99).records) - 1

    def count_corrections(self) -> int:
        project = self.shop.project
        return len(load_corrections(project.ledger_url, load_task(project, "notes").name))


@pytest.fixture
def desk(shop: ReviewedShop) -> Desk:
    """An empty folder beside a project whose batches have run."""
    return Desk(shop)


def list_stages(request: dg.RunRequest) -> set[str]:
    return {key.path[-1] for key in request.asset_selection or ()}


def test_a_filled_workbook_is_taken_in_and_published(desk: Desk):
    """It starts a run of its batch, over the stages that show decisions and no other one; the model is not asked."""
    assert desk.look() == []
    assert desk.skip_words == "No new or changed workbook."
    desk.put("may.xlsx", APPROVE_3)
    (request,) = desk.look()
    assert desk.skip_words is None
    assert (request.job_name, request.partition_key) == ("notes_batch", "may")
    assert list_stages(request) == FREE_STAGES
    assert desk.count_observed() == 1
    desk.carry_out([request])
    assert read_routes(desk.shop.tiny) == {**ROUTES, "3": "published"}
    assert desk.shop.count_asked() == 0
    assert desk.shop.list_stale() == {}
    assert desk.look() == []


def test_a_look_that_was_killed_is_made_up_for(desk: Desk):
    """What it had kept, and could tell nobody of, is published by the next look, and by that one alone."""
    desk.put("may.xlsx", APPROVE_3)
    desk.look(is_killed=True)
    assert desk.count_corrections() == 1
    (request,) = desk.look()
    desk.carry_out([request])
    assert read_routes(desk.shop.tiny)["3"] == "published"
    assert desk.count_observed() == 1
    desk.cursor = None
    desk.run_keys.clear()
    assert desk.look() == []


def test_what_a_check_holds_back_is_not_published_by_a_review(desk: Desk):
    """People's decisions on a batch whose outputs did not pass wait like everything else that is made of these."""
    shop = desk.shop
    rules = "checks:\n  failed_items: {max_share: 0, severity: error, blocking: true}\n"
    shop.tiny.write("configs/notes.yaml", shop.tiny.read("configs/notes.yaml") + rules)
    shop.run_blocked()
    desk.put("may.xlsx", APPROVE_3)
    (request,) = desk.look()
    assert list_stages(request) == {"corrections"}
    end = shop.open_runner().apply_review(MAY)
    assert (end.stages, end.exit_code) == (("corrections",), 1)
    assert "hold back gate, published, report, review_queue. llm_outputs: failed_items:" in str(
        end.problem
    )
    assert read_routes(shop.tiny) == ROUTES


def test_vectors_are_left_to_those_who_pay(desk: Desk):
    """Where published records are embedded, which sends calls, a workbook does not start that."""
    desk.put("may.xlsx", APPROVE_3)
    (request,) = desk.look("embed.fields=[output.summary]")
    assert list_stages(request) == FREE_STAGES


def test_the_same_file_twice_adds_nothing(desk: Desk):
    """Neither under another name, nor put there again, nor touched."""
    desk.put("may.xlsx", APPROVE_3)
    assert len(desk.look()) == 1
    copy = desk.folder / "may (2).xlsx"
    copy.write_bytes((desk.folder / "may.xlsx").read_bytes())
    desk.set_age(copy, 60)
    desk.set_age(desk.folder / "may.xlsx", 30)
    assert desk.look() == []
    (desk.folder / "may.xlsx").unlink()
    assert desk.look() == []
    copy.rename(desk.folder / "may.xlsx")
    assert desk.look() == []
    assert desk.count_corrections() == 1
    assert desk.count_observed() == 1


def test_a_file_with_mistakes_waits_until_it_is_mended(desk: Desk):
    """Nothing of it counts, a note beside it says what is wrong and where, and goes once the file is mended."""
    note = desk.folder / "may.problems.txt"
    desk.put("may.xlsx", {**APPROVE_3, "6": {"decision": "edit", "mood": "sad"}})
    assert desk.look() == []
    assert desk.skip_words == "Looked at may.xlsx. Nothing is run."
    assert desk.count_corrections() == 0
    said = note.read_text(encoding="utf-8")
    assert "data/reviews/notes/may.xlsx has 1 problem" in said
    assert "sheet 'review', row 4, column H (mood)" in said
    assert desk.look() == []
    assert read_routes(desk.shop.tiny) == ROUTES

    desk.put("may.xlsx", {**APPROVE_3, "6": {"decision": "edit", "mood": "good"}}, age_seconds=60)
    (request,) = desk.look()
    assert request.partition_key == "may"
    assert desk.count_corrections() == 2
    assert not note.exists()


def test_a_bad_file_keeps_no_good_one_out(desk: Desk):
    """Each workbook is looked at for itself; two of a batch are one run."""
    desk.folder.mkdir(parents=True)
    (desk.folder / "broken.xlsx").write_bytes(b"not a workbook")
    desk.set_age(desk.folder / "broken.xlsx", 60)
    desk.put("june.xlsx", {"8": {"decision": "reject"}}, batch="june")
    desk.put("may.xlsx", APPROVE_3)
    desk.put("may again.xlsx", {"6": {"decision": "reject"}})
    assert [request.partition_key for request in desk.look()] == ["june", "may"]
    assert "no readable workbook" in (desk.folder / "broken.problems.txt").read_text()
    assert desk.count_corrections() == 3


def test_trouble_with_one_file_does_not_lose_another(desk: Desk):
    """What was taken in is published although the note of another one cannot be written; that one is tried again."""
    desk.put("may.xlsx", APPROVE_3)
    broken = desk.folder / "broken.xlsx"
    broken.write_bytes(b"not a workbook")
    desk.set_age(broken, 60)
    note = desk.folder / "broken.problems.txt"
    note.mkdir()
    assert [request.partition_key for request in desk.look()] == ["may"]
    note.rmdir()
    assert desk.look() == []
    assert "no readable workbook" in note.read_text()


def test_what_is_being_written_waits(desk: Desk):
    """A file that was written to just now, and what a spreadsheet program puts beside an open one, is left alone."""
    desk.put("may.xlsx", APPROVE_3, age_seconds=1)
    (desk.folder / "~$may.xlsx").write_bytes(b"Ana")
    desk.set_age(desk.folder / "~$may.xlsx", 60)
    assert desk.look() == []
    assert {path.name for path in desk.folder.iterdir()} == {"may.xlsx", "~$may.xlsx"}
    desk.set_age(desk.folder / "may.xlsx", 10)
    assert len(desk.look()) == 1


def test_a_batch_that_the_history_does_not_know_waits_for_its_run(desk: Desk):
    """Its decisions are kept, nothing is asked for that Dagster would refuse, and its next run shows them."""
    shop, june = desk.shop, BatchKey("june")
    shop.history.delete_dynamic_partition("notes_batches", june)
    desk.put("june.xlsx", {"8": {"decision": "approve"}}, batch=june)
    assert desk.look() == []
    assert desk.count_corrections() == 1
    runner = TaskRunner(shop.build_scope(), shop.history, process="test")
    end = runner.apply_review(june)
    assert end.problem == "the history of notes has no batch june."
    shop.refresh(june)
    assert read_routes(shop.tiny, batch=june)["8"] == "published"
