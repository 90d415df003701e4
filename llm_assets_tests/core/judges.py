"""A step with a judge, for tests."""

from pydantic import BaseModel, ConfigDict

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import TaskSettings
from llm_assets.core.step import Step
from llm_assets.core.steps import PromptNames, build_judge, build_step
from llm_assets_tests.core.builders import Label


class Verdict(BaseModel):
    """What the judge says."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    verdict: bool


def build_judged_step(
    *,
    user: str = "{{ text }}",
    prompt: str = "Is {{ output_json }} right for {{ text }}?",
    verdict_model: type[BaseModel] = Verdict,
    attempts: int = 3,
    retry_failed: bool = True,
    share_identical: bool = True,
    **judge: object,
) -> Step:
    """A step that asks `writer` for a `Label` and lets `judge` look at it; further keywords are the judge's."""
    settings = TaskSettings.model_validate(
        {
            "prompt": "p.yaml",
            "attempts": {
                "attempts": attempts,
                "retry_failed": retry_failed,
                "share_identical": share_identical,
            },
            "llm": {"model": "writer"},
            "judge": {"prompt": "j.yaml", "llm": {"model": "judge"}, **judge},
        }
    )
    assert settings.judge
    endpoint, url, columns = PRESETS["offline"], "http://e.invalid/v1", ("text", "team")
    return build_step(
        settings.chain[0],
        prompt=PromptSettings(user=user),
        prompt_path="p.yaml",
        endpoint=endpoint,
        base_url=url,
        output_model=Label,
        schema_text="{}",
        names=PromptNames(mode="row", columns=columns),
        judge=build_judge(
            settings.chain[0],
            settings.judge,
            prompt=PromptSettings(user=prompt),
            prompt_path="j.yaml",
            endpoint=endpoint,
            base_url=url,
            verdict_model=verdict_model,
            names=PromptNames(mode="row", columns=columns),
        ),
    )
