"""What a run left of a batch, for people and for scripts."""

from dataclasses import dataclass

from pydantic import JsonValue

from llm_assets.core.gate import GateMeta
from llm_assets.core.ids import BatchKey
from llm_assets.core.run_summary import RunSummary, StepSummary
from llm_assets.errors import BudgetError
from llm_assets.gateways.artifacts import load_model
from llm_assets.gateways.exports import find_export
from llm_assets.gateways.project import Project
from llm_assets.gateways.reports import find_page, find_report
from llm_assets.gateways.review_stages import find_review_book
from llm_assets.gateways.steps_run import find_run_record
from llm_assets.gateways.stored_reports import load_gate
from llm_assets.gateways.stored_stages import find_stored_batch
from llm_assets.gateways.tasks import Task

NOT_FAILED = ("accepted", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """One batch after a run."""

    batch: BatchKey
    summary: RunSummary
    is_rehearsal: bool
    gate: GateMeta | None
    """How the items were sorted; None where the task has no gate."""
    artifacts: dict[str, str]
    """What each file is, and where it lies."""

    @property
    def exit_code(self) -> int:
        """3 where a budget left items out, 1 where items have no accepted output, else 0."""
        outcomes = self.summary.outcomes
        if outcomes.get("over_budget"):
            return BudgetError.exit_code
        return int(any(count for name, count in outcomes.items() if name not in NOT_FAILED))

    def build_json(self) -> dict[str, JsonValue]:
        """The batch for scripts: tokens and cost are those of the calls that this run sent."""
        summary = self.summary
        return {
            "batch": self.batch,
            "items": summary.n_items,
            "outcomes": {name: count for name, count in summary.outcomes.items() if count},
            "calls_sent": summary.calls_sent,
            "calls_reused": summary.calls_reused,
            "tokens": {
                "prompt": summary.prompt_tokens,
                "completion": summary.completion_tokens,
                "cached": summary.cached_tokens,
            },
            "cost_usd": float(summary.cost_usd),
            "cost_is_known": summary.cost_is_known,
            "elapsed_seconds": summary.elapsed_seconds,
            "artifacts": dict(self.artifacts),
            **({} if self.gate is None else {"routes": {**self.gate.routes}}),
            **(
                {"steps": [_build_step_json(step) for step in summary.steps]}
                if summary.steps
                else {}
            ),
        }


def _build_step_json(step: StepSummary) -> JsonValue:
    return {
        "step": step.name,
        "outcomes": {name: count for name, count in step.outcomes.items() if count},
        "calls_sent": step.calls_sent,
        "tokens": {"prompt": step.prompt_tokens, "completion": step.completion_tokens},
        "cost_usd": float(step.cost_usd),
        "cost_is_known": step.cost_is_known,
    }


def load_batch_result(task: Task, project: Project, batch: BatchKey) -> BatchResult:
    """Read what the run left."""
    path = find_run_record(task, project, batch)
    files = {name: find_export(task, project, batch, name) for name in task.settings.export.formats}
    artifacts = {f"export_{name}": str(path) for name, path in files.items()}
    artifacts["report"] = str(find_report(task, project, batch))
    artifacts["page"] = str(find_page(task, project, batch))
    artifacts["outputs"] = str(path.with_name(f"{batch}.jsonl"))
    if task.settings.gate is not None:
        folder = project.artifacts / task.name
        artifacts["published"] = str(folder / "published" / f"{batch}.jsonl")
        artifacts["review_queue"] = str(find_review_book(task, project, batch))
    return BatchResult(
        batch=batch,
        summary=load_model(path, RunSummary, shown=path.name),
        gate=load_gate(find_stored_batch(task, project, batch)),
        is_rehearsal=task.is_rehearsal,
        artifacts=artifacts,
    )
