"""Does a Dagster UI run here, and what does it answer?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import JsonValue

from llm_assets.gateways.project import Project

UI_VARIABLE = "LLM_ASSETS_UI_URL"
DEFAULT_URL = "http://127.0.0.1:3000"
"""Where `dagster dev` serves; a UI on another machine is asked only where the variable names it."""
GREETING_SECONDS = 1.0
"""A UI of this machine greets within milliseconds; nobody should wait for one that is not there."""


@dataclass(frozen=True, slots=True)
class UiServer:
    """A server that may be there. What goes wrong is no answer, never an error: it is about a view alone."""

    url: str

    def is_there(self) -> bool:
        """Whether it is a Dagster UI that answers, and not something else at this port."""
        answer = self._send("GET", "/server_info", None, wait_seconds=GREETING_SECONDS)
        return isinstance(answer, dict) and "dagster_webserver_version" in answer

    def ask(
        self, query: str, variables: Mapping[str, JsonValue], *, wait_seconds: float
    ) -> Mapping[str, Any]:
        """The data of a GraphQL answer; nothing where there is none."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = self._send("POST", "/graphql", body, wait_seconds=wait_seconds)
        found = answer.get("data") if isinstance(answer, dict) else None
        return found if isinstance(found, dict) else {}

    def _send(
        self, method: str, path: str, body: bytes | None, *, wait_seconds: float
    ) -> JsonValue:
        try:
            address = urlsplit(self.url)
            # Neither proxies nor redirects: a run says nothing of itself to whoever stands in between.
            connection = _open_connection(address, wait_seconds)
            headers = {"Content-Type": "application/json"} if body else {}
            try:
                connection.request(method, address.path.rstrip("/") + path, body, headers)
                return json.loads(connection.getresponse().read())
            finally:
                connection.close()
        except (OSError, HTTPException, ValueError):
            return None


def find_ui(project: Project) -> UiServer:
    """The UI that the project names, else the one at Dagster's own port."""
    return UiServer(project.find_variable(UI_VARIABLE) or DEFAULT_URL)


def _open_connection(address: SplitResult, wait_seconds: float) -> HTTPConnection:
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ValueError("no address of a web server")
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    return kind(address.hostname, address.port, timeout=wait_seconds)
