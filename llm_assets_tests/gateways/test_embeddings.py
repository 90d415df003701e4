import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from llm_assets.core.embedding_summary import RecordProblem
from llm_assets.core.embedding_text import BLANK
from llm_assets.core.ids import Sha256, WorkId
from llm_assets.errors import ConfigError, ProviderError, StorageError
from llm_assets.gateways.ledger.ledger import open_ledger
from llm_assets.gateways.vector_store import VectorStore
from llm_assets_tests.gateways.vectors import EMBED, GATE, JUNE, MAY, NOTES, VectorProject

PRICED = "  price: {input_usd: 10, output_usd: 0}\n"


def list_counts(summary):
    return (
        summary.n_records,
        summary.n_embedded,
        summary.n_reused,
        summary.n_written,
        summary.n_removed,
    )


def set_embed(vectors: VectorProject, text: str) -> None:
    vectors.tiny.edit("configs/notes.yaml", EMBED, f"{GATE}{text.removeprefix(GATE)}")


def test_every_record_gets_into_the_store(vectors: VectorProject):
    """The first time each text is sent once, and all of it is accounted for."""
    summary = vectors.embed()
    assert list_counts(summary) == (5, 5, 0, 5, 0)
    assert vectors.n_requests == 5
    assert summary.prompt_tokens == vectors.app.tally.prompt_tokens
    assert (summary.dimensions, summary.is_rehearsal, summary.problems) == (256, True, ())
    assert vectors.list_found() == {
        f"may/{name}": f"summary: {text}" for name, text in NOTES.items()
    }


def test_a_rerun_sends_and_writes_nothing(vectors: VectorProject):
    """Equal records are equal contents."""
    first = vectors.embed()
    again = vectors.embed()
    assert list_counts(again) == (5, 0, 5, 0, 0)
    assert (vectors.n_requests, again.cost_usd) == (5, 0)
    assert again.contents_sha256 == first.contents_sha256


def test_only_what_changed_is_embedded(vectors: VectorProject):
    """A changed text and a new one are sent; a record that is gone leaves the store."""
    first = vectors.embed()
    kept = {name: text for name, text in NOTES.items() if name != "n5"}
    changed = vectors.embed({**kept, "n2": "New green paint arrived.", "n6": "It rains in."})
    assert list_counts(changed) == (5, 2, 3, 2, 1)
    assert vectors.n_requests == 7
    assert changed.contents_sha256 != first.contents_sha256
    found = vectors.list_found()
    assert "may/n5" not in found
    assert found["may/n2"] == "summary: New green paint arrived."


def test_a_changed_payload_is_stored_without_a_call(vectors: VectorProject):
    """What is found with a record is as new as the record, though its vector is the old one."""
    vectors.embed()
    first, *rest = vectors.build_records()
    renamed = replace(first, payload='{"more":1}', content_sha256=Sha256("other"))
    assert list_counts(vectors.embed_records([renamed, *rest])) == (5, 0, 5, 1, 0)
    assert vectors.n_requests == 5
    assert vectors.search("lathe belt", limit=1)[0].payload == '{"more":1}'


def test_another_way_to_say_the_same_text_changes_nothing(vectors: VectorProject):
    """What counts is the text that comes out."""
    vectors.embed()
    set_embed(vectors, "embed:\n  text: 'summary: {{ output.summary }}'\n")
    assert list_counts(vectors.embed()) == (5, 0, 5, 0, 0)


def test_equal_texts_share_a_call(vectors: VectorProject):
    """Within a batch and over batches a text is paid for once, and each record has its place."""
    summary = vectors.embed({"a": "The same.", "b": "The same."})
    assert list_counts(summary) == (2, 1, 1, 2, 0)
    assert list_counts(vectors.embed({"a": "The same."}, JUNE)) == (1, 0, 1, 1, 0)
    assert vectors.n_requests == 1
    assert set(vectors.list_found()) == {"may/a", "may/b", "june/a"}


def test_a_batch_leaves_other_batches_alone(vectors: VectorProject):
    """Records that are gone are gone from their own batch, and an empty batch empties that one alone."""
    vectors.embed()
    vectors.embed({"n1": "Another note."}, JUNE)
    assert list_counts(vectors.embed({})) == (0, 0, 0, 0, 5)
    assert vectors.list_found() == {"june/n1": "summary: Another note."}


def test_a_deleted_store_is_made_again_without_a_call(vectors: VectorProject):
    """It holds nothing that the ledger does not hold."""
    first = vectors.embed()
    before = vectors.search("paint")
    shutil.rmtree(vectors.project.vectors)
    n_requests = vectors.n_requests
    again = vectors.embed()
    assert list_counts(again) == (5, 0, 5, 5, 0)
    assert again.contents_sha256 == first.contents_sha256
    assert vectors.search("paint") == before
    assert vectors.n_requests == n_requests


def test_what_was_answered_before_a_stop_is_not_sent_again(
    vectors: VectorProject, monkeypatch: pytest.MonkeyPatch
):
    """A run that ends between the answers and the store has lost the store's part alone."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(VectorStore, "write_records", stop)
        with pytest.raises(KeyboardInterrupt):
            vectors.embed()
    assert vectors.n_requests == 5
    assert list_counts(vectors.embed()) == (5, 0, 5, 5, 0)
    assert vectors.n_requests == 5


def test_trouble_with_one_record_keeps_no_other_from_its_vector(vectors: VectorProject):
    """A record without a text is told by its id and reason; it is sent nowhere."""
    records = vectors.build_records({**NOTES, "blank": "  "})
    set_embed(vectors, "embed:\n  text: '{{ output.summary.strip() }}{{ output.more }}'\n")
    broken = vectors.build_records({"broken": "No such field."})
    summary = vectors.embed_records([*broken, *records])
    assert list_counts(summary) == (7, 5, 0, 5, 0)
    assert [each.record_id for each in summary.problems] == ["broken", "blank"]
    assert "`embed.text` cannot be rendered" in summary.problems[0].reason
    assert summary.problems[1] == RecordProblem(record_id="blank", reason=BLANK)
    assert vectors.n_requests == 5


def test_a_record_that_lost_its_text_leaves_the_store(vectors: VectorProject):
    """Its old vector would find what it does not say any more."""
    vectors.embed()
    summary = vectors.embed({**NOTES, "n1": ""})
    assert list_counts(summary) == (5, 0, 4, 0, 1)
    assert "may/n1" not in vectors.list_found()


def test_passing_faults_are_tried_again(vectors: VectorProject):
    """Every record gets its vector from an endpoint that fails now and then, and the ledger says what it took."""
    vectors.meet_trouble(server_errors=0.1, rate_limited=0.1, cut_bodies=0.1, resets=0.1)
    notes = {f"n{number}": f"Note number {number} is about {number} doors." for number in range(40)}
    assert list_counts(vectors.embed(notes)) == (40, 40, 0, 40, 0)
    with open_ledger(vectors.project.ledger_url) as ledger:
        (spend,) = ledger.history.sum_spend("task", since=None)
    assert (spend.n_answers, spend.n_calls) == (40, vectors.n_requests)
    assert spend.n_faults > 5


def test_faults_that_do_not_pass_are_problems_of_their_records(vectors: VectorProject):
    """A record whose calls all failed has its reason; the next run asks for it alone."""
    vectors.tiny.edit("configs/notes.yaml", "  backoff_seconds: 0.01", "  fault_retries: 0")
    vectors.meet_trouble(server_errors=0.3)
    notes = {f"n{number}": f"Note number {number} is about {number} doors." for number in range(20)}
    summary = vectors.embed(notes)
    n_failed = len(summary.problems)
    assert 0 < n_failed < 20
    assert summary.n_embedded == 20 - n_failed
    assert "server" in summary.problems[0].reason
    vectors.meet_trouble()
    assert list_counts(vectors.embed(notes)) == (20, n_failed, 20 - n_failed, n_failed, 0)


def test_an_unknown_model_stops_with_a_sentence(vectors: VectorProject):
    """Every call is doomed, so the first answer of that kind ends the run."""
    set_embed(vectors, f"{EMBED}  model: nobody\n")
    with pytest.raises(ProviderError, match="nobody"):
        vectors.embed()


def test_another_model_makes_another_space(vectors: VectorProject):
    """Vectors of another length are never compared with the old ones, and the batch's old ones are removed."""
    vectors.embed()
    vectors.embed({"j": "A note of June."}, JUNE)
    set_embed(vectors, f"{EMBED}  dimensions: 64\n")
    summary = vectors.embed()
    assert (list_counts(summary), summary.dimensions) == ((5, 5, 0, 5, 0), 64)
    assert {each.batch for each in vectors.search("note")} == {MAY}
    vectors.embed({"j": "A note of June."}, JUNE)
    assert {each.batch for each in vectors.search("note")} == {MAY, JUNE}


def test_the_budget_holds_for_vectors(vectors: VectorProject):
    """What does not fit is left out with the reason and comes the next time; no cap is passed."""
    config = vectors.tiny.read("configs/notes.yaml")
    vectors.tiny.write("configs/notes.yaml", f"{config}{PRICED}budget:\n  per_run_usd: 0.0009\n")
    summary = vectors.embed()
    assert 0 < summary.n_embedded < 5
    assert "budget of 0.0009 USD" in summary.problems[0].reason
    assert 0 < summary.cost_usd <= Decimal("0.0009")
    later = vectors.embed(run_id="run-2")
    assert later.n_embedded > 0
    assert later.n_reused >= summary.n_embedded


def test_a_budget_in_dollars_needs_a_price(vectors: VectorProject, monkeypatch):
    """Where nobody knows one, the remedy names the setting of this block."""
    vectors.tiny.write(
        "configs/endpoints.yaml",
        "endpoints:\n  office: {base_url: 'http://127.0.0.1:9/v1'}\n",
    )
    set_embed(vectors, "embed: {endpoint: office, model: m}\nbudget: {per_run_usd: 1}\n")
    with pytest.raises(ConfigError, match=r"Set `embed\.price`"):
        vectors.embed()


def test_calls_for_vectors_are_on_record_as_such(vectors: VectorProject):
    """The ledger names the record, the purpose and the text that was sent."""
    vectors.embed({"n1": NOTES["n1"]})
    with open_ledger(vectors.project.ledger_url) as ledger:
        (call,) = ledger.call_log.load_item_calls(vectors.task.name, WorkId("n1"))
    assert (call.purpose, call.batch, call.model) == ("embed", "may", "hashed-words")
    assert [message.content for message in call.messages] == [f"summary: {NOTES['n1']}"]


def test_two_records_of_one_id_are_refused(vectors: VectorProject):
    """One would replace the other; nothing is sent."""
    (record,) = vectors.build_records({"n1": "A note."})
    with pytest.raises(StorageError, match="two published records with the id 'n1'"):
        vectors.embed_records([record, record])
    assert vectors.n_requests == 0


def test_a_task_without_the_block_says_so(vectors: VectorProject):
    """The remedy is what to add."""
    set_embed(vectors, "")
    with pytest.raises(ConfigError, match="Add a block `embed`"):
        vectors.embed_records([])


def test_the_endpoint_is_checked_when_the_config_is_read(vectors: VectorProject):
    """A misspelt endpoint is told with its place in the file."""
    set_embed(vectors, "embed: {endpoint: offlin, model: m}\n")
    with pytest.raises(
        ConfigError, match=r"configs/notes\.yaml:\d+:\d+: embed\.endpoint: .*offline"
    ):
        _ = vectors.task


def test_without_the_package_the_remedy_is_the_extra(
    vectors: VectorProject, monkeypatch: pytest.MonkeyPatch
):
    """It is told before anything is sent."""
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(ConfigError, match=r"pip install 'llm-assets\[vectors\]'"):
        vectors.embed()
    assert vectors.n_requests == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from llm_assets.gateways.vector_store import VectorStore
from llm_assets.gateways.offline_model.app import build_app
from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.gateways.vectors import VectorProject

VectorStore.write_records = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
VectorProject(tiny=TinyProject(Path(sys.argv[1])), app=build_app()).embed()
"""


@pytest.mark.slow
def test_a_kill_between_answers_and_store_costs_nothing(vectors: VectorProject):
    """The vectors are on record before the store sees the first of them."""
    root = str(vectors.tiny.root)
    done = subprocess.run([sys.executable, "-c", KILLED, root], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list_counts(vectors.embed()) == (5, 0, 5, 5, 0)
    assert vectors.n_requests == 0
