"""Does a UI that is open show the settings that a run was made with?

A UI loads prompts and configs once. What a run makes after an edit looks stale there until the code location is
loaded again, though it is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from llm_assets.defs.scope import TaskScope
from llm_assets.defs.task_definitions import build_task_graph
from llm_assets.gateways.project import find_root_around
from llm_assets.gateways.ui_server import UiServer, find_ui

MODULE = "llm_assets.definitions"
LOOK_SECONDS = 10.0
RELOAD_SECONDS = 60.0
_LOOK = """query($run: ID!, $keys: [AssetKeyInput!]!) {
  runOrError(runId: $run) { __typename }
  assetNodes(assetKeys: $keys) { assetKey { path } opVersion repository { location { name } } }
  workspaceOrError { ... on Workspace { locationEntries { name displayMetadata { key value } } } }
}"""
_RELOAD = """mutation($name: String!) {
  reloadRepositoryLocation(repositoryLocationName: $name) {
    ... on WorkspaceLocationEntry { locationOrLoadError { __typename } }
  }
}"""

Versions = dict[str, str | None]
"""Code versions by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A code location as a UI shows it."""

    name: str
    origin: Mapping[str, str]
    """The module it is loaded from, the working directory and so on."""
    versions: Versions
    """Of the task's stages; empty where it does not have them."""


def reload_shown_code(scope: TaskScope, history: dg.DagsterInstance) -> str | None:
    """Let a UI on this history load its code anew where it shows other settings than those of now.

    The sentence for a person, None where there is nothing to say. Only a location of this project is reloaded: code
    that is not ours may be in the middle of an edit.
    """
    server = find_ui(scope.project)
    runs = history.get_runs(limit=1)
    if not runs or not server.is_there():
        return None
    current = _read_versions(scope)
    for location in _look(server, run_id=runs[0].run_id, current=current):
        if location.versions == current:
            continue
        if _is_of_project(location, scope):
            return _reload(server, location.name)
        if location.versions:
            return (
                f"The UI at {server.url} shows {location.name} as it was before the last edit; "
                "reload it there."
            )
    return None


def _read_versions(scope: TaskScope) -> Versions:
    nodes = build_task_graph(scope).nodes
    return {scope.build_key(node.name).to_user_string(): node.code_version for node in nodes}


def _look(server: UiServer, *, run_id: str, current: Versions) -> list[Location]:
    """The locations of a server that keeps the same history: it knows a run that was just made in it."""
    keys: list[Any] = [{"path": key.split("/")} for key in current]
    found = server.ask(_LOOK, {"run": run_id, "keys": keys}, wait_seconds=LOOK_SECONDS)
    if not found or found["runOrError"]["__typename"] != "Run":
        return []
    versions: dict[str, Versions] = {}
    for node in found["assetNodes"]:
        shown = versions.setdefault(node["repository"]["location"]["name"], {})
        shown["/".join(node["assetKey"]["path"])] = node["opVersion"]
    return [
        Location(
            name=entry["name"],
            origin={each["key"]: each["value"] for each in entry["displayMetadata"]},
            versions=versions.get(entry["name"], {}),
        )
        for entry in found["workspaceOrError"].get("locationEntries", [])
    ]


def _is_of_project(location: Location, scope: TaskScope) -> bool:
    """Whether it is all of this project's tasks, this one among them, also where they do not load at present."""
    module, folder = (location.origin.get(key) for key in ("module_name", "working_directory"))
    is_own_task = scope.task.config_path.parent == scope.project.configs
    return (
        module == MODULE
        and is_own_task
        and folder is not None
        and find_root_around(Path(folder)) == scope.project.root
    )


def _reload(server: UiServer, name: str) -> str:
    found = server.ask(_RELOAD, {"name": name}, wait_seconds=RELOAD_SECONDS)
    entry: Mapping[str, Any] = found.get("reloadRepositoryLocation") or {}
    state: Mapping[str, str] = entry.get("locationOrLoadError") or {}
    if state.get("__typename") == "RepositoryLocation":
        return f"The UI at {server.url} has loaded the current settings."
    return f"The UI at {server.url} shows older settings and could not load {name} anew; look there for the reason."
