from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llm_assets.core.batch_summary import BatchSummary, order_summaries
from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.report_index import build_report_index
from llm_assets.gateways.report_index import (
    find_reports_folder,
    load_summaries,
    render_summary,
    write_index,
)
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.gateways.stages import build_project_files


def build_summary(batch, *, day: int | None = 1, cost="0.5", n_failed=0, n_unpriced=0):
    at = None if day is None else datetime(2026, 3, day, tzinfo=UTC)
    return BatchSummary(
        task=TaskName("notes"),
        batch=BatchKey(batch),
        page=f"{batch}.html",
        is_partial=False,
        is_rehearsal=False,
        endpoint="bench",
        model="m-1",
        n_items=10,
        outcomes={"accepted": 10 - n_failed, "failed": n_failed},
        n_calls=10,
        n_calls_unpriced=n_unpriced,
        prompt_tokens=100,
        completion_tokens=20,
        tokens_are_approximate=False,
        cost_usd=Decimal(cost),
        first_answer_at=at,
        last_answer_at=at,
        latency_p50_seconds=None,
        latency_p95_seconds=None,
    )


@pytest.fixture
def project(tmp_path):
    return build_project_files(tmp_path)


@pytest.fixture
def task(project):
    return load_task(project, "notes")


def test_numbers_come_back_as_they_were_written(project, task):
    """Exact costs included; files that hold something else, or another task's numbers, are passed over."""
    folder = find_reports_folder(task, project)
    folder.mkdir(parents=True)
    summary = build_summary("may", cost="0.1234567890123")
    (folder / "may.json").write_text(render_summary(summary))
    (folder / "foreign.json").write_text('{"x": 1}')
    (folder / "broken.json").write_text("{")
    other = summary.model_copy(update={"task": "other"})
    (folder / "other.json").write_text(render_summary(other))
    assert load_summaries(task, project) == (summary,)
    text = write_index(task, project).read_text()
    assert '<a href="may.html">may</a>' in text
    assert "1 March 2026, 00:00" in text


def test_batches_are_in_the_order_of_their_first_answers():
    """The latest stands on top of the table, and on the right of the charts."""
    summaries = [build_summary("c", day=None), build_summary("a", day=3), build_summary("b", day=1)]
    assert [each.batch for each in order_summaries(summaries)] == ["b", "a", "c"]
    index = build_report_index(TaskName("notes"), summaries)
    assert [line.summary.batch for line in index.lines] == ["c", "a", "b"]
    assert {chart.title for chart in index.charts} == {"Cost", "Tokens", "Not accepted"}


def test_sums_are_exact_and_honest():
    """Costs are added up as decimals; one price that is not known makes the sum a lower bound."""
    summaries = [build_summary("a", cost="0.1"), build_summary("b", cost="0.2", n_failed=3)]
    index = build_report_index(TaskName("notes"), summaries)
    assert (index.cost, index.n_items, index.n_accepted, index.n_tokens) == ("$0.30", 20, 17, 240)
    unpriced = build_report_index(TaskName("notes"), [build_summary("a", n_unpriced=2)])
    assert unpriced.cost == "at least $0.50 (price of 2 calls unknown)"


def test_one_batch_has_no_course():
    """A chart of one column says nothing, and none at all can be drawn of no batch."""
    assert build_report_index(TaskName("notes"), [build_summary("a")]).charts == ()
    assert build_report_index(TaskName("notes"), []).lines == ()
