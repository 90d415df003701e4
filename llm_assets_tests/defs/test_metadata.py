from llm_assets.defs.metadata import describe_plan
from llm_assets_tests.core.plans import build_plan_of


def test_a_plan_is_metadata_by_reason_and_bounds():
    """What was planned stands beside what was done: items by reason, calls, and the cost with its bounds."""
    described = describe_plan(
        build_plan_of({"new": 3, "prompt_changed": 2}, n_left_out=1, n_following=5)
    )
    assert described == {
        "planned_new": 3,
        "planned_prompt_changed": 2,
        "planned_answered": 39,
        "planned_left_out": 1,
        "planned_calls": 10,
        "planned_cost": "$0.02 ($0.01 to $0.05)",
        "planned_cost_low_usd": 0.01,
        "planned_cost_high_usd": 0.05,
    }


def test_an_unknown_cost_is_no_number_of_the_metadata():
    """A plot of planned costs has no point where the price is not known."""
    described = describe_plan(build_plan_of({"new": 1}, cost=None))
    assert described["planned_cost"] == "unknown"
    assert not [name for name in described if name.endswith("_usd")]
