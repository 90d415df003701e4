from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import build_project
from llm_assets_tests.gateways.vectors import EMBED, VectorProject


@pytest.fixture
def vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VectorProject:
    """A project that makes vectors, with one offline endpoint for all of its calls."""
    pytest.importorskip("lancedb", reason="the extra `vectors` is not installed")
    from llm_assets.gateways.offline_model import app

    tiny = build_project(tmp_path / "project")
    config = tiny.read("configs/notes.yaml")
    tiny.write("configs/notes.yaml", config + EMBED)
    shared = app.build_app()
    monkeypatch.setattr(app, "build_app", lambda _: shared)
    return VectorProject(tiny=tiny, app=shared)
