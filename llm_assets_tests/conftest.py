"""How hypothesis works in every test: the same examples each time, and as slow as a busy machine makes them."""

from hypothesis import settings

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("quick")
