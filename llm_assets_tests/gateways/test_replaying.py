from llm_assets.core.ids import CallKey
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.replaying import ForeseenEpochs

FIRST, SECOND, NEVER = map(CallKey, ("first", "second", "never"))


def test_foreseen_epochs_are_those_a_run_would_leave(tmp_path):
    """What is raised in advance counts on from the record, time after time, and the record stays."""
    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        ledger.raise_epochs([FIRST])
        foreseen = ForeseenEpochs(ledger)
        assert foreseen.find_epochs([FIRST, SECOND]) == {FIRST: 1}
        assert foreseen.raise_epochs([FIRST, SECOND, SECOND]) == {FIRST: 2, SECOND: 1}
        assert foreseen.raise_epochs([SECOND]) == {SECOND: 2}
        assert foreseen.find_epochs([FIRST, SECOND, NEVER]) == {FIRST: 2, SECOND: 2}
        assert ledger.find_epochs([FIRST, SECOND]) == {FIRST: 1}


def test_there_are_epochs_once_one_is_foreseen(tmp_path):
    """Where nothing was ever forced, nothing has to be looked up, until something would be."""
    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        foreseen = ForeseenEpochs(ledger)
        assert not foreseen.has_epochs()
        foreseen.raise_epochs([FIRST])
        assert foreseen.has_epochs()
        assert not ledger.has_epochs()
