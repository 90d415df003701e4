"""What is wrong with an answer that is delivered in good order."""

from dataclasses import replace

from llm_assets.gateways.offline_model.chat import Completion
from llm_assets.gateways.offline_model.misbehaviour import Trouble
from llm_assets.gateways.offline_model.models import break_json

REFUSAL = "I'm sorry, but I can't help with that."


def spoil_completion(completion: Completion, trouble: Trouble | None, digest: str) -> Completion:
    """The answer as the trouble leaves it; troubles of the transport leave it as it is."""
    half = break_json(completion.text or "")
    match trouble:
        case "cut_off":
            return replace(completion, text=half, finish_reason="length")
        case "invalid_json":
            return replace(completion, text=half)
        case "refusals" if int(digest[0], 16) % 2:
            return Completion(text=None, finish_reason="content_filter")
        case "refusals":
            return Completion(text=None, refusal=REFUSAL)
        case _:
            return completion
