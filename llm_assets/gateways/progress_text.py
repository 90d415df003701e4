"""How far a run is, said in a line."""

from llm_assets.core.money import render_usd
from llm_assets.gateways.progress import Progress


def render_progress(progress: Progress) -> str:
    """Such as `12/40 items, 8 calls in flight, 15,200 tokens, $0.013; waits: 429, resumes in 12 s`."""
    tokens = progress.prompt_tokens + progress.completion_tokens
    ends = ", ".join(f"{name} {step.n_done}" for name, step in progress.steps.items())
    parts = [
        f"{progress.n_done}/{progress.n_to_run} items" + (f" ({ends})" if ends else ""),
        f"{progress.n_sent} calls sent",
        f"{tokens:,} tokens",
        render_spent(progress),
    ]
    if progress.n_in_flight:
        parts.insert(2, f"{progress.n_in_flight} in flight")
    waits = f"; waits: {progress.waiting_for}" if progress.waiting_for else ""
    return ", ".join(parts) + waits


def render_spent(progress: Progress) -> str:
    """The cost so far; at least so much where a price is not known."""
    prefix = "" if progress.cost_is_known else "at least "
    return f"{prefix}{render_usd(progress.cost_usd)}"
