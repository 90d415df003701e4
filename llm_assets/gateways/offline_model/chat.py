"""What a chat request asks for, and how its reply is spelled."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from llm_assets.config.images import ImageDetail
from llm_assets.core.calls import Role
from llm_assets.core.images import ImageProblem
from llm_assets.core.message_tokens import count_pixels
from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.gateways.offline_model.pictures import Picture, read_picture

CREATED_SECONDS = 1_767_225_600
"""2026-01-01T00:00:00Z. The offline model's clock stands still, so that equal requests get equal bytes."""
TOKENS_PER_MESSAGE = 3
"""What a turn costs beyond its words; one more turn is begun for the answer."""

FinishReason = Literal["stop", "length", "content_filter"]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class TextPart(_Body):
    """A piece of a message that is words."""

    type: Literal["text"]
    text: str


class ImageAddress(_Body):
    """Where a picture is, and how closely it is to be looked at."""

    url: str
    detail: ImageDetail | None = None


class PicturePart(_Body):
    """A piece of a message that is a picture."""

    type: Literal["image_url"]
    image_url: ImageAddress

    @cached_property
    def picture(self) -> Picture | ImageProblem:
        """What can be seen of it, or what is wrong with it."""
        return read_picture(self.image_url.url)


class OtherPart(_Body):
    """A piece of a message that this model does not look at."""

    type: str


class ChatMessage(_Body):
    """One turn of the conversation."""

    role: Role | Literal["developer"]
    content: str | tuple[TextPart | PicturePart | OtherPart, ...] | None = None

    @property
    def text(self) -> str:
        """The words of the message."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or () if isinstance(part, TextPart))

    @property
    def picture_parts(self) -> tuple[PicturePart, ...]:
        """The pictures of the message."""
        parts = () if isinstance(self.content, str) else self.content or ()
        return tuple(part for part in parts if isinstance(part, PicturePart))

    @property
    def sight(self) -> str:
        """What the pictures of the message show; empty where nothing can be seen."""
        seen = [part.picture for part in self.picture_parts]
        described = [each.description for each in seen if isinstance(each, Picture)]
        return "\n\n".join(filter(None, described))


class NamedSchema(_Body):
    """A schema as `response_format` carries it."""

    name: str
    schema_: Annotated[dict[str, JsonValue], Field(alias="schema")]


class SchemaFormat(_Body):
    """The answer is JSON that follows a schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


class PlainFormat(_Body):
    """The answer is any JSON object, or any text."""

    type: Literal["json_object", "text"]


class ChatRequest(_Body):
    """A request for one answer, not streamed. Parameters of sampling are taken and change nothing."""

    model: str
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1)]
    response_format: Annotated[SchemaFormat | PlainFormat, Field(discriminator="type")] | None = (
        None
    )
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    n: Literal[1] | None = None
    stream: Literal[False] | None = None

    @property
    def token_cap(self) -> int | None:
        """The most tokens an answer may have."""
        return self.max_completion_tokens or self.max_tokens


_count_again = lru_cache(maxsize=32)(count_tokens_approximately)
"""The long messages of a run are the same in every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """An answer as it is sent."""

    text: str | None
    finish_reason: FinishReason = "stop"
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """What an answer would be charged for."""

    prompt_tokens: int
    completion_tokens: int


def count_usage(request: ChatRequest, completion: Completion) -> TokenUsage:
    """The tokens of all messages, pictures included, and of the answer."""
    n_turns = len(request.messages) + 1
    prompt = sum(_count_message(message) for message in request.messages)
    answer = count_tokens_approximately(completion.text or completion.refusal or "")
    return TokenUsage(prompt_tokens=prompt + TOKENS_PER_MESSAGE * n_turns, completion_tokens=answer)


def _count_message(message: ChatMessage) -> int:
    return _count_again(message.text) + sum(
        count_pixels(
            part.picture.size if isinstance(part.picture, Picture) else None, part.image_url.detail
        )
        for part in message.picture_parts
    )


def cut_to_tokens(text: str, n_tokens: int) -> str:
    """The longest beginning of `text` that has at most so many tokens."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens_approximately(text[:middle]) <= n_tokens:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def render_completion(
    request: ChatRequest, completion: Completion, usage: TokenUsage, *, digest: str
) -> bytes:
    """The body of a reply; its id comes from the request, so that equal requests get equal bytes."""
    message = {"role": "assistant", "content": completion.text, "refusal": completion.refusal}
    body = {
        "id": f"chatcmpl-{digest[:24]}",
        "object": "chat.completion",
        "created": CREATED_SECONDS,
        "model": request.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": completion.finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        },
        "system_fingerprint": "offline",
    }
    return json.dumps(body, ensure_ascii=False).encode()
