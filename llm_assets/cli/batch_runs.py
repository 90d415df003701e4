"""How a command goes through batches one by one, and what it tells of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import JsonValue

from llm_assets.cli.console import Console
from llm_assets.cli.results import load_batch_result
from llm_assets.cli.task_choice import TaskChoice
from llm_assets.core.ids import BatchKey

if TYPE_CHECKING:
    from llm_assets.defs.run_ends import RunEnd  # imports Dagster, which takes long

ANSWERING_STAGE = "llm_outputs"


@dataclass(slots=True, kw_only=True)
class BatchRuns:
    """The batches that a command has gone through so far."""

    choice: TaskChoice
    console: Console
    records: list[dict[str, JsonValue]] = field(default_factory=list[dict[str, JsonValue]])
    codes: list[int] = field(default_factory=lambda: [0])

    @property
    def exit_code(self) -> int:
        """The worst of all batches."""
        return max(self.codes)

    def run_all(
        self, batches: Sequence[BatchKey], run_batch: "Callable[[BatchKey], RunEnd]"
    ) -> None:
        """Run one batch after the other; one that stops does not keep the next one from running."""
        for batch in batches:
            self.console.begin_batch(self.choice.task.name, batch)
            end = run_batch(batch)
            self._show_checks(end)
            if end.problem is None:
                self._note_done(batch, end)
                continue
            self.note_problem([batch], end)
            if end.is_endpoint_lost:
                break

    def note_problem(self, batches: Sequence[BatchKey], end: "RunEnd") -> None:
        """These batches stopped, all at the same thing."""
        problem = end.problem or ""
        self.console.show_problem(problem)
        self.records += [{"batch": batch, "error": problem} for batch in batches]
        self.codes.append(end.exit_code)

    def _note_done(self, batch: BatchKey, end: "RunEnd") -> None:
        checks: list[JsonValue] = [check.build_json() for check in end.failed_checks]
        made: list[JsonValue] = [*end.stages]
        self.codes.append(end.exit_code)
        if ANSWERING_STAGE not in end.stages:
            self.console.show_made(end.stages)
            self.records.append({"batch": batch, "made": made, "failed_checks": checks})
            return
        result = load_batch_result(self.choice.task, self.choice.project, batch)
        self.console.show_result(result)
        self.records.append({**result.build_json(), "made": made, "failed_checks": checks})
        self.codes.append(result.exit_code)

    def _show_checks(self, end: "RunEnd") -> None:
        for check in end.failed_checks:
            is_error = check.severity == "error"
            show = self.console.show_problem if is_error else self.console.show_warning
            show(check.render())
