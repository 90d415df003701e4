"""What the answers on record tell of calls that are to come."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from llm_assets.core.calls import CallRequest, CallSettings, Message, Purpose
from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import StepName, TaskName
from llm_assets.core.message_tokens import count_message_tokens
from llm_assets.core.token_forecast import PastAnswer, TokenRange, forecast_prompt
from llm_assets.gateways.connections import Connection
from llm_assets.gateways.ledger.ledger import Ledger
from llm_assets.gateways.token_counter import TokenCounter, build_token_counter

SAMPLED_ANSWERS = 500
COMPARED_PROMPTS = 20
"""Earlier prompts whose tokens are counted again, to learn what the provider adds to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """What is known of the calls of one purpose."""

    settings: CallSettings
    connection: Connection
    past: tuple[PastAnswer, ...]
    counter: TokenCounter
    is_approximate: bool
    """Whether its count is not the model's own; of pictures no count is."""
    overheads: tuple[int, ...]
    is_own_step: bool
    """Whether some of the past answers were asked for with these very settings."""

    def forecast_prompt(self, requests: Sequence[CallRequest]) -> TokenRange:
        """The tokens of prompts like these, as the provider counts them."""
        schema = self.settings.response_format
        return forecast_prompt(
            [_count_tokens(request.messages, self.counter) for request in requests],
            overheads=self.overheads,
            n_turns=max(len(request.messages) for request in requests),
            n_schema_tokens=self.counter.count(render_json(schema)) if schema else 0,
            is_approximate=self.is_approximate,
        )

    def list_cached_shares(self) -> tuple[Fraction, ...]:
        """Which share of each past prompt came from the provider's cache."""
        return tuple(
            Fraction(each.cached_tokens, each.prompt_tokens)
            for each in self.past
            if each.prompt_tokens
        )


def look_back(
    ledger: Ledger,
    *,
    task: TaskName,
    step: StepName | None,
    purpose: Purpose,
    settings: CallSettings,
    connection: Connection,
    has_images: bool,
) -> LookBack:
    """The step's own answers of this model; where there are none, those of others."""
    past = ledger.history.list_past_answers(
        purpose=purpose, model=settings.model, limit=SAMPLED_ANSWERS, task=task, step=step
    ) or ledger.history.list_past_answers(
        purpose=purpose, model=settings.model, limit=SAMPLED_ANSWERS
    )
    counter = build_token_counter(settings.model, is_offline=connection.endpoint.is_offline)
    alike = [each for each in past if each.settings_sha256 == settings.fingerprint]
    overheads = [
        each.prompt_tokens - _count_tokens(ledger.load_messages(each.key), counter)
        for each in alike[:COMPARED_PROMPTS]
    ]
    return LookBack(
        settings=settings,
        connection=connection,
        past=past,
        counter=counter,
        is_approximate=counter.is_approximate or has_images,
        overheads=tuple(overheads),
        is_own_step=bool(alike),
    )


def _count_tokens(messages: Sequence[Message], counter: TokenCounter) -> int:
    return sum(count_message_tokens(message, counter.count) for message in messages)
