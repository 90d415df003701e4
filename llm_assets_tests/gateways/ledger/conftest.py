from collections.abc import Generator

import pytest

from llm_assets.gateways.ledger.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(ledger_url: str) -> Generator[Ledger]:
    """A new ledger, in each kind of store."""
    with open_ledger(ledger_url) as opened:
        yield opened
