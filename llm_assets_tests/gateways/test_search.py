import sys

import pytest

from llm_assets.errors import BudgetError, ConfigError, InputError, ProviderError, StorageError
from llm_assets_tests.gateways.vectors import EMBED, JUNE, MAY, VectorProject


def test_what_is_alike_is_found_first(vectors: VectorProject):
    """Words of a text find it, also in another form, before texts that share none."""
    vectors.embed()
    lathe, *_ = vectors.search("a slipping lathe belt")
    assert (lathe.record_id, lathe.batch) == ("n1", MAY)
    paints = [each.record_id for each in vectors.search("paint", limit=2)]
    assert sorted(paints) == ["n2", "n3"]
    scores = [each.score for each in vectors.search("paint")]
    assert scores == sorted(scores, reverse=True)
    assert scores[1] > 3 * scores[2]


def test_every_batch_is_searched(vectors: VectorProject):
    """The batch is named with what is found."""
    vectors.embed()
    vectors.embed({"n9": "Grey paint for the gate."}, JUNE)
    assert ("june", "n9") in [(each.batch, each.record_id) for each in vectors.search("paint")[:3]]


def test_the_same_words_are_paid_for_once(vectors: VectorProject):
    """The words are a call on record as well, and blanks around them change nothing."""
    vectors.embed()
    first = vectors.search("paint")
    n_requests = vectors.n_requests
    assert vectors.search(" paint ") == first
    assert vectors.n_requests == n_requests == 6


def test_where_nothing_is_stored_nothing_is_sent(vectors: VectorProject):
    """The remedy is the run that fills the store."""
    with pytest.raises(StorageError, match="llm-assets run notes"):
        vectors.search("paint")
    assert vectors.n_requests == 0
    assert not vectors.project.vectors.exists()


def test_no_words_are_no_search(vectors: VectorProject):
    """A blank text has no vector."""
    with pytest.raises(InputError, match="no words"):
        vectors.search("  ")


def test_words_that_get_no_vector_say_why(vectors: VectorProject):
    """A fault of the endpoint and a cap of the budget are told in a sentence."""
    vectors.embed()
    vectors.tiny.edit("configs/notes.yaml", "  backoff_seconds: 0.01", "  fault_retries: 0")
    vectors.meet_trouble(server_errors=1)
    with pytest.raises(ProviderError, match="server"):
        vectors.search("doors")
    vectors.meet_trouble()
    config = vectors.tiny.read("configs/notes.yaml")
    priced = f"{EMBED}  price: {{input_usd: 10, output_usd: 0}}\n"
    vectors.tiny.write(
        "configs/notes.yaml",
        config.replace(EMBED, f"{priced}budget:\n  per_run_usd: 0.0000001\n"),
    )
    with pytest.raises(BudgetError, match="no room"):
        vectors.search("doors")


def test_without_the_package_the_remedy_is_the_extra(
    vectors: VectorProject, monkeypatch: pytest.MonkeyPatch
):
    """As for the asset."""
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(ConfigError, match=r"pip install 'llm-assets\[vectors\]'"):
        vectors.search("paint")
