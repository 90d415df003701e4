"""How a run's plan and progress reach its log in the UI."""

import logging
from collections.abc import Iterable, Sequence

import dagster as dg

from llm_assets.core.plan import Plan
from llm_assets.core.plan_text import render_plan
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.progress import Progress
from llm_assets.gateways.progress_text import render_progress


class LogObserver(Observer):
    """Writes a line for each thing it is told."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def show_plan(self, plan: Plan, /) -> None:
        """One line before the first call."""
        self._log.info(render_plan(plan))

    def show_progress(self, progress: Progress, /) -> None:
        """One line every few seconds."""
        self._log.info(render_progress(progress))

    def show_warning(self, text: str, /) -> None:
        """One line that stands out."""
        self._log.warning(text)


class Observers(Observer):
    """Tells several observers."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def show_plan(self, plan: Plan, /) -> None:
        """Hand the plan on."""
        for observer in self._observers:
            observer.show_plan(plan)

    def show_progress(self, progress: Progress, /) -> None:
        """Hand the progress on."""
        for observer in self._observers:
            observer.show_progress(progress)

    def show_live(self, progress: Progress, /) -> None:
        """Hand the progress on to who draws a bar."""
        for observer in self._observers:
            observer.show_live(progress)

    def show_warning(self, text: str, /) -> None:
        """Hand the warning on."""
        for observer in self._observers:
            observer.show_warning(text)


def log_lines(context: dg.AssetExecutionContext, lines: Iterable[str]) -> None:
    """Put lines into the run's log."""
    for line in lines:
        context.log.info(line)


def build_observer(context: dg.AssetExecutionContext, others: Sequence[Observer]) -> Observer:
    """The run's log, and whoever else wants to know."""
    return Observers([LogObserver(context.log), *others])
