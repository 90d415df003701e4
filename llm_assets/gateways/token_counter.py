"""How many tokens a text has: exactly where the model's own table can be had, else nearly."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from llm_assets.core.tokens import count_tokens_approximately

LOAD_SECONDS = 3.0
"""tiktoken fetches its tables without a time-out; behind a silent proxy it would never come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounter:
    """A way of counting, and whether it is exact."""

    count: Callable[[str], int]
    is_approximate: bool


def build_token_counter(model: str, *, is_offline: bool) -> TokenCounter:
    """A counter for a model; never fails and never takes longer than a few seconds, with or without a network."""
    if is_offline:  # the offline model counts like this itself
        return TokenCounter(count=count_tokens_approximately, is_approximate=True)
    loaded: list[Callable[[str], int]] = []
    loading = threading.Thread(target=_load, args=(model, loaded), daemon=True)
    loading.start()
    loading.join(LOAD_SECONDS)
    if not loaded:
        return TokenCounter(count=count_tokens_approximately, is_approximate=True)
    return TokenCounter(count=loaded[0], is_approximate=False)


def _load(model: str, loaded: list[Callable[[str], int]]) -> None:
    import requests
    import tiktoken

    try:
        encoding = tiktoken.encoding_for_model(model)
    except (KeyError, ValueError, OSError, requests.RequestException):
        return  # an unknown model, a damaged table, no network: the approximate counter serves
    loaded.append(lambda text: len(encoding.encode_ordinary(text)))
