"""Which calls pictures cost, what of them arrives, and what of them is kept."""

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llm_assets.core.plan import Plan
from llm_assets.core.run_choice import RunChoice
from llm_assets.errors import ConfigError
from llm_assets.gateways.artifacts import fingerprint_records
from llm_assets.gateways.batches import find_batch
from llm_assets.gateways.foresight import NextCall, open_foresight
from llm_assets.gateways.generation import Generation
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.judged_project import CONFIG
from llm_assets_tests.end_to_end.scripted_model import ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project
from llm_assets_tests.gateways.stages import ALL, Stages, prepare
from llm_assets_tests.pictures import build_gif, build_jpeg, build_png, build_webp, write_picture

TABLE = "data/notes/may.csv"
COLUMNS = ("id", "topic", "scan", "internal")
ENDPOINTS = "configs/endpoints.yaml"
BLOCK = """\
images:
  columns: [scan]
  roots: [scans]
  separator: ";"
llm:
"""
ANSWER: dict[str, Any] = {"summary": "A page.", "mood": "good", "score": 5}
PICTURES = {
    "a.png": build_png(64, 48, shade=1),
    "b.jpg": build_jpeg(800, 600),
    "c.gif": build_gif(),
    "d.webp": build_webp(),
    "large.png": build_png(shade=2) + bytes(range(256)) * 12_000,
}


@dataclass(slots=True)
class Studio:
    """A project whose notes are pictures, and the server that answers."""

    files: TinyProject
    model: ScriptedModel

    @property
    def project(self) -> Project:
        return Project(root=self.files.root, environ={})

    @property
    def stages(self) -> Stages:
        return prepare(self.project)

    def write_table(self, *scans: str) -> None:
        rows = [(str(n), "page", scan, "x") for n, scan in enumerate(scans, start=1)]
        self.files.write_table(TABLE, rows, COLUMNS)

    def generate(self, stages: Stages | None = None, choice: RunChoice = ALL) -> Generation:
        self.model.asked.clear()
        return (stages or self.stages).generate(choice)

    def count_calls(self) -> int:
        """Run the batch; the calls that the server got."""
        summary = self.generate().summary
        assert summary.calls_sent == len(self.model.asked)
        return summary.calls_sent

    def plan(self) -> Plan:
        task = load_task(self.project, "notes")
        with open_foresight(task, self.project) as foresight:
            return foresight.plan_run(find_batch(task, self.project, "may"), ALL)

    def find_next_call(self, row: str) -> NextCall:
        task = load_task(self.project, "notes")
        with open_foresight(task, self.project) as foresight:
            (call,) = foresight.find_next_calls(find_batch(task, self.project, "may"), ALL, row=row)
        assert isinstance(call, NextCall)
        return call

    def query(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.project.ledger_path)) as connection:
            return [row[0] for row in connection.execute(sql)]

    @property
    def scans(self) -> Path:
        return self.files.root / "scans"


@pytest.fixture
def studio(tmp_path: Path) -> Generator[Studio]:
    with open_scripted_model(lambda _: ANSWER) as model:
        files = build_project(tmp_path, base_url=model.base_url, model="writer")
        files.edit(CONFIG, "llm:\n", BLOCK)
        for name, content in PICTURES.items():
            write_picture(files.root / "scans" / name, content)
        made = Studio(files, model)
        made.write_table(*PICTURES)
        yield made


def test_the_bytes_arrive_as_they_lie_in_the_file(studio: Studio):
    """Every picture comes to the server whole, with its kind, behind the text of its own item and no other."""
    records = studio.generate().outputs.records
    assert [record.outcome for record in records] == ["accepted"] * len(PICTURES)
    arrived = sorted(picture for asked in studio.model.asked for picture in asked.pictures)
    kinds = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
    sent = [(kinds[name.split(".")[1]], content) for name, content in PICTURES.items()]
    assert arrived == sorted(sent)
    for asked in studio.model.asked:
        assert [part["type"] for part in asked.parts] == ["text", "image_url"]
        assert asked.question == "<note>\ntopic: page\n</note>\n"
        assert "detail" not in asked.parts[1]["image_url"]


def test_several_pictures_keep_their_order(studio: Studio):
    """A cell may name several; all of them are in one call, in the order of the cell, with the detail asked for."""
    studio.write_table("c.gif; a.png ;b.jpg", "")
    studio.files.edit(CONFIG, "  separator", "  detail: low\n  separator")
    studio.generate()
    with_pictures = next(asked for asked in studio.model.asked if asked.parts)
    names = ("c.gif", "a.png", "b.jpg")
    assert [content for _, content in with_pictures.pictures] == [PICTURES[name] for name in names]
    assert [part["image_url"]["detail"] for part in with_pictures.parts[1:]] == ["low"] * 3
    assert len(studio.model.asked) == 2


def test_changed_bytes_send_exactly_their_calls(studio: Studio):
    """One picture's bytes changed: its row has, and its call alone is sent; taken back, none is."""
    studio.write_table("a.png", "b.jpg", "c.gif", "a.png")
    assert studio.count_calls() == 3
    assert studio.count_calls() == 0
    version = fingerprint_records(studio.stages.items)
    write_picture(studio.scans / "c.gif", build_gif(5, 5))
    plan = studio.plan()
    assert (plan.reasons, plan.n_answered, plan.calls.n_generate) == ((("row_changed", 1),), 3, 1)
    assert fingerprint_records(studio.stages.items) != version
    assert studio.count_calls() == 1
    assert studio.model.asked[0].pictures == [("image/gif", build_gif(5, 5))]
    write_picture(studio.scans / "c.gif", PICTURES["c.gif"])
    assert studio.count_calls() == 0
    assert fingerprint_records(studio.stages.items) == version


def test_a_moved_picture_is_the_same_call(studio: Studio):
    """Another name, another folder, another root and another picture beside it cost nothing."""
    assert studio.count_calls() == len(PICTURES)
    (studio.scans / "a.png").rename(studio.files.root / "moved.bin")
    (studio.scans / "inbox").mkdir()
    (studio.files.root / "moved.bin").rename(studio.scans / "inbox" / "page 1.bin")
    studio.write_table("inbox/page 1.bin", *[name for name in PICTURES if name != "a.png"])
    assert studio.count_calls() == 0
    studio.files.edit(CONFIG, "roots: [scans]", "roots: [., scans]")
    assert studio.count_calls() == 0


def test_trouble_with_a_picture_is_one_items(studio: Studio):
    """Items whose picture cannot be sent fail with a reason and without a call; the others go on."""
    write_picture(studio.files.root / "secret.png")
    write_picture(studio.scans / "text.png", b"no picture")
    write_picture(studio.scans / "broken.png", PICTURES["a.png"][:20])
    (studio.scans / "link.png").symlink_to(studio.files.root / "secret.png")
    studio.files.edit(CONFIG, "  separator", "  max_bytes: 100000\n  separator")
    url = "https://example.com/p.png"
    studio.write_table(
        *("a.png", "../secret.png", "link.png", "gone.png", "large.png", "text.png", "broken.png"),
        *(url, ""),
    )
    plan = studio.plan()
    (warning,) = plan.warnings
    assert warning.startswith("7 items fail because of pictures, without a call; row ")
    assert plan.calls.n_generate == 2
    generation = studio.generate()
    records = generation.outputs.records
    assert [record.outcome for record in records] == ["accepted", *["failed"] * 7, "accepted"]
    assert [record.reason for record in records[1:8]] == [
        "The picture '../secret.png' lies outside of the folders that `images.roots` names.",
        "The picture 'link.png' lies outside of the folders that `images.roots` names.",
        "The picture 'gone.png' does not exist.",
        f"The picture 'large.png' has {len(PICTURES['large.png']):,} bytes, and `images.max_bytes` allows 100,000.",
        "The picture 'text.png' is no PNG, JPEG, GIF or WebP picture, whatever its name says.",
        "The picture 'broken.png' begins like a PNG file, but its header is broken.",
        f"The picture '{url}' is an address, and only files are sent (`images.allow_urls`).",
    ]
    assert all(record.attempts == () for record in records[1:8])
    assert generation.summary.calls_sent == 2
    assert [len(asked.parts) for asked in studio.model.asked].count(0) == 1
    studio.files.edit(CONFIG, "  separator", "  required: true\n  separator")
    last = studio.generate().outputs.records[-1]
    assert last.outcome == "failed"
    assert last.reason == "It names no picture (scan), and `images.required` asks for one."
    (studio.scans / "gone.png").write_bytes(build_png(shade=77))
    assert studio.count_calls() == 1


def test_a_file_changed_since_is_not_sent(studio: Studio):
    """Between hashing and sending a file changed: its item fails, nothing is sent or recorded under the old hash."""
    studio.write_table("a.png", "b.jpg")
    stages = studio.stages
    write_picture(studio.scans / "a.png", build_png(shade=200))
    generation = studio.generate(stages)
    failed, accepted = generation.outputs.records
    assert (failed.outcome, accepted.outcome) == ("failed", "accepted")
    assert failed.reason is not None
    assert failed.reason.startswith("The picture 'a.png' has changed after the items were made")
    assert failed.attempts == ()
    assert (generation.summary.calls_sent, len(studio.model.asked)) == (1, 1)
    assert studio.query("select count(*) from calls") == [1]
    assert studio.count_calls() == 1
    assert studio.model.asked[0].pictures == [("image/png", build_png(shade=200))]


def test_a_budget_gets_back_what_was_not_sent(studio: Studio):
    """A call that could not be sent leaves its share of the budget to the next one."""
    studio.write_table("a.png", "b.jpg")
    studio.files.edit(CONFIG, "  temperature: 0\n", "  temperature: 0\n  max_output_tokens: 50\n")
    studio.files.edit(CONFIG, "llm:\n", "budget:\n  per_run_tokens: 60000\nllm:\n")
    stages = studio.stages
    write_picture(studio.scans / "a.png", build_png(shade=200))
    records = studio.generate(stages).outputs.records
    assert [record.outcome for record in records] == ["failed", "accepted"]


def test_addresses_are_sent_as_they_are(studio: Studio):
    """Where addresses are allowed they are passed on, with nothing fetched, and are known by their text."""
    studio.files.edit(CONFIG, "  separator", "  allow_urls: true\n  separator")
    studio.write_table("https://example.invalid/1.png", "a.png", "https://example.invalid/1.png")
    assert studio.count_calls() == 2
    urls = sorted(url for asked in studio.model.asked for url in asked.urls)
    assert urls[1] == "https://example.invalid/1.png"
    assert urls[0].startswith("data:image/png;base64,")
    assert studio.count_calls() == 0


def test_the_ledger_knows_a_picture_by_its_hash(studio: Studio):
    """What was sent is kept with each picture's hash, kind and size, once, and neither its bytes nor its path."""
    studio.write_table("a.png", "a.png;b.jpg")
    studio.generate()
    texts = studio.query("select text from parts")
    kept = [json.loads(text) for text in texts if "media_type" in text]
    assert sorted(each["file"]["media_type"] for each in kept) == ["image/jpeg", "image/png"]
    everything = "\n".join([*texts, *studio.query("select body from requests")])
    assert "base64" not in everything
    assert "a.png" not in everything
    keys = studio.query("select call_key from requests")
    with open_ledger(studio.project.ledger_url) as ledger:
        shown = [ledger.load_messages(key)[-1] for key in keys]
    assert sorted(len(message.images) for message in shown) == [1, 2]
    files = {
        image.file.sha256: image.file for message in shown for image in message.images if image.file
    }
    items = studio.stages.items.records
    assert files == {
        image.file.sha256: image.file for item in items for image in item.images if image.file
    }


def test_the_next_call_shows_its_pictures(studio: Studio):
    """`plan --prompt` has the very message with the picture's name, kind, size and hash, and an approximate count."""
    call = studio.find_next_call("2")
    (image,) = call.request.messages[-1].images
    assert image.file is not None
    assert (image.source, image.size, image.file.media_type) == ("b.jpg", (800, 600), "image/jpeg")
    assert call.is_approximate
    shown = studio.files.run("plan", "notes", "--prompt", "2").stdout
    n_bytes = len(PICTURES["b.jpg"])
    assert (
        f"[picture b.jpg (image/jpeg, 800 x 600, {n_bytes} bytes, sha256 {image.file.sha256})]"
        in shown
    )
    record = studio.files.run("plan", "notes", "--prompt", "2", "--json").record
    assert record["messages"][0].keys() == {"role", "content", "tokens"}
    assert record["messages"][-1]["images"][0]["sha256"] == image.file.sha256
    assert record["messages"][-1]["tokens"] > 765
    assert record["tokens_are_approximate"]
    assert studio.model.asked == []


def test_estimates_count_pictures(studio: Studio):
    """The tokens of a plan hold those of the pictures, and are called approximate."""
    with_pictures = studio.plan().estimate
    studio.write_table("", "", "", "", "")
    without = studio.plan().estimate
    assert with_pictures.prompt_tokens.likely - without.prompt_tokens.likely > 255 * 4
    assert with_pictures.is_approximate


def test_an_endpoint_without_eyes_is_asked_nothing(studio: Studio):
    """A server that takes no pictures is a mistake told before the first call."""
    studio.files.edit(
        ENDPOINTS, "preset: offline\n", "preset: offline\n    accepts_images: false\n"
    )
    with pytest.raises(ConfigError, match=r"The endpoint 'served' takes no pictures"):
        studio.generate()
    with pytest.raises(ConfigError, match=r"The endpoint 'served' takes no pictures"):
        studio.plan()
    assert studio.model.asked == []


def test_text_tasks_send_what_they_sent(studio: Studio):
    """Without `images` a column is text, and messages are plain texts as before."""
    studio.files.edit(CONFIG, BLOCK, "llm:\n")
    studio.write_table("a.png")
    assert studio.count_calls() == 1
    (asked,) = studio.model.asked
    assert asked.parts == ()
    assert "scan: a.png" in asked.question
