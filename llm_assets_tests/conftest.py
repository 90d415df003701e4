"""How hypothesis works in every test, and what tests everywhere begin with.

Hypothesis draws the same examples each time, and is as slow as a busy machine makes it.
"""

from hypothesis import settings

from llm_assets_tests.postgresql.stores import ledger_url, postgresql

__all__ = ["ledger_url", "postgresql"]

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("quick")
