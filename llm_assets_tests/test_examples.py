"""Whether the example tasks hold what their files promise."""

import csv
import importlib.util
import json
import re
import shutil
import sys
import zlib
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import cast, get_args

import pytest
import yaml
from pydantic import BaseModel, JsonValue, ValidationError

from llm_assets.config.grouping import Mode
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import TaskSettings
from llm_assets.core.answers import ValidAnswer
from llm_assets.core.images import ImageFile
from llm_assets.core.text_answers import parse_text_answer
from llm_assets.core.text_form import build_text_form
from llm_assets.gateways.batches import TABLE_ENDINGS, find_batch
from llm_assets.gateways.hook_files import load_hooks, load_scorers
from llm_assets.gateways.image_files import find_images
from llm_assets.gateways.offline_model.forms import find_form
from llm_assets.gateways.offline_model.pictures import Picture, read_picture
from llm_assets.gateways.project import Project
from llm_assets.gateways.snapshots import take_snapshot
from llm_assets.gateways.tasks import load_task
from llm_assets.hooks import HookItem, Rejection, Request, Skip
from llm_assets_tests.end_to_end.tiny_project import TinyProject

ROOT = Path(__file__).parents[1]
TASKS: tuple[tuple[str, Mode], ...] = (
    ("ticket_triage", "row"),
    ("course_feedback", "group_output"),
    ("interview_questions", "row_output_with_group_context"),
    ("documents", "row"),
    ("product_reviews", "row"),
    ("scanned_pages", "row"),
)
NAMES = tuple(task for task, _ in TASKS)
SIZES = {"documents": (12, 20)}
"""Of the examples that do not have thirty to sixty rows: each of their rows is a page."""

GOOD_ANSWERS: dict[str, dict[str, object]] = {
    "ticket_triage": {
        "category": "hardware_fault",
        "urgency": "critical",
        "summary": "The hub smells burnt; the customer asks whether it is safe.",
        "confidence": 1,
    },
    "course_feedback": {
        "summary": "Two of two answers praise the dialogues.",
        "strengths": ["many dialogues"],
        "weaknesses": [],
        "sentiment": "positive",
        "recommendation": "keep",
        "confidence": 0.3,
    },
    "interview_questions": {
        "question": "Two machines charge one order twice. Where do you look first?",
        "what_a_good_answer_shows": "Asks how the order is claimed before naming a lock.",
        "difficulty": "moderate",
        "confidence": 0.8,
    },
    "product_reviews": {
        "summary": "The kettle boils fast; its handle gets too hot to touch.",
        "analysis_points": ["boils fast", "hot handle"],
        "rating": 6,
        "confidence": None,
    },
    "scanned_pages/Labels": {
        "kind": "invoice",
        "title": "INVOICE 317",
        "has_table": True,
        "stamp": "paid",
        "summary": "Lumen Electric asks for 115.20 for cable and sockets; paid.",
        "confidence": 0.95,
    },
    "scanned_pages/Layout": {
        "arrangement": "table",
        "blocks": ["heading", "text", "table", "stamp"],
        "headings": ["INVOICE 317"],
        "stamp": "PAID",
        "text": "INVOICE 317 / LUMEN ELECTRIC. / ITEM, PIECES, PRICE / SOCKETS, 8, 31.20",
    },
}
"""By task, and by class where a task has several."""

GOOD_VERDICTS: dict[str, dict[str, object]] = {
    "ticket_triage": {"reason": "Smoke: the urgency must be critical.", "verdict": False},
    "interview_questions": {
        "skill_score": 3,
        "level_score": 2,
        "clarity_score": 3,
        "evidence_score": 1,
        "reason": "The signs are virtues; name what can be heard.",
        "verdict": True,
    },
}
"""Of the examples that have a judge."""

BROKEN_FIELDS = (
    ("ticket_triage", "category", "spam"),
    ("ticket_triage", "urgency", "Critical"),
    ("ticket_triage", "summary", "x" * 241),
    ("ticket_triage", "confidence", 1.01),
    ("course_feedback", "recommendation", "yes"),
    ("course_feedback", "strengths", ["x"] * 6),
    ("course_feedback", "weaknesses", [""]),
    ("interview_questions", "question", ""),
    ("interview_questions", "difficulty", None),
    ("interview_questions", "confidence", -0.1),
    ("product_reviews", "rating", 95),
    ("product_reviews", "analysis_points", [""]),
    ("scanned_pages/Labels", "kind", "contract"),
    ("scanned_pages/Labels", "stamp", None),
    ("scanned_pages/Labels", "has_table", "yes"),
    ("scanned_pages/Layout", "arrangement", "mixed"),
    ("scanned_pages/Layout", "blocks", ["drawing"]),
    ("scanned_pages/Layout", "text", "x" * 3001),
)


def read_settings(task: str) -> TaskSettings:
    text = (ROOT / "configs" / f"{task}.yaml").read_text(encoding="utf-8")
    return TaskSettings.model_validate(yaml.safe_load(text))


MODELS = (
    *((task, step.output_model) for task in NAMES for step in read_settings(task).chain),
    ("documents", "Mention"),
    ("documents", "Occasion"),
)
PROMPTS = tuple((task, step.prompt) for task in NAMES for step in read_settings(task).chain)


def read_text_table(path: Path) -> list[list[object]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        delimiter = ";" if ";" in lines.readline() else ","
        lines.seek(0)
        return [list(row) for row in csv.reader(lines, delimiter=delimiter, strict=True)]


def read_workbook(path: Path) -> list[list[object]]:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True)
    rows = [list[object](row) for row in book.worksheets[0].iter_rows(values_only=True)]
    book.close()
    return rows


def read_batches(task: str) -> dict[str, list[dict[str, object]]]:
    folder = ROOT / cast("str", read_settings(task).input.folder)
    batches: dict[str, list[dict[str, object]]] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix in TABLE_ENDINGS):
        table = read_workbook(path) if path.suffix == ".xlsx" else read_text_table(path)
        header = [str(name) for name in table[0]]
        batches[path.stem] = [dict(zip(header, row, strict=True)) for row in table[1:]]
    return batches


def load_model(task: str, name: str = "LLMOutput") -> type[BaseModel]:
    path = ROOT / "configs" / "schemas" / f"{task}.py"
    spec = importlib.util.spec_from_file_location(f"example_{task}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def load_answered(answer: str) -> type[BaseModel]:
    """The class that an answer of `GOOD_ANSWERS` is one of."""
    task, _, name = answer.partition("/")
    return load_model(task, name or "LLMOutput")


def flatten(cell: object) -> str:
    return " ".join(str(cell).split())


@pytest.mark.parametrize(("task", "mode"), TASKS)
def test_a_config_is_valid_and_shows_its_mode(task: str, mode: Mode):
    """Each example config validates as it is, shows the mode it stands for and needs no key."""
    settings = read_settings(task)
    assert settings.grouping.mode == mode
    assert settings.llm.endpoint == "offline"
    assert settings.description
    assert settings.owners


@pytest.mark.parametrize("task", NAMES)
def test_a_config_names_columns_that_every_batch_has(task: str):
    """Every input column that a config names is in every batch of its folder."""
    settings = read_settings(task)
    named = {*settings.context.include, *settings.context.exclude, *settings.image_columns}
    named |= set(settings.cleaning.null_tokens_by_column)
    named |= {settings.input.id_column, settings.grouping.column} - {None}
    if settings.expected:
        named |= {*settings.expected.columns, settings.expected.group_by} - {None}
    for rows in read_batches(task).values():
        assert named <= set(rows[0])


@pytest.mark.parametrize("task", NAMES)
def test_an_example_is_neither_small_nor_large(task: str):
    """The tables are large enough to look real and small enough to run in seconds."""
    n_rows = sum(len(rows) for rows in read_batches(task).values())
    least, most = SIZES.get(task, (30, 60))
    assert least <= n_rows <= most


@pytest.mark.parametrize("name", GOOD_ANSWERS)
def test_a_schema_takes_a_good_answer_and_no_unknown_field(name: str):
    """A schema module imports, accepts a sensible answer strictly, and forbids what it does not name."""
    model = load_answered(name)
    answer = GOOD_ANSWERS[name]
    assert set(model.model_validate(answer, strict=True).model_dump()) == set(answer)
    with pytest.raises(ValidationError, match="extra_forbidden"):
        model.model_validate({**answer, "note": "x"}, strict=True)


@pytest.mark.parametrize(("name", "field", "value"), BROKEN_FIELDS)
def test_a_schema_refuses_values_out_of_its_bounds(name: str, field: str, value: object):
    """A label that is not offered, a number or a length out of bounds is no answer."""
    model = load_answered(name)
    with pytest.raises(ValidationError, match=field):
        model.model_validate({**GOOD_ANSWERS[name], field: value}, strict=True)


@pytest.mark.parametrize(("task", "name"), MODELS)
def test_a_schema_describes_every_field_to_the_model(task: str, name: str):
    """No field reaches a model without a sentence on what it should hold."""
    fields = load_model(task, name).model_fields
    assert all(field.description for field in fields.values())


@pytest.mark.parametrize(("task", "path"), PROMPTS)
def test_a_prompt_goes_from_static_to_group_to_row(task: str, path: str):
    """The system turn holds no row, and the group stands before the row, for prompt caches.

    The schema is shown where an answer is JSON; a text answer has its form in the prompt.
    """
    text = (ROOT / path).read_text(encoding="utf-8")
    prompt = PromptSettings.model_validate(yaml.safe_load(text))
    is_json = read_settings(task).answer.kind == "json"
    assert ("{{ llm_schema }}" in prompt.system) is is_json
    assert prompt.system.count("{{") == is_json
    names = ("group_key", "group_context", "row_block", "steps.summarize")
    places = [(prompt.user or "").find(name) for name in names]
    found = [place for place in places if place >= 0]
    assert found or path == "prompts/scanned_pages_layout.yaml"  # the picture is what differs
    assert found == sorted(found)


def test_the_variant_says_no_more_than_what_differs():
    """The brief tickets are the tickets of the task, with its schema, its judge and a shorter prompt."""
    project = Project(root=ROOT, environ={})
    task, brief = (load_task(project, name) for name in ("ticket_triage", "ticket_triage_brief"))
    assert (brief.input_folder, brief.schema_path) == (task.input_folder, task.schema_path)
    assert (brief.settings.judge, brief.settings.llm) == (task.settings.judge, task.settings.llm)
    long, short = (
        path.read_text(encoding="utf-8")
        for path in (task.steps[0].prompt_path, brief.steps[0].prompt_path)
    )
    assert len(short) < len(long) * 0.6
    prompt = PromptSettings.model_validate(yaml.safe_load(short))
    example = load_model("ticket_triage").model_validate_json(prompt.messages[1].content)
    assert example.model_dump()["category"] == "hardware_fault"


def test_the_examples_show_a_strict_judge_and_one_with_a_rubric():
    """Two tasks have a judge; the rubric's total is worked out from the points and not asked for."""
    assert {task for task in NAMES if read_settings(task).judge} == set(GOOD_VERDICTS)
    for task, verdict in GOOD_VERDICTS.items():
        model = load_model(task, "JudgeResult")
        assert all(field.description for field in model.model_fields.values())
        given_out = model.model_validate(verdict, strict=True).model_dump()
        computed = {"total": 9} if task == "interview_questions" else {}
        assert given_out == verdict | computed
        with pytest.raises(ValidationError, match="extra_forbidden"):
            model.model_validate({**verdict, "total": 12}, strict=True)


@pytest.mark.parametrize("task", GOOD_VERDICTS)
def test_a_judges_prompt_ends_with_what_it_judges(task: str):
    """Like every prompt it goes from static to group to row; the answer, which no two items share, comes last."""
    judge = read_settings(task).judge
    assert judge
    text = (ROOT / judge.prompt).read_text(encoding="utf-8")
    prompt = PromptSettings.model_validate(yaml.safe_load(text))
    assert "{{ llm_schema }}" in prompt.system
    assert prompt.system.count("{{") == 1
    names = ("{{ group_key", "{{ group_context", "{{ row_block", "{{ output")
    found = [place for name in names if (place := (prompt.user or "").find(name)) >= 0]
    assert len(found) >= 2
    assert found == sorted(found)


def test_the_documents_go_through_three_steps():
    """Entities, a summary that sees them, and a kind out of a list; patience as the config says in words."""
    settings = read_settings("documents")
    assert [(step.name, step.after) for step in settings.chain] == [
        ("extract", ()),
        ("summarize", ("extract",)),
        ("classify", ("summarize",)),
    ]
    entities = load_model("documents", "Entities").model_fields
    assert entities.keys() == {"people", "organizations", "dates", "topics"}
    prompt = (ROOT / "prompts" / "documents_summarize.yaml").read_text(encoding="utf-8")
    assert "{{ row_block }}" in prompt
    assert "{{ steps.extract.people }}" in prompt
    limits = settings.limits
    assert (limits.fault_retries, limits.backoff_seconds, limits.max_backoff_seconds) == (
        3,
        10,
        120,
    )


def test_the_kind_of_a_document_is_one_of_a_list_with_a_confidence():
    """A kind that is not offered is no answer, nor is a confidence beyond 1."""
    model = load_model("documents", "Classification")
    model.model_validate({"category": "minutes", "confidence": 1.0}, strict=True)
    for broken in (
        {"category": "letter", "confidence": 1},
        {"category": "minutes", "confidence": 2},
    ):
        with pytest.raises(ValidationError):
            model.model_validate(broken)


def test_the_ticket_ids_are_filled_and_unique():
    """`ticket_id` can name the rows."""
    ids = [flatten(row["ticket_id"]) for row in read_batches("ticket_triage")["march"]]
    assert all(ids)
    assert len(ids) == len(set(ids))


def test_two_tickets_are_the_same_once_cleaned():
    """TM-1007 and TM-1031 differ in white space only, as the config says, and no other two are the same."""
    columns = read_settings("ticket_triage").context.include
    tickets: dict[tuple[str, ...], list[object]] = {}
    for row in read_batches("ticket_triage")["march"]:
        visible = tuple(flatten(row[column]) for column in columns)
        tickets.setdefault(visible, []).append(row["ticket_id"])
    assert [ids for ids in tickets.values() if len(ids) > 1] == [["TM-1007", "TM-1031"]]


def test_the_tickets_are_labelled_with_what_an_answer_may_say():
    """Every label is one of the schema's, equal tickets have equal labels, and a person was not sure of every one."""
    settings = read_settings("ticket_triage")
    assert settings.expected
    model = load_model("ticket_triage")
    tickets = read_batches("ticket_triage")["march"]
    by_content: dict[tuple[str, ...], set[tuple[object, ...]]] = {}
    for name, field in settings.expected.fields.items():
        given = {str(row[str(field.column)]) for row in tickets} - {""}
        assert given <= set(get_args(model.model_fields[name].annotation))
        assert len(given) >= 4
    columns = settings.expected.columns
    assert not {*columns} & {*settings.context.include}
    for row in tickets:
        visible = tuple(flatten(row[column]) for column in settings.context.include)
        by_content.setdefault(visible, set()).add(tuple(row[column] for column in columns))
    assert {len(labels) for labels in by_content.values()} == {1}
    assert sum(row[column] == "" for row in tickets for column in columns) == 1


def test_the_tables_hold_the_mess_that_cleaning_is_for():
    """Without cleaning, blanks split courses and roles and a ticket has line breaks, null tokens and an overlong body."""
    tickets = read_batches("ticket_triage")["march"]
    limit = cast("int", read_settings("ticket_triage").context.truncate_field_chars)
    assert any("\n" in str(row["body"]) for row in tickets)
    assert any(row["product"] in {"None", "NULL", "n/a"} for row in tickets)
    assert any(len(flatten(row["body"])) > limit for row in tickets)
    courses = {str(row["course"]) for row in read_batches("course_feedback")["spring_term"]}
    assert len({course.strip() for course in courses}) == 7 < len(courses)
    roles = {
        str(row["role"]) for rows in read_batches("interview_questions").values() for row in rows
    }
    assert len({role.strip() for role in roles}) == 6 < len(roles)


def test_the_workbook_has_typed_and_blank_cells():
    """The xlsx batch holds numbers as numbers, text among them, and cells without anything."""
    rows = read_batches("interview_questions")["engineering"]
    assert {type(row["Time (min)"]) for row in rows} == {int, float, str}
    assert any(isinstance(row["notes"], int) for row in rows)
    assert any(row["level"] is None for row in rows)


def test_the_prompt_of_a_text_answer_shows_the_parts_that_are_read():
    """The form in the prompt names every field of the schema, and its blanks filled in give a whole output."""
    settings = read_settings("product_reviews")
    text = (ROOT / settings.chain[0].prompt).read_text(encoding="utf-8")
    prompt = PromptSettings.model_validate(yaml.safe_load(text))
    found = find_form(prompt.system)
    assert found is not None
    model = load_model("product_reviews")
    answer = re.sub(r"<a (?:whole )?number[^>]*>", "1", found.text)
    read = parse_text_answer(answer, build_text_form(model, settings.answer), model)
    assert isinstance(read, ValidAnswer)
    assert read.parse_errors == ()
    assert read.output["rating"] == 1


def test_the_reviews_hold_what_tempts_a_parser_and_a_model():
    """A measure, a rating and an instruction stand in the texts, two reviews are the same, and two say nothing."""
    rows = read_batches("product_reviews")["autumn"]
    texts = [str(row["review"]) for row in rows]
    for words in ("3.5 mm jack", "Rating: 10", "ignore your instructions"):
        assert [text for text in texts if words in text]
    visible = [(row["product"], row["title"], flatten(row["review"])) for row in rows]
    assert len(visible) - len(set(visible)) == 1
    assert sum(text in {"None", "NULL"} for text in texts) == 2


def test_the_example_has_a_hook_of_each_kind():
    """Each function takes real reviews: empty ones are left out, a danger is checked, points are tidied and scored."""
    project = Project(root=ROOT, environ={})
    task = load_task(project, "product_reviews")
    hooks = load_hooks(task.settings.hooks, task, project)
    assert hooks is not None
    assert hooks.request
    assert hooks.result
    assert hooks.check
    assert hooks.scorer
    values = {"product": "Pike Kettle", "title": "", "review": "It is dangerous."}
    item = HookItem(work_id="w", row_ids=("r",), values=values, group_key=None, group_context=None)
    empty = replace(item, values={**values, "review": ""})
    assert isinstance(hooks.request.call(empty), Skip)
    given = hooks.request.call(item)
    assert given == Request(names={"dangers": "dangerous"}, extra={"n_words": 3, "is_danger": True})
    output: dict[str, JsonValue] = {"rating": 9, "analysis_points": ["Hot.", "hot", "Fast."]}
    tidied = hooks.result.call(item, output)
    assert tidied == {"rating": 9, "analysis_points": ["Hot", "Fast"]}
    item = replace(item, extra={"is_danger": True})
    assert isinstance(hooks.check.call(item, tidied), Rejection)
    assert hooks.check.call(item, {**tidied, "rating": 1}) is None
    assert hooks.scorer.call(tidied, None) == 0.5
    by_stars = load_scorers(load_task(project, "product_reviews"), project)["rating"]
    found = [by_stars.call({"rating": 10}, stars) for stars in ("5", "1", "")]
    assert found == [1, pytest.approx(1 / 9), None]


def load_drawing() -> ModuleType:
    path = ROOT / "data" / "samples" / "scanned_pages" / "draw_pages.py"
    spec = importlib.util.spec_from_file_location("draw_pages", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["draw_pages"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def split_png(content: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG, its dots unpacked: another zlib may pack them otherwise."""
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place < len(content):
        n_bytes = int.from_bytes(content[place : place + 4], "big")
        chunks[content[place + 4 : place + 8]] = content[place + 8 : place + 8 + n_bytes]
        place += 12 + n_bytes
    return {**chunks, b"IDAT": zlib.decompress(chunks[b"IDAT"])}


def test_the_scanned_pages_are_those_that_the_script_draws():
    """Every page is as its script draws it, and what the offline model sees of it is what was drawn."""
    drawing = load_drawing()
    names = {page.name for page in drawing.PAGES}
    assert {path.stem for path in drawing.FOLDER.glob("**/*.png")} == names
    for page in drawing.PAGES:
        content = (drawing.FOLDER / f"{page.name}.png").read_bytes()
        assert split_png(content) == split_png(drawing.draw_page(page))
        url = f"data:image/png;base64,{b64encode(content).decode()}"
        assert read_picture(url) == Picture(size=(620, 877), description=page.description)


def test_the_scanned_pages_are_all_there_and_one_of_them_twice():
    """Each row names a page, each page is named, and one lies in two places as the same bytes."""
    project = Project(root=ROOT, environ={})
    task = load_task(project, "scanned_pages")
    snapshot = take_snapshot(task, project, find_batch(task, project, "archive").key)
    findings = find_images(task, snapshot)
    assert findings is not None
    assert len(findings.found) == 31
    files = {file.sha256 for file in findings.found.values() if isinstance(file, ImageFile)}
    assert len(files) == 30


def test_the_pages_are_read_by_a_step_that_sees_and_labelled_by_one_that_does_not():
    """The first step is shown the picture; the second one reads all that the first one said."""
    layout, labels = read_settings("scanned_pages").chain
    assert (layout.name, layout.images is None, labels.name) == ("layout", False, "labels")
    assert (labels.images, labels.after) == (None, ("layout",))
    prompt = (ROOT / labels.prompt).read_text(encoding="utf-8")
    for name in load_model("scanned_pages", "Layout").model_fields:
        assert f"{{{{ steps.layout.{name}" in prompt


def test_the_offline_model_reads_the_pages_as_they_were_drawn(tmp_path: Path):
    """Without eyes, both steps come to what is known of each page: its layout, its kind, its heading and its stamp."""
    for folder in ("configs", "prompts", "data/samples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    project = TinyProject(tmp_path)
    run = project.run_json("scanned_pages")
    assert run.batch["outcomes"] == {"accepted": 31}
    drawn = {page.name: page for page in load_drawing().PAGES}
    for row in project.read_export("archive", "scanned_pages"):
        page = drawn[Path(row["scan"]).stem]
        assert row["layout.arrangement"] == page.arrangement
        assert json.loads(row["layout.blocks"]) == page.blocks
        kind = (
            page.name.split("-")[0].replace("delivery", "delivery_note").replace("blank", "other")
        )
        assert (row["labels.kind"], row["labels.title"]) == (kind, page.title)
        assert row["labels.has_table"] == str(bool(page.table)).lower()
        assert row["labels.stamp"] == (page.stamp.lower() or "none")
