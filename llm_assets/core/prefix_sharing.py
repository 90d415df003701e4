"""Whose prompts begin alike, and for so long that a provider caches the beginning?"""

from collections.abc import Iterable
from dataclasses import dataclass

from llm_assets.core.ids import GroupContextId
from llm_assets.core.items import Item
from llm_assets.core.prompt_order import SharedPrefix
from llm_assets.core.tokens import count_tokens_approximately


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixSharing:
    """The beginnings that are long enough."""

    is_common: bool
    """Whether all prompts have one in common."""
    groups: frozenset[GroupContextId]
    """The groups whose prompts have a longer one in common."""


NO_SHARING = PrefixSharing(is_common=False, groups=frozenset())


def find_prefix_sharing(
    prefix: SharedPrefix, items: Iterable[Item], *, min_tokens: int
) -> PrefixSharing:
    """Count what the items' prompts begin with; `min_tokens` is the shortest beginning that is cached."""
    n_common = count_tokens_approximately(prefix.text)
    n_around = n_common + count_tokens_approximately(prefix.group_text)
    texts = _list_group_texts(items) if prefix.has_group_context else {}
    return PrefixSharing(
        is_common=n_common >= min_tokens,
        groups=frozenset(
            context_id
            for context_id, text in texts.items()
            if n_around + count_tokens_approximately(text) >= min_tokens
        ),
    )


def _list_group_texts(items: Iterable[Item]) -> dict[GroupContextId, str]:
    return {
        item.work.group_context_id: item.group_context
        for item in items
        if item.work.group_context_id is not None and item.group_context is not None
    }
