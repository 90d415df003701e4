"""The values that tests of the item loop begin with, and a run without any network."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, JsonValue

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import TaskSettings
from llm_assets.core.calls import Answer, CallRequest, CallSettings, Message, Usage
from llm_assets.core.chain import ReplayedChain
from llm_assets.core.ids import CallKey, GroupContextId, GroupKey, RowId, WorkId
from llm_assets.core.item_loop import Done, advance
from llm_assets.core.item_replay import ReplayedItem, replay_items
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.step import Step
from llm_assets.core.steps import PromptNames, build_step
from llm_assets.core.work_items import WorkItem

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = '{"label": "refund", "score": 1}'
BAD = '{"label": "refund", "score": "high"}'


class Label(BaseModel):
    """What a ticket is about."""

    model_config = ConfigDict(extra="forbid")

    label: str
    score: int


class CrashedError(Exception):
    """The process was killed."""


def build_label_step(
    *, user: str = "{{ text }}", mode: str = "row", cap: int | None = None, **attempts: object
) -> Step:
    grouping = {"mode": mode} if mode == "row" else {"mode": mode, "column": "team"}
    settings = TaskSettings.model_validate(
        {
            "prompt": "p.yaml",
            "attempts": attempts,
            "grouping": grouping,
            "llm": {"max_output_tokens": cap},
        }
    )
    return build_step(
        settings.chain[0],
        prompt=PromptSettings(user=user),
        prompt_path="p.yaml",
        endpoint=PRESETS["offline"],
        base_url="http://offline.invalid/v1",
        output_model=Label,
        schema_text='{"title": "Label"}',
        names=PromptNames(mode=settings.grouping.mode, columns=("text", "team")),
        judge=None,
    )


def build_item(
    text: str = "Where is it?",
    *,
    number: int = 1,
    occurrence: int = 0,
    epoch: int = 0,
    group_context: str | None = None,
) -> Item:
    is_grouped = group_context is not None
    return Item(
        work=WorkItem(
            work_id=WorkId(f"w{number}"),
            row_ids=(RowId(f"r{number}"),),
            group_key=GroupKey("sales") if is_grouped else None,
            group_context_id=GroupContextId("c1") if is_grouped else None,
            values={"text": text, "team": "sales"},
            occurrence=occurrence,
            cuts=(),
        ),
        group_context=group_context,
        epoch=epoch,
    )


def build_answer(
    text: str | None = GOOD,
    *,
    key: str = "k",
    finish_reason: str = "stop",
    refusal: str | None = None,
    n_tokens: int = 5,
    cost_usd: str | None = "0.01",
) -> Answer:
    return Answer(
        key=CallKey(key),
        text=text,
        refusal=refusal,
        finish_reason=finish_reason,
        model="m-1",
        usage=Usage(prompt_tokens=10 * n_tokens, completion_tokens=n_tokens, cached_tokens=2),
        cost_usd=None if cost_usd is None else Decimal(cost_usd),
        answered_at=NOON,
        latency_seconds=0.5,
        request_id=None,
    )


def build_request(
    *,
    settings: CallSettings | None = None,
    messages: tuple[Message, ...] = (Message(role="user", content="Hello"),),
    max_output_tokens: int | None = None,
    attempt: int = 1,
    epoch: int = 0,
    occurrence: int = 0,
) -> CallRequest:
    return CallRequest(
        settings=settings or build_call_settings(),
        messages=messages,
        max_output_tokens=max_output_tokens,
        attempt=attempt,
        epoch=epoch,
        occurrence=occurrence,
    )


def build_call_settings(
    *,
    endpoint: str = "http://e.invalid/v1",
    model: str = "m-1",
    response_format: Mapping[str, JsonValue] | None = None,
    parameters: Mapping[str, JsonValue] | None = None,
) -> CallSettings:
    return CallSettings(
        endpoint=endpoint,
        model=model,
        response_format=response_format,
        parameters=parameters or {},
        token_parameter="max_tokens",
    )


def build_chains(states: Iterable[ReplayedItem]) -> list[ReplayedChain]:
    """Items of a task that is one step, each as far as it is there."""
    return [ReplayedChain(item=state.item, states=(state,)) for state in states]


class Model:
    """Answers by the attempt's number, the last answer again and again; keeps what it was asked."""

    def __init__(self, *script: Answer) -> None:
        self.script = script
        self.requests: list[CallRequest] = []

    def answer(self, request: CallRequest) -> Answer:
        self.requests.append(request)
        scripted = self.script[min(request.attempt, len(self.script)) - 1]
        return build_answer(
            scripted.text,
            key=request.build_key(),
            finish_reason=scripted.finish_reason,
            refusal=scripted.refusal,
        )


class Ledger:
    """Answers by key, as a run leaves them for the next one."""

    def __init__(self) -> None:
        self.answers: dict[CallKey, Answer] = {}
        self.looked_up: list[list[CallKey]] = []

    def find_answers(self, keys: Iterable[CallKey]) -> dict[CallKey, Answer]:
        asked = list(keys)
        self.looked_up.append(asked)
        return {key: self.answers[key] for key in asked if key in self.answers}

    def run(
        self,
        step: Step,
        items: Sequence[Item],
        model: Callable[[CallRequest], Answer],
        *,
        killed_after: int | None = None,
    ) -> list[ItemOutput]:
        """Replay, then ask for what is missing, one after the other; `CrashedError` after so many calls."""
        n_sent = 0
        outputs: list[ItemOutput] = []
        for state in replay_items(step, items, self.find_answers):
            answers = state.answers
            while True:
                decided = advance(step, state.item, answers, n_known=len(state.answers))
                if isinstance(decided, Done):
                    break
                if n_sent == killed_after:
                    raise CrashedError
                n_sent += 1
                answer = model(decided.request)
                self.answers[answer.key] = answer
                answers = (*answers, answer)
            outputs.append(decided.output)
        return outputs
