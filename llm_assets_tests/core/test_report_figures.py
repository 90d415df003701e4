from llm_assets.core.report_figures import build_figures
from llm_assets_tests.core.test_report import build_attempt, build_item, report_on


def read(*items, latencies=(), **changes):
    figures = build_figures(report_on(*items, **changes), latencies)
    return {figure.name: (figure.value, figure.note) for figure in figures}


def test_the_first_numbers_say_what_came_of_a_batch():
    """Accepted, not accepted and why, cost for each accepted item, tokens, calls."""
    attempts = [(build_attempt(key=key),) for key in "abcd"]
    items = [build_item(at, attempts=attempts[at]) for at in range(3)]
    figures = read(*items, build_item(3, outcome="failed", reason="no", attempts=attempts[3]))
    assert figures["Accepted"] == ("3", "75.0% of 4 items")
    assert figures["Not accepted"] == ("1", "for one cause")
    assert figures["Cost"] == ("$0.04", "$0.0133 for each accepted item")
    assert figures["Tokens"] == ("4,200", "4,000 sent, 400 of them cached, 200 answered")
    assert "Time to answer" not in figures


def test_what_is_not_known_is_not_shown_as_known():
    """An unknown price is no price of an item, and counts of our own are approximate."""
    attempts = (build_attempt(None, is_approximate=True),)
    figures = read(build_item(0, attempts=attempts))
    assert figures["Cost"] == ("unknown", "not all prices are known")
    assert figures["Tokens"][0] == "about 1,050"


def test_times_have_a_unit_that_fits():
    """A local model answers in milliseconds, a hosted one in seconds."""
    fast = read(build_item(0), latencies=[0.012, 0.5])["Time to answer"]
    assert fast == ("12 ms", "in the middle; 95% within 500 ms, all within 500 ms")
    slow = read(build_item(0), latencies=[1.5, 2.0, 30.0])["Time to answer"]
    assert slow[0] == "2.0 s"
