"""Whether the gate's assets show, keep and bring up to date what goes out and what waits for a person."""

import json

import openpyxl
import pytest

from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.cleaning import build_task_cleaner
from llm_assets_tests.defs.reviewed_shop import ReviewedShop
from llm_assets_tests.end_to_end.gated_project import CONFIG, ROUTES, read_published, read_routes

pytestmark = pytest.mark.slow

EXPECTED = "expected:\n  from_review: true\n  fields:\n    mood:\n"
GATE_STAGES = ("corrections", "gate", "review_queue", "published")
DECIDED_ON = {
    "3": {"decision": "approve"},
    "4": {"decision": "edit", "mood": "good", "note": "It is a joke."},
    "6": {"decision": "reject"},
}
REVIEWED = {**ROUTES, "3": "published", "4": "published", "6": "turned_down"}


def read_versions(shop: ReviewedShop, batch: str = "may") -> dict[str, str]:
    return {stage: shop.read_version(stage, batch) for stage in GATE_STAGES}


def count_waiting(shop: ReviewedShop) -> int:
    """The rows below the header of the workbook of what waits."""
    book = openpyxl.load_workbook(shop.tiny.root / "data/review_queue/notes/may.xlsx")
    return book.worksheets[0].max_row - 1


def test_0_8_passes_and_a_missing_number_does_not(shop: ReviewedShop):
    """At 0.8 a confidence of 0.8 is published, 0.79 and none at all wait, and what failed is neither."""
    assert read_routes(shop.tiny) == ROUTES
    assert list(read_published(shop.tiny)) == ["1", "2"]
    assert [record["row_ids"] for record in shop.tiny.read_records("review_queue")] == [
        ["3"],
        ["4"],
        ["6"],
    ]
    why = {each["row_ids"][0]: each["why"] for each in shop.tiny.read_records("gate")}
    assert why["2"] == "confidence is 0.8, at least 0.8."
    assert why["4"] == "confidence holds no number, which counts as below 0.8."


@pytest.mark.parametrize(("at_least", "n_published"), [(2, 0), (-1, 4)])
def test_all_are_there_also_where_nothing_is_in_them(
    shop: ReviewedShop, at_least: int, n_published: int
):
    """Where everything waits and where nearly nothing does, every stage has its value and the queue its workbook."""
    shop.run(f"gate.at_least={at_least}")
    assert len(read_published(shop.tiny)) == n_published
    assert len(shop.tiny.read_records("review_queue")) == 5 - n_published
    assert count_waiting(shop) == 5 - n_published
    assert shop.tiny.read_records("corrections") == []
    counts = {stage: shop.read_metadata(stage)["dagster/row_count"] for stage in GATE_STAGES}
    assert counts == {
        "corrections": 0,
        "gate": 6,
        "review_queue": 5 - n_published,
        "published": n_published,
    }


def test_every_way_is_told(shop: ReviewedShop):
    """The metadata counts the ways; the log names each row that is held back, with its value and the threshold."""
    metadata = shop.read_metadata("gate")
    assert (metadata["field"], metadata["at_least"]) == ("confidence", 0.8)
    assert [
        metadata[f"routed_{route}"]
        for route in ("published", "review_queue", "turned_down", "failed")
    ] == [2, 3, 0, 1]
    assert metadata["routes"] == (
        "2 published, 3 waiting for a person, 1 without an output that counts"
    )
    assert shop.materialize(["gate"]).success
    told = shop.read_log()
    assert metadata["routes"] in told
    assert "3 -> review_queue: confidence is 0.79, below 0.8." in told
    assert "6 -> review_queue: confidence is 0.3, below 0.8." in told
    assert [line for line in told if line.startswith("5 -> failed: invalid")]
    workbook = shop.read_metadata("review_queue")["workbook"]
    assert str(workbook).endswith("project/data/review_queue/notes/may.xlsx")


def test_another_threshold_in_the_config_sorts_anew_and_asks_nothing(shop: ReviewedShop):
    """The gate alone is stale; what then comes after it is made where something changed."""
    shop.tiny.edit(CONFIG, "at_least: 0.8", "at_least: 0.5")
    stale = shop.list_stale()
    assert set(stale) == {"gate", "report"}
    assert stale["gate"] == ("`gate` changed",)
    made = shop.refresh()
    assert {"gate", "review_queue", "published", "report"} <= set(made)
    assert not {"llm_outputs", "corrections", "export"} & set(made)
    assert read_routes(shop.tiny) == {**ROUTES, "3": "published"}
    assert shop.count_asked() == 0
    assert shop.list_stale() == {}


def test_a_threshold_for_one_run_is_stale_without_it(shop: ReviewedShop):
    """`--set` and the launchpad's option sort by another number, and the next look goes by the file again."""
    shop.run("gate.at_least=0.5")
    assert read_routes(shop.tiny)["3"] == "published"
    assert "gate" in shop.list_stale()
    assert "gate" in shop.refresh()
    assert read_routes(shop.tiny) == ROUTES
    assert shop.list_stale() == {}

    assert shop.materialize(["gate", "published"], at_least=0.2).success
    assert read_routes(shop.tiny)["6"] == "published"
    assert "6" in read_published(shop.tiny)
    assert shop.read_metadata("gate")["at_least"] == 0.2
    assert "confidence is 0.3, at least 0.2." in {
        each["why"] for each in shop.tiny.read_records("gate")
    }
    assert "gate" in shop.list_stale()
    shop.refresh()
    assert read_routes(shop.tiny) == ROUTES
    assert shop.count_asked() == 0


def test_too_much_left_to_people_is_told(shop: ReviewedShop):
    """Three of five outputs wait, which is more than a quarter; where more may wait, the check passes."""
    end = shop.run()
    (check,) = [each for each in end.failed_checks if each.name == "gate_share"]
    assert "3 of 5 items with an output wait for a person (60%; up to 25% may)" in check.sentence
    shop.tiny.write(CONFIG, shop.tiny.read(CONFIG) + "checks:\n  gate_share: {max_share: 0.6}\n")
    assert "gate_share" not in {each.name for each in shop.run().failed_checks}
    assert shop.count_asked() == 0


def test_a_decision_goes_where_it_belongs_and_asks_nothing(shop: ReviewedShop):
    """Every batch looks at the decisions; only what one of them changes is made, and nothing is sent."""
    before = read_versions(shop, "june")
    taken = shop.decide(DECIDED_ON)
    assert taken.decisions == {"approve": 1, "edit": 1, "reject": 1}
    for batch in ("may", "june"):
        assert shop.list_stale(batch) == {"corrections": ("what people decided changed",)}

    made = shop.refresh()
    assert set(made) == {*GATE_STAGES, "report"}
    assert read_routes(shop.tiny) == REVIEWED
    published = read_published(shop.tiny)
    assert {row: each["origin"] for row, each in published.items()} == {
        "1": "model",
        "2": "model",
        "3": "person",
        "4": "person",
    }
    assert published["4"]["output"]["mood"] == "good"
    assert (published["4"]["reviewer"], published["4"]["note"]) == ("Ana", "It is a joke.")
    assert count_waiting(shop) == 0

    assert shop.refresh(batch=type(taken.batch)("june")) == ("corrections",)
    assert read_versions(shop, "june") == before
    assert shop.count_asked() == 0
    assert shop.list_stale() == shop.list_stale("june") == {}


def test_what_people_did_is_shown(shop: ReviewedShop):
    """The metadata and the report say how many items people decided on, and the corrections who and what."""
    shop.decide(DECIDED_ON)
    shop.refresh()
    assert shop.read_metadata("gate")["decided_by_people"] == 3
    assert shop.read_metadata("published")["from_people"] == 2
    assert shop.read_metadata("corrections")["decisions_applied"] == 3
    report = shop.tiny.read("data/reports/notes/may.md")
    assert "People decided on 3 of these items." in report
    assert "2 by people; 0 more wait for one" in shop.tiny.read("data/reports/notes/may.html")
    assert "4 published (2 by people), 0 waiting for a person, 1 turned down" in str(
        shop.read_metadata("gate")["routes"]
    )
    assert '"n_by_people": 3' in shop.tiny.read("data/artifacts/notes/report/may.json")


def test_what_comes_out_the_same_is_no_news(shop: ReviewedShop):
    """A second run, and outputs that were asked for anew and are the same, change no version of what is published."""
    shop.decide(DECIDED_ON)
    shop.refresh()
    before, published = read_versions(shop), read_published(shop.tiny)
    shop.run()
    assert read_versions(shop) == before
    assert read_published(shop.tiny) == published
    assert shop.count_asked() == 0
    shop.run(choice=RunChoice(limit=None, is_forced=True))
    assert shop.count_asked() == 6
    assert shop.read_version("published") == before["published"]
    assert shop.list_stale() == {}


def test_putting_the_gate_away_keeps_what_people_decided(shop: ReviewedShop):
    """The workbook of what waits goes with the gate; the decisions stay, and so do their files."""
    shop.decide(DECIDED_ON)
    shop.refresh()
    cleaner = build_task_cleaner(shop.build_scope(), shop.history)
    cleaning = cleaner.plan("gate", ["may"])
    stages = {stage for stage, _ in cleaning.files}
    assert stages == {"gate", "review_queue", "published", "report"}
    cleaner.clean(cleaning)
    root = shop.tiny.root
    assert not (root / "data/review_queue/notes/may.xlsx").exists()
    assert not (root / "data/artifacts/notes/gate/may.jsonl").exists()
    assert (root / "data/review_queue/notes/june.xlsx").exists()
    assert (root / "data/artifacts/notes/corrections/may.jsonl").exists()

    cleaner.clean(cleaner.plan("corrections", ["may"]))
    shop.refresh()
    assert read_routes(shop.tiny) == REVIEWED
    assert count_waiting(shop) == 0
    assert shop.count_asked() == 0


def test_what_people_published_is_what_outputs_are_scored_by(shop: ReviewedShop):
    """Their decisions make the score stale and nothing before it; an approval is right, an edit wrong, no call is made."""
    shop.tiny.write(CONFIG, shop.tiny.read(CONFIG) + EXPECTED)
    shop.run()
    assert [each["score"] for each in shop.tiny.read_records("assessment")] == [None] * 6
    shop.decide(DECIDED_ON)
    assert "assessment" in shop.refresh()
    scores = {each["work_id"]: each["score"] for each in shop.tiny.read_records("assessment")}
    rows = {each["row_ids"][0]: each["work_id"] for each in shop.tiny.read_records("gate")}
    assert {row: scores[name] for row, name in rows.items() if scores[name] is not None} == {
        "3": 1.0,
        "4": 0.0,
    }
    assert shop.list_stale() == {}
    assert shop.count_asked() == 0


def test_a_trace_tells_what_became_of_an_item(shop: ReviewedShop):
    """The gate's decision with value and threshold, and the person's: who, why, and what was published instead."""
    shop.decide(DECIDED_ON)
    shop.refresh()
    text = shop.tiny.run("trace", "notes", "--batch", "may", "--row", "4").stdout
    assert "\nGate: published: Edited by Ana: It is a joke.\n" in text
    assert "  the model's output has no number, the gate asks for 0.8\n" in text
    assert "  edited by Ana, taken in on " in text
    assert "from filled.xlsx, row 3\n  note: It is a joke.\n" in text
    assert "    mood: good (the model: bad)\n" in text
    text = shop.tiny.run("trace", "notes", "--batch", "june", "--row", "2", "--json").stdout
    record = json.loads(text)
    assert (record["gate"]["route"], record["gate"]["value"]) == ("review_queue", 0.3)
    assert record["correction"] is None


def test_the_report_tells_what_people_decided(shop: ReviewedShop):
    """Page and Markdown name each decision with its note and the changed field, and are the same when made again."""
    shop.decide(DECIDED_ON)
    shop.refresh()
    made = {end: shop.tiny.read(f"data/reports/notes/may.{end}") for end in ("md", "html")}
    assert "| edit | Ana | It is a joke. | `mood`: bad → good |" in made["md"]
    assert "Gate: published: confidence is 0.95, at least 0.8." in made["md"]
    assert "<del>bad</del> <ins>good</ins>" in made["html"]
    assert 'href="../../review_queue/notes/may.xlsx"' in made["html"]
    assert shop.tiny.run("report", "notes").exit_code == 0
    assert made == {end: shop.tiny.read(f"data/reports/notes/may.{end}") for end in made}
