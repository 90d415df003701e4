from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.grouping import ContextSettings, GroupingSettings, Mode
from llm_assets.config.images import ImageSettings
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import JudgeSettings, TaskSettings
from llm_assets.core.calls import Message
from llm_assets.core.context import decide_visible_columns
from llm_assets.core.fingerprint import render_json
from llm_assets.core.group_contexts import build_group_contexts
from llm_assets.core.images import (
    ImageFindings,
    ImageInput,
    ImagePart,
    ImageProblem,
    list_image_sources,
)
from llm_assets.core.item_loop import Ask, Done, advance
from llm_assets.core.steps import PromptNames, build_judge, build_step
from llm_assets.core.work_items import WorkItem, build_work_items
from llm_assets.errors import ConfigError
from llm_assets_tests.core.builders import (
    Label,
    Ledger,
    Model,
    build_answer,
    build_item,
    build_request,
)
from llm_assets_tests.core.judges import Verdict
from llm_assets_tests.core.test_work_items import make_snapshot
from llm_assets_tests.pictures import build_file

COLUMNS = ("page", "note", "scan", "stamp")
NAMES = PromptNames(mode="row", columns=("text", "team"))
A, B, C = build_file("a"), build_file("b"), build_file("c")
MISSING = ImageProblem("does not exist")
URL = "https://example.com/p.png"
FOUND = {"a.png": A, "b.png": B, "copies/a.png": A, "c.png": C, "gone.png": MISSING, URL: None}


def build_settings(**given):
    return ImageSettings.model_validate({"columns": ["scan", "stamp"], "roots": ["scans"], **given})


def make_items(
    rows, *, found=FOUND, mode: Mode = "row", cap=None, id_column=None, images=None, **context
):
    settings = images or build_settings()
    column = None if mode == "row" else "note"
    grouping = GroupingSettings(mode=mode, column=column, max_rows_per_group=cap)
    snapshot = make_snapshot(rows, COLUMNS)
    shown = ContextSettings(**context)
    contexts = build_group_contexts(
        snapshot, grouping=grouping, context=shown, image_columns=settings.columns
    )
    return build_work_items(
        snapshot,
        contexts=contexts,
        grouping=grouping,
        context=shown,
        id_column=id_column,
        images=ImageFindings(settings=settings, found=found),
    )


def build_seeing_step(*, user="Look at {{ text }}.", endpoint=None, judge=None, **images):
    settings = TaskSettings.model_validate(
        {"prompt": "p.yaml", "images": {"columns": ["scan"], "roots": ["scans"], **images}}
    )
    return build_step(
        settings.chain[0],
        prompt=PromptSettings(system="Read.", user=user),
        prompt_path="p.yaml",
        endpoint=endpoint or PRESETS["offline"],
        base_url="http://e.invalid/v1",
        output_model=Label,
        schema_text="{}",
        names=NAMES,
        judge=judge,
    )


def show(*images):
    item = build_item()
    return replace(item, work=replace(item.work, images=images))


def see(file, source="a.png"):
    return ImageInput(column="scan", source=source, file=file)


def find_key(step, item):
    asked = advance(step, item, (), n_known=0)
    assert isinstance(asked, Ask)
    return asked.request.build_key()


def test_pictures_follow_the_columns_of_the_settings():
    """A row's pictures come in the order of the configured columns, and an empty cell names none."""
    rows = [("p1", "x", "a.png", " b.png "), ("p2", "y", "", "c.png"), ("p3", "z", None, "")]
    first, second, third = make_items(rows).records
    assert [(image.column, image.file) for image in first.images] == [("scan", A), ("stamp", B)]
    assert [image.file for image in second.images] == [C]
    assert third.images == ()
    swapped = make_items(rows, images=build_settings(columns=["stamp", "scan"])).records
    assert [image.file for image in swapped[0].images] == [B, A]


def test_the_model_sees_no_path():
    """A column of pictures is no text: neither of a row nor of a group, however the columns are chosen."""
    rows = [("p1", "x", "a.png", "b.png")]
    assert make_items(rows).records[0].values == {"page": "p1", "note": "x"}
    assert make_items(rows, exclude=("page", "note")).records[0].values == {}
    assert make_items(rows, mode="group_output").meta.columns == ("page", "note")
    with pytest.raises(ConfigError, match=r"both name 'scan', and a column is text or pictures"):
        decide_visible_columns(COLUMNS, ContextSettings(include=("scan",)), ("scan",))
    with pytest.raises(ConfigError, match=r"`images.columns` names 'scn'.*Did you mean 'scan'"):
        decide_visible_columns(COLUMNS, ContextSettings(), ("scn",))


def test_an_item_is_named_by_bytes_and_not_by_places():
    """The same picture elsewhere is the same item; other bytes under the same name are another one."""
    here, there = (
        make_items([("p", "x", name, "")]).records[0] for name in ("a.png", "copies/a.png")
    )
    assert here.work_id == there.work_id
    changed = make_items([("p", "x", "a.png", "")], found={"a.png": C}).records[0]
    assert changed.work_id != here.work_id
    assert make_items([("p", "x", "", "")]).records[0].work_id != here.work_id
    twice = make_items([("p", "x", "a.png", ""), ("p", "x", "copies/a.png", "")]).records
    assert [item.occurrence for item in twice] == [0, 1]


def test_a_group_has_the_pictures_of_the_rows_in_its_context():
    """All rows of a group show theirs in input order, up to the cap; a changed one makes it another item."""
    rows = [("1", "g", "a.png", ""), ("2", "g", "b.png", "c.png"), ("3", "g", "c.png", "")]
    (group,) = make_items(rows, mode="group_output").records
    assert [image.file for image in group.images] == [A, B, C, C]
    (capped,) = make_items(rows, mode="group_output", cap=2).records
    assert [image.file for image in capped.images] == [A, B, C]
    (changed,) = make_items(rows, mode="group_output", found={**FOUND, "b.png": A}).records
    assert changed.group_context_id == group.group_context_id
    assert changed.work_id != group.work_id
    own = make_items(rows, mode="row_output_with_group_context").records
    assert [len(item.images) for item in own] == [1, 2, 1]


def test_items_without_pictures_are_kept_as_they_were():
    """Neither the name nor the file of an item tells of pictures that it does not have."""
    snapshot = make_snapshot([("p", "x", "", "")], COLUMNS)
    grouping, context = GroupingSettings(), ContextSettings(exclude=("scan", "stamp"))
    contexts = build_group_contexts(snapshot, grouping=grouping, context=context)
    plain = build_work_items(
        snapshot, contexts=contexts, grouping=grouping, context=context, id_column=None
    )
    seeing = make_items([("p", "x", "", "")])
    assert plain.records == seeing.records
    written = TypeAdapter(WorkItem).dump_python(plain.records[0], mode="json")
    assert "images" not in written
    assert "images_sha256" not in plain.meta.model_dump(mode="json")
    assert len(seeing.meta.model_dump(mode="json")["images_sha256"]) == 64


def test_items_with_pictures_survive_their_file():
    """Every kind of picture is read back as it was written, and says no more than there is."""
    rows = [("p", "x", "a.png", "gone.png"), ("q", "x", URL, "")]
    adapter = TypeAdapter(WorkItem)
    items = make_items(rows).records
    written = [render_json(adapter.dump_python(item, mode="json")) for item in items]
    assert [adapter.validate_json(text) for text in written] == list(items)
    assert '"problem"' not in written[-1]
    assert '"file"' not in written[-1]


def test_the_digest_of_a_batch_changes_with_any_of_its_files():
    """A changed, a lost and a found file each make another digest; a picture that nothing names does not."""
    rows = [("p", "x", "a.png", "gone.png")]
    settings = build_settings()
    sources = list_image_sources(
        [{"scan": "a.png", "stamp": "gone.png"}, {"scan": "a.png", "stamp": ""}], settings
    )
    assert sources == ("a.png", "gone.png")

    def digest(**changes):
        found = {"a.png": A, "gone.png": MISSING, **changes}
        return make_items(rows, found=found).meta.images_sha256

    digests = {
        digest(),
        digest(**{"a.png": B}),
        digest(**{"a.png": MISSING}),
        digest(**{"gone.png": A}),
    }
    assert len(digests) == 4


@given(st.lists(st.sampled_from(["a.png", "b.png", " ", "", "c.png"]), max_size=5))
def test_a_cell_may_name_several(names):
    """With a mark between them a cell names several pictures, in order; blanks between marks are none."""
    settings = build_settings(separator=";", columns=["scan"])
    found = ImageFindings(settings=settings, found=FOUND)
    images = found.find_images({"scan": ";".join(names)})
    assert [image.source for image in images] == [name for name in names if name.strip()]


@pytest.mark.parametrize(
    ("images", "given", "reason"),
    [
        (
            (ImageInput(column="scan", source="gone.png", problem="does not exist"),),
            {},
            "The picture 'gone.png' does not exist.",
        ),
        (
            (see(A), *(ImageInput(column="scan", source=n, problem="is bad") for n in "xyz")),
            {},
            "The picture 'x' is bad. (and 2 more)",
        ),
        ((), {"required": True}, "It names no picture (scan), and `images.required` asks for one."),
    ],
)
def test_trouble_with_a_picture_is_its_items_failure(images, given, reason):
    """An item whose picture cannot be sent fails with a plain reason, without any call."""
    decided = advance(build_seeing_step(**given), show(*images), (), n_known=0)
    assert isinstance(decided, Done)
    assert (decided.output.outcome, decided.output.reason) == ("failed", reason)
    assert decided.output.attempts == ()


def test_pictures_stand_in_the_last_turn_of_the_prompt():
    """The text comes first, then the pictures; the feedback of a further attempt follows as its own turns."""
    step = build_seeing_step(detail="low")
    asked = advance(step, show(see(A), see(B, "b.png")), (), n_known=0)
    assert isinstance(asked, Ask)
    system, user = asked.request.messages
    assert (system.images, user.content) == ((), "Look at Where is it?.")
    assert [(part.file, part.detail) for part in user.images] == [(A, "low"), (B, "low")]
    again = advance(step, show(see(A)), [build_answer("no json")], n_known=0)
    assert isinstance(again, Ask)
    assert [len(message.images) for message in again.request.messages][:2] == [0, 1]
    assert sum(len(message.images) for message in again.request.messages) == 1
    without = advance(step, show(), (), n_known=0)
    assert isinstance(without, Ask)
    assert without.request.messages[-1].images == ()


def build_message_request(*parts):
    return build_request(messages=(Message(role="user", content="Hi", images=parts),))


def test_every_picture_shapes_the_call():
    """Other bytes, another order, another detail, one more or none are each another call."""
    a, b = (ImagePart(source="p", file=file, detail=None) for file in (A, B))
    url = ImagePart(source=URL, file=None, detail=None)
    shown = [
        (),
        (a,),
        (b,),
        (a, b),
        (b, a),
        (a, a),
        (replace(a, detail="low"),),
        (url,),
        (replace(url, source="http://x"),),
    ]
    keys = {build_message_request(*parts).build_key() for parts in shown}
    assert len(keys) == len(shown)


@given(st.text(), st.text())
def test_where_a_picture_lies_shapes_no_call(one, other):
    """The path is in no key, so that the same picture at another place is the same call."""
    keys = {
        build_message_request(ImagePart(source=source, file=A, detail=None)).build_key()
        for source in (one, other)
    }
    assert len(keys) == 1


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=6),
    st.integers(0, 5),
    st.sampled_from("abcd"),
)
def test_changed_bytes_send_exactly_their_calls(files, place, other):
    """After one picture's bytes changed, a run asks about those that nobody was asked about, and no others."""
    step, ledger = build_seeing_step(), Ledger()
    place %= len(files)

    def run(digits):
        model = Model(build_answer())
        outputs = ledger.run(
            step, [show(see(build_file(d), f"{n}.png")) for n, d in enumerate(digits)], model.answer
        )
        assert {output.outcome for output in outputs} == {"accepted"}
        return {request.build_key() for request in model.requests}

    assert len(run(files)) == len(set(files))
    changed = [other if n == place else digit for n, digit in enumerate(files)]
    assert len(run(changed)) == len({other} - set(files))
    assert run(files) == set()


def test_an_endpoint_that_takes_none_is_told_before_the_first_call():
    """A server without eyes is a mistake in the config, with what to say where its model does see."""
    with pytest.raises(
        ConfigError, match=r"endpoint 'offline' takes no pictures.*accepts_images: true"
    ):
        build_seeing_step(endpoint=PRESETS["llama.cpp"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"columns": []}, "at least 1 item"),
        ({"roots": []}, "give `roots`, the folders that pictures lie in, or `allow_urls: true`"),
        ({"columns": ["scan", "scan"]}, "`columns` names a column twice"),
        ({"separator": ""}, "at least 1 character"),
        ({"max_bytes": 0}, "greater than or equal to 1"),
        ({"detail": "high-res"}, "'auto', 'low' or 'high'"),
    ],
)
def test_a_block_that_cannot_work_is_refused(given, message):
    """Pictures need a column and a place that they may come from."""
    with pytest.raises(ValidationError, match=message):
        build_settings(**given)
    assert build_settings(roots=[], allow_urls=True).allow_urls


@pytest.mark.parametrize(("is_shown", "n_images"), [(True, 1), (False, 0)])
def test_the_judge_sees_what_it_is_shown(is_shown, n_images):
    """The judge gets the same pictures in its last turn, unless they are kept from it."""
    settings = TaskSettings.model_validate(
        {
            "prompt": "p.yaml",
            "images": {"columns": ["scan"], "roots": ["scans"], "show_to_judge": is_shown},
            "judge": {"prompt": "j.yaml", "llm": {"endpoint": "ollama", "model": "m"}},
        }
    )
    rules = settings.judge or JudgeSettings(prompt="j.yaml")

    def build(endpoint):
        return build_judge(
            settings.chain[0],
            rules,
            prompt=PromptSettings(user="Is {{ output_json }} right?"),
            prompt_path="j.yaml",
            endpoint=endpoint,
            base_url="http://j.invalid/v1",
            verdict_model=Verdict,
            names=NAMES,
        )

    step = build_seeing_step(judge=build(PRESETS["ollama"]))
    asked = advance(step, show(see(A)), [build_answer()], n_known=0)
    assert isinstance(asked, Ask)
    assert asked.purpose == "judge"
    assert len(asked.request.messages[-1].images) == n_images
    if is_shown:
        with pytest.raises(ConfigError, match=r"'ollama' takes no pictures.*show_to_judge: false"):
            build(PRESETS["vllm"])
    else:
        assert build(PRESETS["vllm"]).images is None
