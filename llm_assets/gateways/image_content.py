"""How pictures stand in the body of a request."""

from base64 import b64encode
from collections.abc import Callable, Mapping

from pydantic import JsonValue

from llm_assets.core.calls import CallRequest, Message, Unsendable
from llm_assets.core.ids import Sha256
from llm_assets.core.images import ImagePart, ImageProblem, render_image_problem

LoadImage = Callable[[ImagePart], bytes | ImageProblem]
NO_URLS: Mapping[Sha256, str] = {}


def load_no_image(_part: ImagePart) -> ImageProblem:
    """For requests that have none."""
    return ImageProblem("was not to be sent by this run")


def load_data_urls(request: CallRequest, load_image: LoadImage) -> dict[Sha256, str] | Unsendable:
    """The bytes of a request's files as `data:` addresses; the first one that cannot be had stops the call."""
    urls: dict[Sha256, str] = {}
    for part in (part for message in request.messages for part in message.images):
        if part.file is None or part.file.sha256 in urls:
            continue
        content = load_image(part)
        if isinstance(content, ImageProblem):
            return Unsendable(render_image_problem(part.source, content.text))
        text = b64encode(content).decode("ascii")
        urls[part.file.sha256] = f"data:{part.file.media_type};base64,{text}"
    return urls


def build_content(message: Message, data_urls: Mapping[Sha256, str]) -> JsonValue:
    """What a message says: a text, or a list of parts where it has pictures."""
    if not message.images:
        return message.content
    pictures = [_build_part(part, data_urls) for part in message.images]
    text: list[JsonValue] = [{"type": "text", "text": message.content}]
    return [*(text if message.content.strip() else []), *pictures]


def _build_part(part: ImagePart, data_urls: Mapping[Sha256, str]) -> JsonValue:
    url = part.source if part.file is None else data_urls[part.file.sha256]
    detail: dict[str, JsonValue] = {} if part.detail is None else {"detail": part.detail}
    return {"type": "image_url", "image_url": {"url": url, **detail}}
