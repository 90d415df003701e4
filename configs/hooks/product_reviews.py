"""What the task `product_reviews` does in Python: leave out, add to, tidy, check and score."""

from pydantic import JsonValue

from llm_assets.hooks import HookItem, Output, Rejection, Request, Skip

DANGERS = ("dangerous", "smoke", "sparks", "electric shock", "caught fire")


def build_request(item: HookItem) -> Request | Skip:
    """Leave out empty reviews, which would be paid for and say nothing; tell the model what to look at first."""
    text = f"{item.values['title']} {item.values['review']}"
    if not item.values["review"]:
        return Skip("The review is empty.")
    dangers = [word for word in DANGERS if word in text.lower()]
    return Request(
        # `hooks.names` in the config lists what the prompt gets.
        names={"dangers": ", ".join(dangers)},
        # What the model need not know, but later hooks and the readers of the export.
        extra={"n_words": len(text.split()), "is_danger": bool(dangers)},
    )


def tidy_points(_item: HookItem, output: Output) -> Output:
    """Take the full stops off the points, and out those that say the same again."""
    points = output["analysis_points"]
    kept = [str(point).rstrip(".") for point in points] if isinstance(points, list) else []
    once = {point.lower(): point for point in reversed(kept)}
    return {**output, "analysis_points": list(reversed(once.values()))}


def check_danger(item: HookItem, output: Output) -> Rejection | None:
    """A product that endangers people is rated 1 or 2; a model that is told so mends its answer."""
    rating = output["rating"]
    if item.extra["is_danger"] and isinstance(rating, int) and rating > 2:
        return Rejection(
            f"The review tells of a danger, and the rating is {rating}; it must be 1 or 2."
        )
    return None


def score(output: Output, _expected: JsonValue) -> float | None:
    """How much there is to read, from 0 to 1."""
    points = output["analysis_points"]
    return min(len(points), 4) / 4 if isinstance(points, list) else None


def score_by_stars(output: Output, expected: JsonValue) -> float | None:
    """How near the rating, from 1 to 10, is to the stars that the buyer gave, from 1 to 5."""
    rating, stars = output["rating"], str(expected)
    if not isinstance(rating, int) or stars not in {"1", "2", "3", "4", "5"}:
        return None
    return 1 - abs(rating - 2 * int(stars)) / 9
