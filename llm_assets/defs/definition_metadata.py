"""What the graph says of a stage before it ever ran: which files and which models it goes by."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.task import LLMSettings
from llm_assets.defs.scope import TaskScope
from llm_assets.gateways.tasks import TaskStep


def describe_definition(
    scope: TaskScope, *, files: Mapping[str, Path] | None = None, **facts: str | None
) -> dict[str, str | dg.MetadataValue | None]:
    """The config and these files, each to be opened from the UI in an editor on this machine, and these facts."""
    named = {"config": scope.task.config_path, **(files or {})}
    return {
        **{name: dg.MetadataValue.path(str(path)) for name, path in named.items()},
        **facts,
        "dagster/code_references": refer_to_files(named),
    }


def describe_models(step: TaskStep) -> dict[str, str | None]:
    """Which model answers and which one judges, as `endpoint/model`."""
    settings = step.settings
    judge = None if settings.judge is None else _render_model(settings.judge_llm)
    return {"model": _render_model(settings.llm), "judge_model": judge}


def list_prompts(step: TaskStep) -> dict[str, Path]:
    """The prompt, and the judge's where there is one."""
    judge = step.judge_prompt_path
    own = {"prompt": step.prompt_path}
    return own if judge is None else {**own, "judge_prompt": judge}


def list_model_kinds(step: TaskStep) -> set[str]:
    """Labels in the graph: a model, and whose server it is asked at where that is a known kind."""
    preset = step.endpoint.preset or step.settings.llm.endpoint
    return {"llm", preset} if preset in PRESETS else {"llm"}


def _render_model(llm: LLMSettings) -> str:
    return f"{llm.endpoint}/{llm.model}"


def refer_to_files(files: Mapping[str, Path]) -> dg.CodeReferencesMetadataValue:
    """These files as links that the UI opens in an editor on this machine, by their labels."""
    with warnings.catch_warnings():
        # The class is marked as beta; a person who loads a project can do nothing about that.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=name)
                for name, path in files.items()
            ]
        )
