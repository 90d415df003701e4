"""Which calls a judge costs, counted by the server that is asked."""

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.run_choice import RunChoice
from llm_assets.errors import ConfigError, ProviderError
from llm_assets.gateways.generation import Generation
from llm_assets.gateways.project import Project
from llm_assets_tests.end_to_end.judged_project import (
    CONFIG,
    JUDGE,
    JUDGE_BLOCK,
    SCHEMA,
    add_own_endpoint,
    agree,
    build_judged_project,
    work,
)
from llm_assets_tests.end_to_end.scripted_model import (
    COMPLETION_TOKENS,
    PROMPT_TOKENS,
    Asked,
    ScriptedModel,
    open_scripted_model,
)
from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.gateways.stages import ALL, prepare


@dataclass(slots=True)
class Office:
    """A project with a judge, and the server that its model and its judge share."""

    files: TinyProject
    model: ScriptedModel

    def generate(self, choice: RunChoice = ALL) -> Generation:
        """Run the batch as far as its outputs."""
        self.model.asked.clear()
        return prepare(Project(root=self.files.root, environ={})).generate(choice)

    def count_calls(self, choice: RunChoice = ALL) -> tuple[int, int]:
        """Run the batch; the calls that the model that answers got, and those of any judge."""
        summary = self.generate(choice).summary
        n_written = self.model.count("writer")
        assert summary.calls_sent == len(self.model.asked)
        return n_written, len(self.model.asked) - n_written


@pytest.fixture
def office(tmp_path: Path) -> Generator[Office]:
    """A project that has not run yet; model and judge agree."""
    with open_scripted_model(agree) as model:
        yield Office(build_judged_project(tmp_path, base_url=model.base_url), model)


def count_outcomes(generation: Generation) -> Counter[str]:
    return Counter(item.outcome for item in generation.outputs.records)


def list_reasons(outputs: LLMOutputs) -> set[str]:
    return {item.reason or "" for item in outputs.records}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (JUDGE, "You check", "You are strict and check"),
        (CONFIG, "model: judge", "model: another_judge"),
        (CONFIG, "model: judge", "model: judge\n    temperature: 0.5"),
        (SCHEMA, "    reason: str\n", '    reason: str = Field(description="Why.")\n'),
    ],
)
def test_a_changed_judge_is_asked_and_nobody_else(office: Office, path: str, old: str, new: str):
    """Another prompt, model, parameter or class of the judge costs one verdict an item; taken back, it costs nothing."""
    assert office.count_calls() == (6, 6)
    office.files.edit(path, old, new)
    assert office.count_calls() == (0, 6)
    assert office.count_calls() == (0, 0)
    office.files.edit(path, new, old)
    assert office.count_calls() == (0, 0)


def test_a_judge_may_come_and_go(office: Office):
    """A judge added to a finished task asks the judge alone; without it, or with more retries, nothing is asked."""
    office.files.edit(CONFIG, JUDGE_BLOCK, "attempts:\n")
    assert office.count_calls() == (6, 0)
    office.files.edit(CONFIG, "attempts:\n", JUDGE_BLOCK)
    assert office.count_calls() == (0, 6)
    office.files.edit(CONFIG, "prompts/judge.yaml\n", "prompts/judge.yaml\n  retries: 4\n")
    assert office.count_calls() == (0, 0)


def test_a_changed_prompt_of_the_task_keeps_verdicts_on_equal_answers(office: Office):
    """Where another prompt brings the same answer to the same row, its verdict is found and not asked for."""
    assert office.count_calls() == (6, 6)
    office.files.edit("prompts/notes.yaml", "workshop", "repair shop")
    assert office.count_calls() == (6, 0)


def test_a_forced_run_judges_anew(office: Office):
    """`force` asks for answers and verdicts again, and a plain run after it finds the new ones."""
    assert office.count_calls() == (6, 6)
    assert office.count_calls(RunChoice(limit=None, is_forced=True)) == (6, 6)
    assert office.count_calls() == (0, 0)


def test_rejected_items_rest_where_the_task_says_so(office: Office):
    """A rejected item gets a new round in a later run, unless `retry_failed: false` leaves it alone."""
    office.model.script = work
    assert count_outcomes(office.generate()) == {"accepted": 4, "rejected": 2}
    assert office.count_calls() == (4, 0)
    office.files.edit(CONFIG, "attempts: 3", "attempts: 3\n  retry_failed: false")
    assert office.count_calls() == (0, 0)


@pytest.mark.parametrize("verdict", ["I rather like it.", '{"verdict": "yes"}', "{}"])
def test_a_judge_that_gives_no_verdict_rejects_nothing(office: Office, verdict: str):
    """Without a valid verdict items fail by the judge's name, keep their answers, and next time only it is asked."""
    office.model.script = lambda asked: agree(asked) if asked.model == "writer" else verdict
    generation = office.generate()
    assert count_outcomes(generation) == {"failed": 6}
    assert (office.model.count("writer"), office.model.count("judge")) == (6, 12)
    assert all(
        text.startswith("The judge gave no verdict: ") for text in list_reasons(generation.outputs)
    )
    assert all(item.output is None for item in generation.outputs.records)
    office.model.script = agree
    assert office.count_calls() == (0, 6)


def test_a_judge_that_falls_silent_fails_items_and_keeps_their_answers(office: Office):
    """A verdict that cannot be had fails its item by the judge's name; next time it alone is asked for."""

    def fall_silent(asked: Asked):
        is_silent = asked.model == "judge" and "doors" in asked.question
        return 503 if is_silent else agree(asked)

    office.model.script = fall_silent
    generation = office.generate()
    assert count_outcomes(generation) == {"accepted": 4, "failed": 2}
    assert list_reasons(generation.outputs) == {"", "The judge did not answer: Go away."}
    office.model.script = agree
    assert office.count_calls() == (0, 2)


def test_a_judge_that_nobody_reaches_stops_the_run(office: Office):
    """Where no verdict could ever be had the run stops and names the endpoint; what was answered is not asked again."""
    with open_scripted_model(agree) as gone:
        add_own_endpoint(office.files, gone.base_url)
    with pytest.raises(ProviderError, match=r"'bench' .*every answer so far is kept"):
        office.generate()
    assert office.model.count("writer") == 1
    with open_scripted_model(agree) as bench:
        office.files.edit("configs/endpoints.yaml", gone.base_url, bench.base_url)
        assert count_outcomes(office.generate()) == {"accepted": 6}
        assert (office.model.count("writer"), bench.count("judge")) == (5, 6)


def test_a_judge_of_its_own_has_its_own_address_key_and_price(office: Office):
    """Each is asked at its own server with its own key, and the cost is the sum of both prices."""
    with open_scripted_model(agree) as bench:
        add_own_endpoint(office.files, bench.base_url)
        generation = office.generate()
    assert {asked.model for asked in office.model.asked} == {"writer"}
    assert [(asked.model, asked.key) for asked in bench.asked] == [("judge", "Bearer sk-bench")] * 6
    assert not any("sk-bench" in asked.key for asked in office.model.asked)
    cost_usd = Decimal(6 * (PROMPT_TOKENS * 1000 + COMPLETION_TOKENS * 100)) / 1_000_000
    meta = generation.outputs.meta
    assert (meta.totals.cost_usd, meta.totals.n_calls_unpriced) == (cost_usd, 0)
    assert (meta.judge_endpoint, meta.judge_model, meta.is_judge_rehearsal) == (
        "bench",
        "judge",
        False,
    )
    assert generation.summary.cost_usd == cost_usd


def test_a_judge_without_a_model_of_its_own_is_the_model_that_answers(office: Office):
    """Only its parameters differ where only they are given; nothing is ever judged by the default endpoint instead."""
    office.files.edit(CONFIG, "    model: judge\n", "    temperature: 0.5\n")
    office.files.edit(
        CONFIG, "  model: writer\n", "  model: writer\n  price: {input_usd: 1, output_usd: 1}\n"
    )
    office.model.script = lambda asked: agree(
        Asked(
            model="judge" if "You check" in asked.texts[0] else "writer", texts=asked.texts, key=""
        )
    )
    generation = office.generate()
    assert count_outcomes(generation) == {"accepted": 6}
    assert office.model.count("writer") == 12
    meta = generation.outputs.meta
    assert (meta.judge_endpoint, meta.judge_model) == ("served", "writer")
    assert meta.totals.n_calls_unpriced == 0


def test_a_judge_that_is_no_llm_is_marked(office: Office):
    """Verdicts of the offline model are a rehearsal, and the outputs say so, also where an LLM answered."""
    office.files.edit(
        CONFIG, "    model: judge\n", "    endpoint: offline\n    model: extractive\n"
    )
    meta = office.generate().outputs.meta
    assert (meta.is_rehearsal, meta.is_judge_rehearsal) == (False, True)


@pytest.mark.parametrize(
    ("path", "old", "new", "names"),
    [
        (SCHEMA, "class JudgeResult", "class Verdict", [SCHEMA, "'JudgeResult'"]),
        (SCHEMA, "verdict: bool", "rating: bool", ["'JudgeResult'", "'verdict'"]),
        (SCHEMA, "verdict: bool", "verdict: str", ["'JudgeResult'", "'verdict'"]),
        (SCHEMA, "    reason: str\n", "", ["'JudgeResult'", "'reason'"]),
        (JUDGE, "{{ output_json }}", "{{ ouput }}", [JUDGE, "ouput", "Did you mean 'output'?"]),
        (JUDGE, "{{ row_block }}", "{{ internal }}", [JUDGE, "internal"]),
        (JUDGE, "{{ output_json }}", "{{ output_json", [JUDGE]),
        (CONFIG, "prompts/judge.yaml", "prompts/jugde.yaml", ["prompts/jugde.yaml"]),
        (CONFIG, "    model: judge", "    endpoint: offlien", [f"{CONFIG}:", "offlien", "offline"]),
        (CONFIG, "    model: judge", "    modell: judge", [f"{CONFIG}:", "modell", "'model'"]),
    ],
)
def test_a_judge_that_cannot_work_is_told_before_the_first_call(
    office: Office, path: str, old: str, new: str, names: list[str]
):
    """A mistake in the judge's class, prompt or settings names the thing, and no call is made, not even to the model."""
    office.files.edit(path, old, new)
    with pytest.raises(ConfigError) as caught:
        office.generate()
    assert [name for name in names if name not in str(caught.value)] == []
    assert office.model.asked == []
