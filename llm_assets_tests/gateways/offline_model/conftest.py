import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from llm_assets.gateways.offline_model.app import OfflineApp


def call(app: OfflineApp, use: Callable[[AsyncOpenAI], Awaitable[object]]) -> object:
    """Use the openai client on an application in this process."""

    async def run() -> object:
        transport = httpx2.ASGITransport(app)
        async with AsyncOpenAI(
            api_key="k",
            base_url="http://offline.invalid/v1",
            http_client=httpx2.AsyncClient(transport=transport),
            max_retries=0,
        ) as client:
            return await use(client)

    return asyncio.run(run())


@pytest.fixture(name="call")
def provide_call():
    """`call(app, use)`: what `use(client)` gives."""
    return call


@pytest.fixture
def ask():
    """`ask(app, text, **parameters)`: the chat completion for one user message."""

    def ask(app: OfflineApp, text: str, *, model: str = "extractive", **parameters: Any):
        return call(
            app,
            lambda client: client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": text}], **parameters
            ),
        )

    return ask
