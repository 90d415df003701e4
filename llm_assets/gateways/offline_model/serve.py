"""How the offline model is served over HTTP, for other programs and other processes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def serve(app: "ASGIApp", host: str, port: int) -> None:
    """Serve until the process is told to stop. Port 0 takes a free one, which uvicorn's log line names."""
    import uvicorn

    uvicorn.run(_break_quietly(app), host=host, port=port, lifespan="off", access_log=False)


def _break_quietly(app: "ASGIApp") -> "ASGIApp":
    """A connection that is broken on purpose is no error of the server and needs no stack trace."""
    import httpx2

    async def call(scope: "Scope", receive: "Receive", send: "Send") -> None:
        try:
            await app(scope, receive, send)
        except httpx2.ReadError:
            return

    return call
