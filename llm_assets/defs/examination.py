"""Do the command line and Dagster's own commands keep one history, can it be read, and do killed runs hold places?"""

from pathlib import Path

import dagster as dg

from llm_assets.core.findings import Finding, build_problems
from llm_assets.defs.abandoned_runs import UNFINISHED, end_abandoned_runs
from llm_assets.defs.calling import POOL
from llm_assets.defs.history import (
    HOME_VARIABLE,
    SETTINGS_FILE,
    find_settings,
    open_history,
)
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.env_file import read_env_file
from llm_assets.gateways.project import Project


def examine_home(project: Project, *, from_environ: str | None) -> Finding:
    """Which history is used, and by whom.

    `from_environ` is the variable as it was before `.env` was read: `llm-assets` goes by it first, Dagster's own
    commands go by `.env` first.
    """
    in_file = read_env_file(project.root).get(HOME_VARIABLE) or None
    own = from_environ or in_file or str(project.dagster_home)
    of_dagster = in_file or from_environ
    if of_dagster is None:
        text = f"{own} for `llm-assets`; Dagster's own commands know of none and forget theirs."
        remedy = f"Add the line `{HOME_VARIABLE}={own}` to .env."
        return Finding(level="warning", subject=HOME_VARIABLE, text=text, remedy=remedy)
    if Path(own) != Path(of_dagster):
        text = f"{own} for `llm-assets` (environment), but {of_dagster} for Dagster's own commands (.env)."
        remedy = f"Unset {HOME_VARIABLE} in the environment, or write the same into .env."
        return Finding(level="warning", subject=HOME_VARIABLE, text=text, remedy=remedy)
    return Finding(level="ok", subject=HOME_VARIABLE, text=own)


def examine_history(project: Project) -> tuple[Finding, ...]:
    """What the history holds; runs of killed processes are ended on the way, and their places freed."""
    try:
        with open_history(project) as history:
            return (_examine_settings(project, history), *_examine_runs(history))
    except LLMAssetsError as exc:
        return build_problems("history", exc)


def _examine_settings(project: Project, history: dg.DagsterInstance) -> Finding:
    used = Path(history.root_directory) / SETTINGS_FILE
    wanted = find_settings(project)
    if used.is_file() and used.read_bytes() == wanted.read_bytes():
        return Finding(level="ok", subject=SETTINGS_FILE, text="the history's is the project's")
    text = f"{used} is not the one of this project: places for models and telemetry may differ."
    remedy = f"Copy {project.locate(wanted)} there, unless other projects share that home."
    return Finding(level="warning", subject=SETTINGS_FILE, text=text, remedy=remedy)


def _examine_runs(history: dg.DagsterInstance) -> tuple[Finding, ...]:
    freed = end_abandoned_runs(history)
    n_under_way = history.get_runs_count(dg.RunsFilter(statuses=list(UNFINISHED)))
    text = (
        f"{history.get_runs_count():,} runs, {n_under_way} under way; "
        f"{freed.n_runs} of killed processes ended, {freed.n_places} places freed"
    )
    pool = history.event_log_storage.get_concurrency_info(POOL)
    taken, waiting = len(pool.claimed_slots), len(pool.pending_steps)
    n_waiting = waiting - taken
    places = f"{taken} of {pool.limit or 'any number of'} places taken, {max(n_waiting, 0)} waiting"
    found = Finding(level="ok", subject="history", text=text)
    if pool.limit and taken >= pool.limit and n_waiting > 0:
        remedy = "Runs wait for each other: end one in the UI, or raise the limit in dagster.yaml."
        return (found, Finding(level="warning", subject=f"pool {POOL}", text=places, remedy=remedy))
    return (found, Finding(level="ok", subject=f"pool {POOL}", text=places))
