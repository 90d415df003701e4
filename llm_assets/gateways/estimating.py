"""What the calls of a plan are going to take, from a sample of their prompts and from answers on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from llm_assets.config.images import ImageSettings
from llm_assets.core.calls import CallRequest, CallSettings, Message, Purpose
from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import TaskName
from llm_assets.core.item_loop import Ask, advance
from llm_assets.core.item_replay import ReplayedItem
from llm_assets.core.message_tokens import count_message_tokens
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
    PastAnswer,
    TokenRange,
    forecast_completion,
    forecast_prompt,
    forecast_unseen_prompt,
    guess_judge_prompt,
)
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.token_counter import TokenCounter, build_token_counter

SAMPLED_PROMPTS = 500
"""Rendering and counting one takes about 0.2 ms; the mean of so many is within a few per cent of that of all."""
SAMPLED_ANSWERS = 500
COMPARED_PROMPTS = 20
"""Earlier prompts whose tokens are counted again, to learn what the provider adds to them."""


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """Estimates what the calls of one task take."""

    step: Step
    task: TaskName
    connections: Mapping[Purpose, Connection]
    ledger: Ledger

    def estimate(self, due: Sequence[ReplayedItem], calls: CallCounts) -> Estimate:
        """The tokens and the cost of the due items' calls."""
        if not due:
            return build_estimate((), is_guess=False, is_approximate=False)
        sample = _draw_sample(due)
        asking = self._look_back("generate", self.step.settings, images=self.step.images)
        first = self._forecast_answers(asking, sample, calls)
        if self.step.judge is None:
            return build_estimate(
                [first],
                is_guess=not asking.past,
                is_approximate=asking.is_approximate,
            )
        judge = self.step.judge
        judging = self._look_back("judge", judge.settings, images=judge.images)
        verdicts = self._forecast_verdicts(judging, sample, calls, answers=first)
        return build_estimate(
            [first, verdicts],
            is_guess=not (asking.past and judging.past),
            is_approximate=asking.is_approximate or judging.is_approximate,
        )

    def _look_back(
        self, purpose: Purpose, settings: CallSettings, *, images: ImageSettings | None
    ) -> "_LookBack":
        """The task's own answers of this model; where there are none, those of other tasks."""
        history = self.ledger.history
        past = history.list_past_answers(
            purpose=purpose, model=settings.model, limit=SAMPLED_ANSWERS, task=self.task
        ) or history.list_past_answers(purpose=purpose, model=settings.model, limit=SAMPLED_ANSWERS)
        connection = self.connections[purpose]
        counter = build_token_counter(settings.model, is_offline=connection.endpoint.is_offline)
        alike = [each for each in past if each.settings_sha256 == settings.fingerprint]
        overheads = [
            each.prompt_tokens - _count_tokens(self.ledger.load_messages(each.key), counter)
            for each in alike[:COMPARED_PROMPTS]
        ]
        return _LookBack(
            settings=settings,
            connection=connection,
            past=past,
            counter=counter,
            is_approximate=counter.is_approximate or images is not None,
            overheads=tuple(overheads),
        )

    def _forecast_answers(
        self, asking: "_LookBack", sample: Sequence[ReplayedItem], calls: CallCounts
    ) -> CallForecast:
        """The answers; an item whose answer waits for a judge may be rejected and asked again, too."""
        n_more_attempts = self.step.attempts.attempts - 1
        return CallForecast(
            n_sure=calls.n_generate,
            n_calls=calls.n_generate,
            further=forecast_further(
                asking.past,
                n_calls=calls.n_generate + calls.n_waiting,
                n_failed=calls.n_failed * n_more_attempts,
            ),
            prompt_tokens=asking.forecast_prompt(_list_answer_requests(self.step, sample)),
            completion_tokens=forecast_completion(asking.past, cap=self.step.max_output_tokens),
            cached_shares=asking.list_cached_shares(),
            price=asking.connection.compute_cost,
        )

    def _forecast_verdicts(
        self,
        judging: "_LookBack",
        sample: Sequence[ReplayedItem],
        calls: CallCounts,
        *,
        answers: CallForecast,
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
                likely=further.likely + answers.further.likely,
                high=further.high + answers.further.high,
            ),
            prompt_tokens=prompt_tokens,
            completion_tokens=forecast_completion(
                judging.past, cap=judge.max_output_tokens if judge else None
            ),
            cached_shares=judging.list_cached_shares(),
            price=judging.connection.compute_cost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LookBack:
    """What is known of the calls of one purpose."""

    settings: CallSettings
    connection: Connection
    past: tuple[PastAnswer, ...]
    counter: TokenCounter
    is_approximate: bool
    """Whether its count is not the model's own; of pictures no count is."""
    overheads: tuple[int, ...]

    def forecast_prompt(self, requests: Sequence[CallRequest]) -> TokenRange:
        schema = self.settings.response_format
        return forecast_prompt(
            [_count_tokens(request.messages, self.counter) for request in requests],
            overheads=self.overheads,
            n_turns=max(len(request.messages) for request in requests),
            n_schema_tokens=self.counter.count(render_json(schema)) if schema else 0,
            is_approximate=self.is_approximate,
        )

    def list_cached_shares(self) -> tuple[Fraction, ...]:
        return tuple(
            Fraction(each.cached_tokens, each.prompt_tokens)
            for each in self.past
            if each.prompt_tokens
        )


def _draw_sample(due: Sequence[ReplayedItem]) -> Sequence[ReplayedItem]:
    """Items at even distances, equal calls left out."""
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


def _count_tokens(messages: Sequence[Message], counter: TokenCounter) -> int:
    return sum(count_message_tokens(message, counter.count) for message in messages)
