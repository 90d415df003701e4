"""What the calls of a plan are going to take, from a sample of their prompts and from answers on record."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_assets.core.calls import CallRequest, CallSettings, Purpose
from llm_assets.core.ids import TaskName
from llm_assets.core.item_loop import Ask, advance
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.plan_calls import CallCounts
from llm_assets.core.plan_cost import (
    CallForecast,
    Estimate,
    FurtherCalls,
    build_estimate,
    forecast_further,
)
from llm_assets.core.step import Step
from llm_assets.core.token_forecast import (
    TokenRange,
    forecast_completion,
    forecast_unseen_prompt,
    guess_judge_prompt,
    guess_later_prompt,
)
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.looking_back import LookBack, look_back
from llm_assets.gateways.task_steps import ConnectedStep
from llm_assets.gateways.token_counter import TokenCounter

SAMPLED_PROMPTS = 500
"""Rendering and counting one takes about 0.2 ms; the mean of so many is within a few per cent of that of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCalls:
    """What a run is going to send in one step."""

    due: Sequence[ReplayedItem]
    """The items whose next call is known."""
    counts: CallCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forecasts:
    """The calls of one step, and what their numbers rest on."""

    calls: tuple[CallForecast, ...]
    answers: CallForecast
    """The one that a later step can be guessed by."""
    is_guess: bool
    is_approximate: bool


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """Estimates what the calls of one task take."""

    task: TaskName
    ledger: Ledger

    def estimate(self, steps: Sequence[tuple[ConnectedStep, StepCalls]]) -> Estimate:
        """The tokens and the cost of all calls, of the steps in the order in which they run."""
        made: list[_Forecasts] = []
        for connected, calls in steps:
            if calls.due or calls.counts.n_expected:
                before = made[-1].answers if made else None
                forecaster = _StepForecaster(
                    connected=connected, task=self.task, ledger=self.ledger, before=before
                )
                made.append(forecaster.forecast(calls))
        return build_estimate(
            [forecast for each in made for forecast in each.calls],
            is_guess=any(each.is_guess for each in made),
            is_approximate=any(each.is_approximate for each in made),
        )


@dataclass(frozen=True, kw_only=True)
class _StepForecaster:
    """Forecasts the calls of one step."""

    connected: ConnectedStep
    task: TaskName
    ledger: Ledger
    before: CallForecast | None
    """The answers of the step before, where this run sends for them."""

    @property
    def step(self) -> Step:
        return self.connected.step

    def forecast(self, calls: StepCalls) -> _Forecasts:
        sample, counts = _draw_sample(calls.due), calls.counts
        asking = self._look_back(
            "generate", self.step.settings, has_images=self.step.images is not None
        )
        first = self._forecast_answers(asking, sample, counts) if sample else None
        expected = self._forecast_expected(asking, counts) if counts.n_expected else None
        made = [forecast for forecast in (first, expected) if forecast is not None]
        if self.step.judge is None:
            return _Forecasts(
                calls=tuple(made),
                answers=made[-1],
                is_guess=not asking.past,
                is_approximate=asking.is_approximate,
            )
        judge = self.step.judge
        judging = self._look_back("judge", judge.settings, has_images=judge.images is not None)
        further = FurtherCalls(
            likely=sum(each.further.likely for each in made),
            high=sum(each.further.high for each in made),
        )
        verdicts = self._forecast_verdicts(
            judging, sample, counts, answers=made[0], further_answers=further
        )
        return _Forecasts(
            calls=(*made, verdicts),
            answers=made[-1],
            is_guess=not (asking.past and judging.past),
            is_approximate=asking.is_approximate or judging.is_approximate,
        )

    def _look_back(self, purpose: Purpose, settings: CallSettings, *, has_images: bool) -> LookBack:
        return look_back(
            self.ledger,
            task=self.task,
            step=self.step.name,
            purpose=purpose,
            settings=settings,
            connection=self.connected.connections[purpose],
            has_images=has_images,
        )

    def _forecast_answers(
        self, asking: LookBack, sample: Sequence[ReplayedItem], calls: CallCounts
    ) -> CallForecast:
        """The answers; an item whose answer waits for a judge may be rejected and asked again, too."""
        n_more_attempts = self.step.attempts.attempts - 1
        n_known = calls.n_generate - calls.n_expected
        return CallForecast(
            n_sure=n_known,
            n_calls=n_known,
            further=forecast_further(
                asking.past,
                n_calls=n_known + calls.n_waiting,
                n_failed=calls.n_failed * n_more_attempts,
            ),
            prompt_tokens=asking.forecast_prompt(_list_answer_requests(self.step, sample)),
            completion_tokens=forecast_completion(asking.past, cap=self.step.max_output_tokens),
            cached_shares=asking.list_cached_shares(),
            price=asking.connection.compute_cost,
        )

    def _forecast_expected(self, asking: LookBack, calls: CallCounts) -> CallForecast:
        """Answers to prompts that nobody knows yet, because they show what an earlier step is going to answer."""
        if asking.is_own_step:
            prompt_tokens = forecast_unseen_prompt(asking.past)
        else:
            prompt_tokens = self._guess_prompt(asking.counter)
        return CallForecast(
            n_sure=calls.n_expected_sure,
            n_calls=calls.n_expected,
            further=forecast_further(asking.past, n_calls=calls.n_expected, n_failed=0),
            prompt_tokens=prompt_tokens,
            completion_tokens=forecast_completion(asking.past, cap=self.step.max_output_tokens),
            cached_shares=asking.list_cached_shares(),
            price=asking.connection.compute_cost,
        )

    def _guess_prompt(self, counter: TokenCounter) -> TokenRange:
        n_static = sum(counter.count(turn.fixed_text or "") for turn in self.step.prompt.turns)
        before = self.before
        if before is None:  # the answers before are on record, and only this item's are missing
            return TokenRange(low=n_static, likely=2 * n_static, high=8 * n_static + 4000)
        return guess_later_prompt(
            before.prompt_tokens, before.completion_tokens, n_static_tokens=n_static
        )

    def _forecast_verdicts(
        self,
        judging: LookBack,
        sample: Sequence[ReplayedItem],
        calls: CallCounts,
        *,
        answers: CallForecast,
        further_answers: FurtherCalls,
    ) -> CallForecast:
        """The verdicts; every further answer may take another one."""
        judge = self.step.judge
        further = forecast_further(judging.past, n_calls=calls.n_judge, n_failed=0)
        waiting = _list_verdict_requests(self.step, sample)
        if waiting:
            prompt_tokens = judging.forecast_prompt(waiting)
        elif judging.past:
            prompt_tokens = forecast_unseen_prompt(judging.past)
        else:
            prompt_tokens = guess_judge_prompt(answers.prompt_tokens, answers.completion_tokens)
        return CallForecast(
            n_sure=calls.n_waiting + calls.n_following_sure,
            n_calls=calls.n_judge,
            further=FurtherCalls(
                likely=further.likely + further_answers.likely,
                high=further.high + further_answers.high,
            ),
            prompt_tokens=prompt_tokens,
            completion_tokens=forecast_completion(
                judging.past, cap=judge.max_output_tokens if judge else None
            ),
            cached_shares=judging.list_cached_shares(),
            price=judging.connection.compute_cost,
        )


def _draw_sample(due: Sequence[ReplayedItem]) -> Sequence[ReplayedItem]:
    """Items at even distances, equal calls left out."""
    if not due:
        return ()
    distinct = list({state.next_key: state for state in due}.values())
    return distinct[:: -(-len(distinct) // SAMPLED_PROMPTS)]


def _list_answer_requests(step: Step, sample: Sequence[ReplayedItem]) -> list[CallRequest]:
    """The next calls of the items; the first one of an item whose answer only waits for its judge."""
    asked = [
        advance(step, state.item, state.answers, n_known=len(state.answers))
        if state.next_purpose == "generate"
        else advance(step, state.item, (), n_known=0)
        for state in sample
    ]
    return [decision.request for decision in asked if isinstance(decision, Ask)]


def _list_verdict_requests(step: Step, sample: Sequence[ReplayedItem]) -> list[CallRequest]:
    asked = [
        advance(step, state.item, state.answers, n_known=len(state.answers))
        for state in sample
        if state.next_purpose == "judge"
    ]
    return [decision.request for decision in asked if isinstance(decision, Ask)]
