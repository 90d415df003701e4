"""How the offline endpoint turns texts into vectors: texts with the same words get vectors that lie close.

Every stem of a word, and every three letters in a row of it, is hashed to a place in the vector and a sign. Texts
that share no word share hardly a place, and so are at about a right angle.
"""

import base64
import hashlib
import json
import re
import struct
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from math import log1p, sqrt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.gateways.offline_model.chat import TokenUsage
from llm_assets.gateways.offline_model.lexicon import STOP_WORDS, build_stem

EMBEDDING_MODEL_NAMES = ("hashed-words",)
DEFAULT_DIMENSIONS = 256
MAX_DIMENSIONS = 4096
MAX_TEXTS = 2048
"""In one request; what OpenAI's own endpoint takes."""
STOP_WORD_WEIGHT = 0.05
TRIGRAM_WEIGHT = 1.0
"""Of all trigrams of a word together, so that words which begin or end differently are half alike."""

_WORD = re.compile(r"[^\W_]{2,}")
"""Numbers are words here: order 4711 is not order 4712."""

Text = Annotated[str, Field(min_length=1)]


class EmbeddingRequest(BaseModel):
    """A request for the vectors of one text or of several."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    input: Text | Annotated[tuple[Text, ...], Field(min_length=1, max_length=MAX_TEXTS)]
    dimensions: Annotated[int, Field(ge=1, le=MAX_DIMENSIONS)] | None = None
    encoding_format: Literal["float", "base64"] = "float"

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts in order."""
        return (self.input,) if isinstance(self.input, str) else self.input


def count_embedding_usage(request: EmbeddingRequest) -> TokenUsage:
    """The tokens of all texts; a vector has none."""
    n_tokens = sum(map(count_tokens_approximately, request.texts))
    return TokenUsage(prompt_tokens=n_tokens, completion_tokens=0)


def render_embeddings(request: EmbeddingRequest, usage: TokenUsage) -> bytes:
    """The body of a reply."""
    n_dimensions = request.dimensions or DEFAULT_DIMENSIONS
    vectors = [build_vector(text, n_dimensions) for text in request.texts]
    body = {
        "object": "list",
        "model": request.model,
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": _spell(vector) if request.encoding_format == "base64" else vector,
            }
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": usage.prompt_tokens, "total_tokens": usage.prompt_tokens},
    }
    return json.dumps(body).encode()


def build_vector(text: str, n_dimensions: int) -> list[float]:
    """The vector of a text, one unit long."""
    vector = [0.0] * n_dimensions
    for feature, weight in _weigh_features(text):
        place, sign = _hash_feature(feature)
        vector[place % n_dimensions] += sign * weight
    length = sqrt(sum(value * value for value in vector))
    if length == 0:  # nothing in it, or everything in it cancelled out
        vector[_hash_feature(text)[0] % n_dimensions] = length = 1.0
    return [value / length for value in vector]


def _weigh_features(text: str) -> Iterator[tuple[str, float]]:
    words = Counter(_WORD.findall(text.lower())) or Counter(text.split())
    for word, n_times in words.items():
        weight = log1p(n_times) * (STOP_WORD_WEIGHT if word in STOP_WORDS else 1.0)
        yield build_stem(word), weight
        trigrams = [word[at : at + 3] for at in range(len(word) - 2)]
        for trigram in trigrams:
            yield f"3:{trigram}", TRIGRAM_WEIGHT * weight / sqrt(len(trigrams))


@lru_cache(maxsize=4096)
def _hash_feature(feature: str) -> tuple[int, int]:
    """A large number for the place, and a sign."""
    digest = hashlib.sha256(feature.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]), 1 if digest[8] % 2 else -1


def _spell(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
