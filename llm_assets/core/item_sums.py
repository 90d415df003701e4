"""What one item took: its calls added up, each of them once."""

from decimal import Decimal

from llm_assets.core.llm_outputs import Attempt, ItemOutput


def list_item_calls(item: ItemOutput) -> tuple[Attempt, ...]:
    """The item's calls; the same answer given twice brings the same call to the judge, which is paid once."""
    return tuple({attempt.call_key: attempt for attempt in item.attempts}.values())


def sum_item_cost(item: ItemOutput) -> Decimal | None:
    """US dollars; None as soon as one call has no price, because a part of the cost would read as the whole."""
    costs = [call.cost_usd for call in list_item_calls(item)]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def sum_item_tokens(item: ItemOutput) -> int:
    """Tokens sent and answered."""
    return sum(call.prompt_tokens + call.completion_tokens for call in list_item_calls(item))


def count_item_attempts(item: ItemOutput) -> int:
    """How often the model was asked for an answer; calls to the judge are no attempts."""
    return sum(attempt.purpose == "generate" for attempt in item.attempts)
