"""A tiny project whose task makes vectors, and what its offline endpoint was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llm_assets.core.embedding_summary import EmbeddingSummary
from llm_assets.core.embedding_text import EmbeddableRecord, build_embedding_text
from llm_assets.core.ids import BatchKey
from llm_assets.gateways.embedder import find_embedding_place
from llm_assets.gateways.embeddings import embed_batch
from llm_assets.gateways.llm_run import Observer
from llm_assets.gateways.offline_model.app import OfflineApp, build_app
from llm_assets.gateways.project import Project
from llm_assets.gateways.search import search_records
from llm_assets.gateways.tasks import Task, load_task
from llm_assets.gateways.vector_store import Neighbour, VectorStore, open_vector_store
from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.fakes import FakeClock

GATE = "gate: {field: score, at_least: 0}\n"
EMBED = f"{GATE}embed:\n  fields: [output.summary]\n"
NOTES = {
    "n1": "The belt of the lathe slips under load.",
    "n2": "New blue paint arrived.",
    "n3": "Two tins of red paint leaked in the cupboard.",
    "n4": "The north door does not close in the wind.",
    "n5": "The hinges of the door were oiled.",
}
MAY, JUNE = BatchKey("may"), BatchKey("june")


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorProject:
    """A project and the offline endpoint that all of its calls go to."""

    tiny: TinyProject
    app: OfflineApp

    @property
    def project(self) -> Project:
        return Project(root=self.tiny.root, environ={})

    @property
    def task(self) -> Task:
        return load_task(self.project, "notes")

    @property
    def n_requests(self) -> int:
        return self.app.tally.n_requests

    def embed(
        self, notes: Mapping[str, str] = NOTES, batch: BatchKey = MAY, *, run_id: str = "run-1"
    ) -> EmbeddingSummary:
        """Embed these texts as the batch's records."""
        return self.embed_records(self.build_records(notes), batch, run_id=run_id)

    def embed_records(
        self, records: Sequence[EmbeddableRecord], batch: BatchKey = MAY, *, run_id: str = "run-1"
    ) -> EmbeddingSummary:
        return embed_batch(
            self.task,
            self.project,
            records,
            batch=batch,
            run_id=run_id,
            observer=Observer(),
            clock=FakeClock(),
        )

    def build_records(self, notes: Mapping[str, str] = NOTES) -> list[EmbeddableRecord]:
        embed = self.task.settings.embed
        assert embed is not None
        recipe = build_embedding_text(embed)
        return [
            recipe.build_record(name, input_values={"id": name}, output={"summary": text})
            for name, text in notes.items()
        ]

    def search(self, words: str, *, limit: int = 10) -> list[Neighbour]:
        return list(
            search_records(
                self.task,
                self.project,
                words,
                limit=limit,
                clock=FakeClock(),
                observer=Observer(),
            )
        )

    def open_store(self) -> VectorStore:
        place = find_embedding_place(self.task, self.project)
        return open_vector_store(self.project.vectors / "notes", space=place.space)

    def list_found(self) -> dict[str, str]:
        """Every record in the store by its batch and id, with its text."""
        store = self.open_store()
        found = store.find_nearest([1.0] * (store.find_dimensions() or 1), limit=1000)
        return {f"{each.batch}/{each.record_id}": each.text for each in found}

    def meet_trouble(self, **rates: float) -> None:
        """Let the endpoint make troubles from now on."""
        self.app._behaviour = replace(build_app()._behaviour, **rates)
