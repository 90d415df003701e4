"""What a person sees while a command runs: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import click
from rich.console import Console as RichConsole
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from llm_assets.cli.results import BatchResult
from llm_assets.core.gate_text import render_routes
from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.llm_outputs import Outcome
from llm_assets.core.money import render_usd
from llm_assets.core.plan import Plan
from llm_assets.core.plan_text import render_plan
from llm_assets.core.run_summary import RunSummary, StepSummary
from llm_assets.core.setting_changes import SettingChange, render_setting_change
from llm_assets.core.status_text import render_batch
from llm_assets.core.task_status import BatchStatus
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.progress import Progress
from llm_assets.gateways.progress_text import render_progress


class Console(Observer):
    """Plain lines on standard error, so that standard output stays free for results."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet

    def show_changes(self, changes: Sequence[SettingChange]) -> None:
        """Say what is not as in the task's file."""
        for change in changes:
            self._say(f"set: {render_setting_change(change)}")

    def begin_batch(self, task: TaskName, batch: BatchKey) -> None:
        """Say which batch comes now."""
        self._say(f"{task} / {batch}")

    def show_plan(self, plan: Plan, /) -> None:
        """Say what is going to happen."""
        self._say(f"  plan: {render_plan(plan)}")

    def show_progress(self, progress: Progress, /) -> None:
        """Say how far it is."""
        self._say(f"  {render_progress(progress)}")

    def show_warning(self, text: str, /) -> None:
        """Say what a person may want to act on."""
        self._say(f"  warning: {text}")

    def show_result(self, result: BatchResult) -> None:
        """Say what came of the batch and where it lies."""
        self._say(f"  done: {render_summary(result.summary)}")
        for step in result.summary.steps:
            self._say(f"    {render_step(step)}")
        if result.gate is not None:
            self._say(f"  gate: {render_routes(result.gate)}")
        if result.is_rehearsal:
            self._say("  The offline model answered: this is a rehearsal, not an LLM.")
        for name, path in result.artifacts.items():
            self._say(f"  {name}: {path}")

    def show_due(self, batches: Sequence[BatchStatus], *, n_batches: int) -> None:
        """Say which batches are not up to date, and why."""
        self._say(f"{len(batches)} of {n_batches} batches are not up to date")
        for batch in batches:
            self._say(f"  {render_batch(batch)}")

    def show_made(self, stages: Sequence[str]) -> None:
        """Say what was made of a batch for which no model was needed."""
        self._say(f"  done: {', '.join(stages)} made anew")

    def show_note(self, text: str) -> None:
        """Say what else was done."""
        self._say(text)

    def show_problem(self, problem: str) -> None:
        """Say what went wrong, also to a script."""
        click.echo(f"Error: {problem}", err=True)

    def _say(self, line: str) -> None:
        if not self._is_quiet:
            click.echo(line, err=True)


class TerminalConsole(Console):
    """The same with a bar that moves while calls are under way, for people who watch."""

    def __init__(self) -> None:
        super().__init__(is_quiet=False)
        self._bar: Bar | None = None

    def show_live(self, progress: Progress, /) -> None:
        """Move the bar."""
        if self._bar is None:
            columns = (BarColumn(bar_width=30), TextColumn("{task.description}"))
            self._bar = Bar(*columns, console=RichConsole(stderr=True), transient=True)
            self._bar.add_task("", total=progress.n_to_run)
            self._bar.start()
        elapsed_seconds = self._bar.tasks[0].elapsed or 0.0
        line = render_progress(progress)
        if elapsed_seconds > 1:
            line += f", {progress.n_answers / elapsed_seconds:.0f} answers/s"
        self._bar.update(TaskID(0), completed=progress.n_done, description=line)

    def show_progress(self, progress: Progress, /) -> None:
        """Nothing while the bar moves; the last state stays as a line."""
        if progress.is_over:
            self._stop_bar()
            super().show_progress(progress)

    def show_problem(self, problem: str) -> None:
        """Say what went wrong, below the bar."""
        self._stop_bar()
        super().show_problem(problem)

    def close(self) -> None:
        """Leave the terminal as it was, also after Ctrl-C."""
        self._stop_bar()

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextmanager
def open_console(*, is_quiet: bool) -> Generator[Console]:
    """The console of one command."""
    if is_quiet or not sys.stderr.isatty():
        yield Console(is_quiet=is_quiet)
        return
    console = TerminalConsole()
    try:
        yield console
    finally:
        console.close()


def render_step(step: StepSummary) -> str:
    """One step of a run in a line."""
    tokens = step.prompt_tokens + step.completion_tokens
    prefix = "" if step.cost_is_known else "at least "
    return (
        f"{step.name}: {_render_ends(step.outcomes)}; {step.calls_sent} calls sent; "
        f"{tokens:,} tokens, {prefix}{render_usd(step.cost_usd)}"
    )


def _render_ends(outcomes: Mapping[Outcome, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in outcomes.items() if count) or "no items"


def render_summary(summary: RunSummary) -> str:
    """A run in a line."""
    tokens = summary.prompt_tokens + summary.completion_tokens
    cached = f" ({summary.cached_tokens:,} cached)" if summary.cached_tokens else ""
    prefix = "" if summary.cost_is_known else "at least "
    return (
        f"{_render_ends(summary.outcomes)}; {summary.calls_sent} calls sent, {summary.calls_reused} answers reused; "
        f"{tokens:,} tokens{cached}, {prefix}{render_usd(summary.cost_usd)}; {summary.elapsed_seconds:.1f} s"
    )
