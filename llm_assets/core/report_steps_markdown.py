"""How the parts of a report that are about steps and their judges read as Markdown."""

from collections.abc import Iterable, Sequence

from llm_assets.core.llm_outputs import OUTCOMES, LLMOutputsMeta
from llm_assets.core.markdown import render_code, render_table
from llm_assets.core.money import render_cost
from llm_assets.core.report_judge import JudgeResults, build_judge_results
from llm_assets.core.report_steps import StepReport


def render_steps(steps: Sequence[StepReport]) -> Iterable[str]:
    """A row for each step, and below it what its judge made of the answers."""
    if not steps:
        return
    yield f"## Steps\n\n{render_table(_HEADER, [_list_cells(step) for step in steps])}"
    for step in steps:
        if step.judge is not None:
            yield render_judge(step.judge, of=f" of {render_code(step.name)}")


_HEADER = [
    "Step",
    "After",
    "Model",
    "Accepted",
    "Stopped here",
    "Other outcomes",
    "Calls",
    "Prompt tokens",
    "Completion tokens",
    "Cost",
]


def _list_cells(step: StepReport) -> list[str]:
    totals = step.totals
    others = [
        f"{count:,} {outcome}"
        for outcome in OUTCOMES
        if outcome != "accepted" and (count := totals.outcomes.get(outcome, 0))
    ]
    return [
        render_code(step.name),
        ", ".join(map(render_code, step.after)),
        render_code(step.model),
        f"{totals.outcomes.get('accepted', 0):,} of {totals.n_items:,}",
        f"{step.n_stopped:,}",
        ", ".join(others),
        f"{totals.n_calls:,}",
        f"{totals.prompt_tokens:,}",
        f"{totals.completion_tokens:,}",
        render_cost(
            totals.cost_usd, n_calls=totals.n_calls, n_calls_unpriced=totals.n_calls_unpriced
        ),
    ]


def render_judge(judge: JudgeResults, *, of: str = "") -> str:
    """The counts of a judge; `of` names its step where there are several."""
    n_verdicts = judge.n_accepting + judge.n_rejecting
    table = render_table(
        ["", ""],
        [
            ["Model", render_code(judge.model)],
            ["Verdicts", f"{n_verdicts:,}"],
            ["of these rejections", f"{judge.n_rejecting:,}"],
            ["Items accepted after a rejection", f"{judge.n_items_mended:,}"],
            ["Items rejected for good", f"{judge.n_items_rejected:,}"],
            ["Calls without a verdict", f"{judge.n_without_verdict:,}"],
            ["Items that no verdict came for", f"{judge.n_items_unjudged:,}"],
        ],
    )
    hint = "\n\nWhere no verdict came, the answer is kept, and the next run asks the judge alone."
    return f"## Judge{of}\n\n{table}" + (hint if judge.n_items_unjudged else "")


def list_origin(
    outputs: LLMOutputsMeta, *, schema_path: str, judge: JudgeResults | None
) -> list[list[str]]:
    """What the calls were made from, for a table with a name and a hash; of each step, where there are several."""
    if not outputs.steps:
        return [
            *_list_call_origin(outputs, schema_path=schema_path),
            *(_list_judge_origin(judge) if judge else []),
        ]
    rows: list[list[str]] = []
    for account in outputs.steps:
        judged = build_judge_results((), account.made)
        own = _list_call_origin(account.made, schema_path=schema_path)
        own += _list_judge_origin(judged) if judged else []
        rows += [[f"{what} of {render_code(account.name)}", *rest] for what, *rest in own]
    return rows


def _list_call_origin(outputs: LLMOutputsMeta, *, schema_path: str) -> list[list[str]]:
    return [
        ["Prompt", render_code(outputs.prompt_path), render_code(outputs.prompt_sha256)],
        ["Schema", render_code(schema_path), render_code(outputs.schema_sha256)],
        ["Endpoint", render_code(outputs.endpoint), ""],
        ["Model", render_code(outputs.model), ""],
        ["Structured output", render_code(outputs.structured_output), ""],
    ]


def _list_judge_origin(judge: JudgeResults) -> list[list[str]]:
    return [
        [
            "Judge's prompt",
            render_code(judge.prompt_path or ""),
            render_code(judge.prompt_sha256 or ""),
        ],
        ["Judge's endpoint", render_code(judge.endpoint or ""), ""],
        ["Judge's model", render_code(judge.model), ""],
    ]
