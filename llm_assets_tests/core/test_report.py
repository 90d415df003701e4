from decimal import Decimal

import pytest
from markdown_it import MarkdownIt

from llm_assets.config.task import ReportSettings
from llm_assets.core.calls import Purpose
from llm_assets.core.context import Cut
from llm_assets.core.group_contexts import GroupContext, GroupContexts, GroupContextsMeta
from llm_assets.core.ids import (
    BatchKey,
    CallKey,
    GroupContextId,
    GroupKey,
    RowId,
    Sha256,
    TaskName,
    WorkId,
)
from llm_assets.core.input_snapshot import InputMeta, InputRow, InputSnapshot
from llm_assets.core.llm_outputs import (
    Attempt,
    ItemOutput,
    LLMOutputs,
    LLMOutputsMeta,
    Outcome,
    build_totals,
)
from llm_assets.core.report import MAX_CAUSES, ConfigSnapshot, Report, build_report
from llm_assets.core.report_markdown import (
    JUDGE_REHEARSAL_LINE,
    REHEARSAL_LINE,
    render_report_markdown,
)
from llm_assets.core.work_items import WorkItemsMeta
from llm_assets.errors import StorageError


def build_attempt(
    cost: str | None = "0.01",
    *,
    is_approximate=False,
    is_repaired=False,
    problem=None,
    key="k",
    purpose: Purpose = "generate",
    verdict: bool | None = None,
):
    return Attempt(
        number=1,
        purpose=purpose,
        call_key=CallKey(key),
        finish_reason="stop",
        problem=problem,
        is_repaired=is_repaired,
        prompt_tokens=1_000,
        completion_tokens=50,
        cached_tokens=100,
        is_approximate=is_approximate,
        cost_usd=None if cost is None else Decimal(cost),
        answered_at=None,
        verdict=verdict,
    )


def build_verdict(key, *, verdict: bool | None, **changes):
    return build_attempt(key=key, purpose="judge", verdict=verdict, **changes)


def build_item(
    *rows,
    outcome: Outcome = "accepted",
    reason=None,
    output=None,
    verdict=None,
    attempts=None,
    group=None,
):
    return ItemOutput(
        work_id=WorkId(f"w{rows[0]}"),
        row_ids=tuple(RowId(f"r{row}") for row in rows),
        group_key=None if group is None else GroupKey(group),
        group_context_id=None,
        outcome=outcome,
        output=(output or {"label": "ok"}) if outcome == "accepted" else None,
        verdict=verdict,
        reason=reason,
        attempts=(build_attempt(),) if attempts is None else attempts,
        accepted_at=None,
    )


def build_context(key, n_rows, *, n_rows_used=None, cuts=()):
    return GroupContext(
        group_context_id=GroupContextId(f"c{key}"),
        group_key=GroupKey(key),
        text="",
        n_rows=n_rows,
        n_rows_used=n_rows_used or n_rows,
        cuts=cuts,
    )


def report_on(
    *items,
    contexts=(),
    text="hello",
    is_rehearsal=False,
    judge=None,
    is_judge_rehearsal=False,
    artifacts=None,
    cache_saving_usd=None,
    assessment=None,
    **settings,
):
    n_rows = 1 + max((int(row[1:]) for item in items for row in item.row_ids), default=-1)
    mode = "row_output_with_group_context" if contexts else "row"
    return build_report(
        config=ConfigSnapshot(
            task=TaskName("triage"),
            batch=BatchKey("may_2024"),
            config_path="configs/triage.yaml",
            config_sha256=Sha256("c" * 64),
            schema_path="configs/schemas/triage.py",
            settings={"llm": {"temperature": 0.2}},
        ),
        snapshot=InputSnapshot(
            meta=InputMeta(
                input_path="data/may_2024.csv",
                sha256="a" * 64,
                format="csv",
                encoding="utf-8",
                n_rows=n_rows,
                n_cols=1,
                columns=("text",),
                n_nulls=0,
            ),
            records=tuple(
                InputRow(row_id=RowId(f"r{at}"), line=at + 2, values={"text": text})
                for at in range(n_rows)
            ),
        ),
        items_meta=WorkItemsMeta(
            mode=mode,
            grouping_column="team" if contexts else None,
            columns=("text",),
            n_items=len(items),
            n_rows=n_rows,
            n_group_contexts=len(contexts),
        ),
        contexts=GroupContexts(
            meta=GroupContextsMeta(grouping_column=None, n_groups=len(contexts), n_rows=n_rows),
            records=tuple(contexts),
        ),
        outputs=LLMOutputs(
            meta=LLMOutputsMeta(
                endpoint="openai",
                model="gpt-test",
                is_rehearsal=is_rehearsal,
                prompt_path="prompts/triage.yaml",
                prompt_sha256=Sha256("b" * 64),
                schema_sha256=Sha256("d" * 64),
                judge_model=judge,
                judge_prompt_sha256=Sha256("e" * 64) if judge else None,
                judge_prompt_path="prompts/judge.yaml" if judge else None,
                judge_endpoint="office" if judge else None,
                is_judge_rehearsal=is_judge_rehearsal,
                structured_output="json_schema",
                parameters={"temperature": 0.2},
                totals=build_totals(items),
                cache_saving_usd=cache_saving_usd,
            ),
            records=items,
        ),
        settings=ReportSettings(**settings),
        artifacts=artifacts or {},
        assessment=assessment,
    )


def render(*items, **changes):
    return render_report_markdown(report_on(*items, **changes))


def test_origins_with_their_hashes():
    """Input, config, prompt and schema stand with the hash of what was really used, and the settings in full."""
    text = render(build_item(0))
    for name, digit in [
        ("data/may_2024.csv", "a"),
        ("prompts/triage.yaml", "b"),
        ("configs/triage.yaml", "c"),
        ("configs/schemas/triage.py", "d"),
    ]:
        assert f"`{name}` | `{digit * 64}`" in text
    assert "`gpt-test`" in text
    assert '"llm": {\n    "temperature": 0.2\n  }' in text


def test_cached_tokens_are_shown_with_their_share_and_saving():
    """How much of the prompts came from a cache is said, and what that saved where the price is known."""
    assert "| of these cached | 100 (10.0%) |" in render(build_item(0))
    saved = render(build_item(0), cache_saving_usd=Decimal("0.0042"))
    assert "| of these cached | 100 (10.0%), which saved $0.0042 |" in saved
    assert "| of these cached | 0 |" in render(build_item(0, attempts=()))


def test_outcomes_are_counted():
    """Each outcome that occurred has its number and share of the items; the others are not listed."""
    text = render(
        *(build_item(at) for at in range(3)), build_item(3, outcome="refused", reason="no")
    )
    assert "| accepted | 3 | 75.0% |" in text
    assert "| refused | 1 | 25.0% |" in text
    assert "| truncated" not in text
    assert "| Accepted | 3 of 4 |" in text


@pytest.mark.parametrize(
    ("attempts", "lines"),
    [
        (
            [build_attempt("0.0132"), build_attempt("0", key="k2")],
            ["| Cost | $0.0132 |", "| Prompt tokens | 2,000 |", "| Calls | 2 |"],
        ),
        (
            [build_attempt("0.01"), build_attempt(None, key="k2")],
            ["| Cost | at least $0.01 (price of 1 call unknown) |"],
        ),
        ([build_attempt(None)], ["| Cost | unknown |"]),
        ([], ["| Cost | $0.00 |", "| Calls | 0 |"]),
        (
            [build_attempt(is_approximate=True)],
            [
                "| Prompt tokens | about 1,000 (approximate",
                "| Completion tokens | about 50 (approx",
            ],
        ),
        (
            [build_attempt(problem="bad"), build_attempt(is_repaired=True)],
            ["with more than one attempt | 1 |", "1 of 1 (1 after their JSON was mended)"],
        ),
    ],
)
def test_calls_tokens_and_cost(attempts, lines):
    """Sums are shown, and what is not known for sure is called so."""
    text = render(build_item(0, attempts=tuple(attempts)))
    for line in lines:
        assert line in text


def test_shared_call_without_a_price_counts_once():
    """Equal items share a call; it is one call of unknown price, not two."""
    unpriced = (build_attempt(None, key="shared"),)
    text = render(build_item(0), build_item(1, attempts=unpriced), build_item(2, attempts=unpriced))
    assert "at least $0.01 (price of 1 call unknown)" in text


def test_rehearsal_is_loud():
    """A report on answers of the offline model says so in its first lines; others don't."""
    assert render(build_item(0), is_rehearsal=True).split("\n\n")[1] == REHEARSAL_LINE
    assert "REHEARSAL" not in render(build_item(0))


def test_repaired_answers_that_did_not_count_are_not_told():
    """Only the accepted answer of an item counts as mended, not one before it and not a verdict."""
    attempts = (
        build_attempt(is_repaired=True, key="a"),
        build_verdict("j1", verdict=False),
        build_attempt(key="b"),
        build_verdict("j2", verdict=True, is_repaired=True),
    )
    assert "| Accepted | 1 of 1 |" in render(build_item(0, attempts=attempts), judge="strict-1")


def test_the_judges_share_is_counted():
    """Verdicts, rejections, troubles and what came of the items are told apart, with the judge's model."""
    yes, no = build_verdict("yes", verdict=True), build_verdict("no", verdict=False)
    trouble = build_verdict("trouble", verdict=None, problem="The judge gave no verdict: ...")
    written = build_attempt(key="w")
    text = render(
        build_item(0, attempts=(written, yes)),
        build_item(1, attempts=(written, yes)),  # shares its calls with the one before
        build_item(2, attempts=(written, no, written, build_verdict("yes2", verdict=True))),
        build_item(3, outcome="rejected", reason="too vague", attempts=(written, no)),
        build_item(4, outcome="failed", reason="The judge ...", attempts=(written, trouble)),
        build_item(5, outcome="failed", reason="It broke.", attempts=(written,)),
        judge="strict-1",
    )
    section = text.split("## Judge")[1].split("##")[0]
    for line in (
        "| Model | `strict-1` |",
        "| Verdicts | 3 |",
        "| of these rejections | 1 |",
        "| Items accepted after a rejection | 1 |",
        "| Items rejected for good | 1 |",
        "| Calls without a verdict | 1 |",
        "| Items that no verdict came for | 1 |",
        "the next run asks the judge alone",
    ):
        assert line in section
    assert "| rejected | 1 | 16.7% |" in text
    assert "Cause: too vague" in text
    assert f"| Judge's prompt | `prompts/judge.yaml` | `{'e' * 64}` |" in text
    assert "| Judge's endpoint | `office` |" in text


def test_without_a_judge_nothing_is_said_of_one():
    """A report on a task that has no judge does not name one."""
    assert "judge" not in render(build_item(0)).lower()


def test_a_sample_has_its_verdict():
    """What the judge said stands below the output that it accepted."""
    verdict = {"reason": "well sorted", "score": 11, "verdict": True}
    text = render(build_item(0, verdict=verdict), judge="strict-1")
    sample = text.split("### Sample 1")[1]
    assert sample.index('"label": "ok"') < sample.index("The judge said:")
    assert '"reason": "well sorted"' in sample


def test_a_rehearsed_judge_is_loud():
    """Verdicts of the offline model are no check, and the first lines say so, also where an LLM answered."""
    changes = {"judge": "extractive", "is_judge_rehearsal": True}
    assert render(build_item(0), **changes).split("\n\n")[1] == JUDGE_REHEARSAL_LINE
    both = render(build_item(0), is_rehearsal=True, **changes)
    assert both.split("\n\n")[1] == REHEARSAL_LINE
    assert "REHEARSAL" not in render(build_item(0), judge="strict-1")


def test_failures_by_cause():
    """Equal causes are one entry that names some of its items with their place in the source."""
    text = render(
        *(build_item(at, outcome="invalid", reason=f"'v{at}' is no label") for at in range(3)),
        build_item(3, outcome="failed", reason="server error 503", attempts=(), group="B"),
        failures_per_cause=2,
    )
    assert "### 1. invalid: 3 items\n\nCause: … is no label" in text
    assert "| `w0` | 1 (line 2) |  | 1 | 'v0' is no label |" in text
    assert "`w1`" in text
    assert "`w2`" not in text
    assert "and 1 more" in text
    assert "### 2. failed: 1 item\n\nCause: server error 503" in text
    assert "| `w3` | 4 (line 5) | B | 0 | server error 503 |" in text


def test_further_causes_are_counted():
    """Past a number of causes the rest is summed up, so that a bad day does not fill the report."""
    report = report_on(
        *(
            build_item(at, outcome="failed", reason="cause " + "x" * (at % (MAX_CAUSES + 2)))
            for at in range(2 * MAX_CAUSES + 3)
        )
    )
    assert len(report.causes) == MAX_CAUSES
    assert (report.n_causes_left_out, report.n_items_left_out) == (2, 3)
    assert "2 more causes with 3 items" in render_report_markdown(report)


def test_groups_by_size():
    """Groups have their spread, the largest by name, and how many the model saw only in part."""
    cut = Cut(row_id=None, column=None, n_chars=9, n_chars_kept=3)
    text = render(
        build_item(0),
        contexts=[build_context("small", 1), build_context("big", 30, n_rows_used=20, cuts=(cut,))],
    )
    assert "Groups: 2. Rows in a group: 1 at least, 1 in the middle, 30 at most." in text
    assert "Capped by `max_rows_per_group`: 1; text shortened: 1." in text
    assert text.index("| big | 30 | 20 |") < text.index("| small | 1 | 1 |")
    assert "## Groups" not in render(build_item(0))


def test_samples_stand_beside_their_input():
    """The first accepted outputs are shown in full with the row they belong to."""
    text = render(
        build_item(0, outcome="refused", reason="no"),
        build_item(1, output={"label": "first", "tags": ["a"]}),
        build_item(2, output={"label": "second"}),
        samples=1,
    )
    assert "### Sample 1: item `w1`, row 2 (line 3)" in text
    assert "| text | hello |" in text
    assert '"tags": [\n    "a"\n  ]' in text
    assert "second" not in text


def test_group_sample_names_its_first_lines():
    """An output of many rows has their lines, the first ones, and no row beside it."""
    text = render(build_item(*range(8), group="course A"))
    assert "source lines 2, 3, 4, 5, 6 and 3 more, group course A" in text
    assert "| text |" not in text


def test_foreign_text_cannot_break_out():
    """Rows, answers and reasons are shown as text, whatever they hold."""
    nasty = "a|b <img src=x> ``` \n# head [l](http://x) \ud800"
    text = render(
        build_item(0, output={"label": nasty}),
        build_item(1, outcome="invalid", reason=nasty, group=nasty),
        text=nasty,
    )
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
    kinds = {child.type for token in tokens for child in token.children or ()}
    headings = [token for token in tokens if token.type == "heading_open" and token.tag == "h1"]
    assert kinds <= {"text", "text_special", "code_inline"}
    assert "html_block" not in {token.type for token in tokens}
    assert len(headings) == 1
    assert "| text | a\\|b &lt;img src=x&gt; \\`\\`\\`" in text
    text.encode()


def test_artifacts_are_linked():
    """Every file is named with a link to its relative path."""
    text = render(build_item(0), artifacts={"export (csv)": "../export/triage.csv"})
    assert "| export (csv) | [../export/triage.csv](../export/triage.csv) |" in text


def test_empty_batch_has_a_report():
    """A batch without rows is reported and not divided by."""
    text = render()
    assert "The batch has no items." in text
    assert "| Rows | 0 |" in text


def test_report_stays_small():
    """Twenty thousand items, each failing in its own words, still fit a page."""
    items = [
        build_item(at, outcome="invalid", reason="x" * (at % 300) + " is wrong " * 40)
        for at in range(20_000)
    ]
    contexts = [build_context(f"g{at}", at + 1) for at in range(5_000)]
    assert len(render(*items, contexts=contexts)) < 100_000


def test_report_is_kept_and_read_back():
    """A report survives its way through JSON, and the same report gives the same text."""
    report = report_on(build_item(0), build_item(1, outcome="failed", reason="x"))
    again = Report.model_validate_json(report.model_dump_json())
    assert again == report
    assert render_report_markdown(again) == render_report_markdown(report)


def test_outputs_of_other_rows_are_refused():
    """Outputs that don't cover the rows are no ground for a report."""
    with pytest.raises(StorageError, match="1 rows have none"):
        report_on(build_item(1))
