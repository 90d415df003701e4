"""How counts and shares read in a sentence."""


def render_count(n: int, noun: str) -> str:
    """A number of things, thousands apart; `noun` is the word for one of them."""
    return f"{n:,} {noun if n == 1 else f'{noun}s'}"


def render_rough_percent(share: float) -> str:
    """A share of one in percent, to three digits and without idle zeros."""
    return f"{share * 100:.3g}%"
