"""Which calls pictures cost where a task has several steps and not all of them see."""

from collections.abc import Collection, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llm_assets.core.ids import StepName
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.gateways.project import Project
from llm_assets.gateways.steps_run import StepsGeneration
from llm_assets_tests.end_to_end.scripted_model import Asked, ScriptedModel, open_scripted_model
from llm_assets_tests.end_to_end.tiny_project import ENDPOINTS, TinyProject
from llm_assets_tests.gateways.stages import prepare
from llm_assets_tests.pictures import build_png, write_picture

TASK = "configs/notes.yaml"
CONFIG = """\
input:
  folder: data/notes
  id_column: id
context:
  include: [drawer]
images:
  columns: [scan]
  roots: [scans]
steps:
  - name: layout
    prompt: prompts/layout.yaml
    output_model: Layout
    llm: {model: reader}
  - name: labels
    prompt: prompts/labels.yaml
    output_model: Labels
    llm: {model: labeller}
llm:
  endpoint: served
  model: any
"""
BLIND = "    output_model: Labels\n    sees_images: false\n"
SCHEMA = """\
from pydantic import BaseModel


class Layout(BaseModel):
    text: str


class Labels(BaseModel):
    kind: str
"""
LAYOUT, LABELS = StepName("layout"), StepName("labels")
SHADES = {"a.png": 1, "b.png": 2, "c.png": 3}


@dataclass(slots=True)
class Archive:
    """A project of two steps over three scans, and the server that answers."""

    files: TinyProject
    model: ScriptedModel

    def draw(self, name: str, shade: int) -> None:
        write_picture(self.files.root / "scans" / name, build_png(shade=shade))

    def run(self) -> StepsGeneration:
        self.model.asked.clear()
        return prepare(Project(root=self.files.root, environ={})).generate_steps()

    def count(self) -> tuple[int, int]:
        """Run the batch; the calls that each step sent."""
        self.run()
        return self.model.count("reader"), self.model.count("labeller")

    def list_shown(self, model: str) -> list[int]:
        """How many pictures were in each of a model's requests."""
        return [len(asked.pictures) for asked in self.model.asked if asked.model == model]

    def blind_labels(self) -> None:
        self.files.edit(TASK, "    output_model: Labels\n", BLIND)


def answer(asked: Asked) -> dict[str, Any]:
    """Scans of an even shade read alike, all others by their shade."""
    if asked.model == "labeller":
        return {"kind": asked.texts[-1].splitlines()[0]}
    shade = next(shade for shade in range(256) if asked.pictures[0][1] == build_png(shade=shade))
    return {"text": "even" if shade % 2 == 0 else f"odd {shade}"}


@pytest.fixture
def archive(tmp_path: Path) -> Generator[Archive]:
    with open_scripted_model(answer) as model:
        files = TinyProject(tmp_path)
        files.write(TASK, CONFIG)
        files.write("configs/schemas/notes.py", SCHEMA)
        files.write("configs/endpoints.yaml", ENDPOINTS.format(base_url=model.base_url))
        files.write("prompts/layout.yaml", "user: 'Read it. {{ llm_schema }}'\n")
        files.write("prompts/labels.yaml", "user: 'It says {{ steps.layout.text }}.'\n")
        rows = [(str(n), "office", name) for n, name in enumerate(SHADES)]
        files.write_table("data/notes/may.csv", rows, ("id", "drawer", "scan"))
        made = Archive(files, model)
        for name, shade in SHADES.items():
            made.draw(name, shade)
        yield made


def list_outcomes(records: Collection[ItemOutput]) -> list[str]:
    return [record.outcome for record in records]


def test_every_step_sees_the_pictures(archive: Archive):
    """Unless a step says otherwise its requests hold the item's picture, also those of later steps."""
    assert archive.count() == (3, 3)
    assert archive.list_shown("reader") == archive.list_shown("labeller") == [1, 1, 1]


def test_a_changed_picture_sends_its_calls_in_every_step_that_sees(archive: Archive):
    """New bytes of one scan are asked about in both steps, although the first one answers as before, and no other is."""
    archive.count()
    archive.draw("b.png", 4)
    assert archive.count() == (1, 1)
    assert {asked.pictures[0][1] for asked in archive.model.asked} == {build_png(shade=4)}
    assert archive.count() == (0, 0)


def test_a_step_that_does_not_see_is_sent_no_picture(archive: Archive):
    """With `sees_images: false` a request is plain text; the other step's are as they were."""
    archive.blind_labels()
    assert archive.count() == (3, 3)
    assert archive.list_shown("reader") == [1, 1, 1]
    assert archive.list_shown("labeller") == [0, 0, 0]
    assert [asked.parts for asked in archive.model.asked if asked.model == "labeller"] == [()] * 3


def test_a_changed_picture_concerns_such_a_step_by_what_was_read(archive: Archive):
    """New bytes that are read as before send the first step's call alone; what reads otherwise sends both."""
    archive.blind_labels()
    archive.count()
    archive.draw("b.png", 4)
    assert archive.count() == (1, 0)
    archive.draw("b.png", 5)
    assert archive.count() == (1, 1)
    assert archive.model.asked[-1].texts[-1].startswith("It says odd 5.")
    archive.draw("b.png", 2)
    assert archive.count() == (0, 0)


def test_pages_that_read_alike_share_labels_and_keep_their_own_layout(archive: Archive):
    """Two scans that read the same are labelled by one call, and each has the first step's answer to its own scan."""
    archive.blind_labels()
    archive.draw("c.png", 6)
    assert archive.count() == (3, 2)
    outputs = archive.run().outputs
    keys = [record.attempts[0].call_key for record in outputs[LAYOUT].records]
    assert len(set(keys)) == 3
    _, second, third = (record.attempts[0].call_key for record in outputs[LABELS].records)
    assert second == third
    archive.files.edit("prompts/labels.yaml", "It says", "It reads")
    again = archive.run().outputs
    assert (archive.model.count("reader"), archive.model.count("labeller")) == (0, 2)
    assert [record.attempts[0].call_key for record in again[LAYOUT].records] == keys


def test_blinding_a_step_leaves_the_other_one_as_it_is(archive: Archive):
    """The setting is part of its own step's calls alone, and taken back it costs nothing."""
    archive.count()
    archive.blind_labels()
    assert archive.count() == (0, 3)
    archive.files.edit(TASK, BLIND, "    output_model: Labels\n")
    assert archive.count() == (0, 0)


def test_a_broken_picture_stops_what_would_see_it(archive: Archive):
    """The step that sees fails without a call; one that neither sees nor comes after it goes on."""
    (archive.files.root / "scans" / "b.png").write_bytes(b"no picture")
    outputs = archive.run().outputs
    assert list_outcomes(outputs[LAYOUT].records) == ["accepted", "failed", "accepted"]
    assert list_outcomes(outputs[LABELS].records) == ["accepted", "blocked", "accepted"]
    archive.files.edit(TASK, "    output_model: Labels\n", f"{BLIND}    after: []\n")
    archive.files.write("prompts/labels.yaml", "user: 'It lay in {{ drawer }}.'\n")
    outputs = archive.run().outputs
    assert list_outcomes(outputs[LAYOUT].records) == ["accepted", "failed", "accepted"]
    assert list_outcomes(outputs[LABELS].records) == ["accepted"] * 3


def test_only_steps_that_see_need_an_endpoint_with_eyes(archive: Archive):
    """A step whose model takes no pictures runs where it is shown none."""
    archive.files.write(
        "configs/endpoints.yaml",
        ENDPOINTS.format(base_url=archive.model.base_url)
        + f"  blind:\n    preset: offline\n    base_url: {archive.model.base_url}\n    accepts_images: false\n",
    )
    archive.files.edit(TASK, "{model: labeller}", "{endpoint: blind, model: labeller}")
    archive.blind_labels()
    assert archive.count() == (3, 3)
