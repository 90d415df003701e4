import logging

import pytest

from llm_assets.defs.observing import LogObserver, Observers
from llm_assets_tests.core.plans import build_plan_of
from llm_assets_tests.fakes import RecordingObserver


def test_the_plan_is_in_the_log_with_its_reasons(caplog: pytest.LogCaptureFixture):
    """The run's log says why items run and what that costs, in one line, before the first call."""
    with caplog.at_level(logging.INFO):
        LogObserver(logging.getLogger("run")).show_plan(build_plan_of({"new": 3, "forced": 2}))
    (line,) = caplog.messages
    assert "(3 new, 2 forced)" in line
    assert "$0.02 ($0.01 to $0.05)" in line


def test_everybody_is_told_the_plan():
    """Each observer of a run gets the plan itself."""
    observers = [RecordingObserver(), RecordingObserver()]
    plan = build_plan_of({"new": 1})
    Observers(observers).show_plan(plan)
    assert [observer.plans for observer in observers] == [[plan], [plan]]
