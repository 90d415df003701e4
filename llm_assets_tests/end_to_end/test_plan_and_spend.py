"""Whether a plan keeps its word, and the account its books, by the server's own count."""

from decimal import Decimal

from llm_assets_tests.end_to_end.served_model import ServedModel
from llm_assets_tests.end_to_end.tiny_project import NOTES, TinyProject

PRICED = "  temperature: 0\n  price:\n    input_usd: 1.25\n    output_usd: 10\n"
COUNTS = ("n_requests", "prompt_tokens", "completion_tokens")


def read_counts(served_model: ServedModel) -> list[int]:
    tally = served_model.read_tally()
    return [tally[name] for name in COUNTS]


def test_a_plan_sends_nothing_and_the_run_sends_what_it_said(
    paid: TinyProject, served_model: ServedModel
):
    """By the server's own count: no request for the plan, and for the run as many as the plan said, at a cost within its bounds."""
    paid.edit("configs/notes.yaml", "  temperature: 0\n", PRICED)
    changed = ("1", "lathe", "The lathe is dead.", "a")
    paid.write_table(
        "data/notes/may.csv", [changed, *NOTES[1:], ("7", "roof", "Rain comes in.", "g")]
    )
    before = read_counts(served_model)
    plan = paid.run("plan", "notes", "--json").batch
    shown = paid.run("plan", "notes", "--prompt", "1")
    assert shown.exit_code == 0
    assert read_counts(served_model) == before
    assert (plan["answered"], plan["to_run"], plan["calls_to_send"]) == (5, 2, 2)
    run = paid.run_json("notes")
    after = read_counts(served_model)
    assert after[0] - before[0] == run.calls_sent == plan["calls_to_send"]
    cost = {end: Decimal(amount) for end, amount in plan["cost_usd"].items()}
    used = Decimal(after[1] - before[1]) * Decimal("1.25") + Decimal(after[2] - before[2]) * 10
    assert 0 < cost["low"] <= used / 1_000_000 <= cost["high"]


def test_what_was_spent_is_what_was_served(paid: TinyProject, served_model: ServedModel):
    """The sums of all calls grow by what the server counted, to the token and to the last digit of a dollar."""
    paid.edit("configs/notes.yaml", "  temperature: 0\n", PRICED)
    served_before = read_counts(served_model)
    spent_before = paid.run("spend", "--by", "model", "--json").record["total"]
    paid.edit("prompts/notes.yaml", "workshop", "repair shop")
    paid.run_json("notes")
    paid.run_json("notes", "--force", "--limit", "2")
    served = [new - old for new, old in zip(read_counts(served_model), served_before, strict=True)]
    spent = paid.run("spend", "--by", "model", "--json").record["total"]
    names = ("calls", "prompt_tokens", "completion_tokens")
    assert [spent[name] - spent_before[name] for name in names] == served
    cost = Decimal(spent["cost_usd"]) - Decimal(spent_before["cost_usd"])
    assert cost == (served[1] * Decimal("1.25") + served[2] * 10) / 1_000_000
