import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.core.refusal_memory import RefusalMemory


def build_memory(*, answered: tuple[int, ...] = (), refused: tuple[int, ...] = ()) -> RefusalMemory:
    memory = RefusalMemory()
    for n_under_way in answered:
        memory.add_answer(n_under_way)
    for n_under_way in refused:
        memory.add_refusal(n_under_way)
    return memory


@pytest.mark.parametrize(
    ("n_under_way", "share"), [(1, 0.25), (10, 0.25), (20, 0.5), (21, 1.0), (22, 0.0)]
)
def test_the_share_among_calls_like_it(n_under_way, share):
    """What counts is what became of the calls that left when as many or more were under way."""
    memory = build_memory(answered=(10, 10, 20), refused=(21,))
    assert memory.find_refused_share(n_under_way) == share


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=100), st.integers(1, 9))
def test_a_share_is_a_share(calls, n_under_way):
    """The share is exact as long as nothing was forgotten, and stays between 0 and 1 after that."""
    memory = build_memory(
        answered=tuple(level for level, is_refused in calls if not is_refused),
        refused=tuple(level for level, is_refused in calls if is_refused),
    )
    counted = [is_refused for level, is_refused in calls if level >= n_under_way]
    share = sum(counted) / len(counted) if counted else 0
    assert memory.find_refused_share(n_under_way) == share
    for n_remembered in (50, 10, 1, 0):
        memory.fade(n_remembered)
        assert 0 <= memory.find_refused_share(n_under_way) <= 1


def test_what_is_long_ago_counts_less():
    """A server that refuses everything from now on is soon seen as one that does."""
    memory = build_memory(answered=(5,) * 1000)
    memory.fade(100)
    n_refusals = 0
    while memory.find_refused_share(5) <= 0.9 and n_refusals < 1000:
        n_refusals += 1
        memory.add_refusal(5)
        memory.fade(100)
    assert n_refusals < 400


def test_forgetting_keeps_shares():
    """Fading takes from both sides alike."""
    memory = build_memory(answered=(5,) * 96, refused=(5,) * 32)
    memory.fade(100)
    memory.fade(50)
    assert memory.find_refused_share(5) == 0.25
