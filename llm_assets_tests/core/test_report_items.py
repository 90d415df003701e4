import json
from dataclasses import replace
from typing import Any

from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import CallKey, RowId
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.item_scores import FieldScore, ItemScore
from llm_assets.core.recorded_calls import (
    CallsOnRecord,
    RecordedAnswer,
    RecordedFault,
    SentMessage,
    TriedCall,
)
from llm_assets.core.report_items import (
    EXCERPT_CHARS,
    ItemSources,
    build_item_entries,
    build_item_table,
    list_call_keys,
    list_shared_parts,
    rank_items,
)
from llm_assets_tests.core.test_report import build_attempt, build_item

SYSTEM = "Sort this."


def build_sources(*items, calls=None):
    n_rows = 1 + max(int(row[1:]) for item in items for row in item.row_ids)
    rows = tuple(
        InputRow(row_id=RowId(f"r{at}"), line=at + 2, values={"b": f"text {at} " * 30, "a": at})
        for at in range(n_rows)
    )
    meta = InputMeta(
        input_path="may.csv",
        sha256="a" * 64,
        format="csv",
        encoding=None,
        n_rows=n_rows,
        n_cols=2,
        columns=("a", "b"),
        n_nulls=0,
    )
    return ItemSources(
        snapshot=InputSnapshot(meta=meta, records=rows),
        columns=("b",),
        records=items,
        calls=calls or CallsOnRecord(),
    )


def build_calls(*keys):
    """Calls that share their system message, each with a text of its own and a try that failed."""
    parts = {fingerprint_text(text): text for text in (SYSTEM, *keys)}
    fault = RecordedFault(kind="rate_limited", http_status=429, message="Slow down.")
    answer = RecordedAnswer(text="{}", refusal=None, model="m-1", latency_seconds=0.51234)
    calls = {
        CallKey(key): TriedCall(
            messages=(
                SentMessage(role="system", parts=(fingerprint_text(SYSTEM),)),
                SentMessage(role="user", parts=(fingerprint_text(key),)),
            ),
            answer=answer,
            faults=(fault,),
        )
        for key in keys
    }
    return CallsOnRecord(calls=calls, parts=parts)


def read_entries(sources, ranked, *, shared) -> list[dict[str, Any]]:
    """The entries as a page reads them: JSON."""
    entries = [dict(entry) for entry in build_item_entries(sources, ranked, shared=shared)]
    return json.loads(json.dumps(entries))


def test_failed_items_stand_first():
    """Below them the accepted ones, each in the order of the input."""
    items = [
        build_item(0),
        build_item(1, outcome="failed"),
        build_item(2),
        build_item(3, outcome="invalid"),
    ]
    assert [item.work_id for item in rank_items(items)] == ["w1", "w3", "w0", "w2"]


def test_a_row_of_the_table_says_what_matters():
    """The row's number, what it was asked and answered in a line, what it took, and labels to sort by."""
    items = (
        build_item(1, output={"label": "x", "note": "fine", "score": 1}, group="g"),
        build_item(0, output={"label": "y", "note": "n" * 200, "score": 3}, group="g"),
        build_item(2, output={"label": "y", "note": "well", "score": 3}),
    )
    table = build_item_table(build_sources(*items), items)
    assert table.fields == ("label", "score")
    assert table.groups == ("g",)
    first, second, _ = table.rows
    assert first[:3] == (2, 0, 0)
    assert first[4:] == ("fine", 1, 1050, 0.01, "w1", None, None, "x", 1)
    assert len(str(first[3])) == len(str(second[4])) == EXCERPT_CHARS
    assert str(first[3]).endswith("…")


def test_scores_stand_with_their_items():
    """The table has a score to sort by, and an opened item says what was expected of each field."""
    items = (build_item(0), build_item(1), build_item(2))
    sources = build_sources(*items)
    assert not build_item_table(sources, items).has_scores
    fields = (
        FieldScore(name="label", expected="ok", found="ok", score=1.0, gap=None),
        FieldScore(name="note", expected=None, found="x", score=None, gap="missing"),
    )
    scores = {
        item.work_id: ItemScore(
            work_id=item.work_id, group=None, standing="answered", score=score, fields=fields
        )
        for item, score in ((items[0], 2 / 3), (items[1], None))
    }
    sources = replace(sources, scores=scores)
    table = build_item_table(sources, items)
    assert table.has_scores
    assert [row[9] for row in table.rows] == [0.6667, None, None]
    first, _, last = read_entries(sources, items, shared={})
    assert first["expected"] == [["label", "ok", 1.0, None], ["note", None, None, "missing"]]
    assert "expected" not in last


def test_a_failed_item_says_why():
    """In the place of an answer stands the reason; a cost that is not known is not 0."""
    failed = build_item(0, outcome="invalid", reason="No JSON.", attempts=(build_attempt(None),))
    ((*row,),) = build_item_table(build_sources(failed), (failed,)).rows
    assert row[4] == "No JSON."
    assert row[7] is None


def test_a_group_is_told_by_its_size():
    """Its rows stand in the prompt."""
    item = build_item(0, 1, 2)
    (row,) = build_item_table(build_sources(item), (item,)).rows
    (entry,) = read_entries(build_sources(item), (item,), shared={})
    assert row[3] == "3 rows"
    assert (entry["input"], entry["lines"], entry["n_rows"]) == (None, [2, 3, 4], 3)


def test_an_entry_holds_the_words_of_its_calls():
    """Input in the table's order, messages with shared parts as numbers, the answer, and what went wrong before."""
    calls = build_calls("one", "two")
    items = tuple(
        build_item(at, attempts=(build_attempt(key=key),)) for at, key in enumerate(["one", "two"])
    )
    sources = build_sources(*items, calls=calls)
    shared, places = list_shared_parts(items, calls)
    assert [calls.parts[part] for part in shared] == [SYSTEM]
    first, _ = read_entries(sources, items, shared=places)
    (call,) = first["calls"]
    assert list(first["input"]) == ["a", "b"]
    assert call["messages"] == [["system", [0]], ["user", ["one"]]]
    assert (call["answer"], call["model"], call["seconds"]) == ("{}", "m-1", 0.512)
    assert call["faults"] == ["429: Slow down."]


def test_shared_parts_stand_in_the_order_of_their_first_use():
    """The same calls give the same numbers for the parts, so a page made again is the same to the byte."""
    words = [f"part {number}" for number in range(8)]
    parts = {fingerprint_text(text): text for text in words}
    message = SentMessage(role="system", parts=tuple(parts))
    call = TriedCall(messages=(message,), answer=None, faults=())
    calls = CallsOnRecord(calls={CallKey("k"): call}, parts=parts)
    shared, places = list_shared_parts([build_item(0), build_item(1)], calls)
    assert [calls.parts[part] for part in shared] == words
    assert list(places.values()) == list(range(8))


def test_a_call_that_equal_items_share_is_asked_for_once():
    """The ledger is read by these keys."""
    items = [build_item(0), build_item(1), build_item(2, attempts=(build_attempt(key="other"),))]
    assert list_call_keys(items) == ("k", "other")
