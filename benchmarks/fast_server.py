"""A chat endpoint that costs next to nothing: the same answer to every request, after a set latency.

Run as a process of its own: `python benchmarks/fast_server.py LATENCY_SECONDS`; prints its port and serves until
its standard input closes.
"""

import asyncio
import json
import sys

ANSWER = json.dumps(
    {"category": "billing", "urgency": "high", "summary": "Charged twice.", "confidence": 0.9}
)
BODY = json.dumps(
    {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "benchmark",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": ANSWER, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340},
    }
).encode()
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: benchmark\r\nContent-Length: "
    + str(len(BODY)).encode()
    + b"\r\n\r\n"
    + BODY
)
END_OF_HEADERS = b"\r\n\r\n"


class FastServer(asyncio.Protocol):
    """Finds the end of each request by its content length and answers it when its time has come."""

    def __init__(self, latency_seconds: float) -> None:
        self._latency_seconds = latency_seconds
        self._buffer = bytearray()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the replies."""
        self._transport = transport if isinstance(transport, asyncio.Transport) else None

    def data_received(self, data: bytes) -> None:
        """Answer every whole request in the buffer."""
        self._buffer += data
        while (end := self._find_end()) is not None:
            del self._buffer[:end]
            self._loop.call_later(self._latency_seconds, self._reply)

    def _find_end(self) -> int | None:
        head_end = self._buffer.find(END_OF_HEADERS)
        if head_end < 0:
            return None
        head = bytes(self._buffer[:head_end]).lower()
        _, _, after = head.partition(b"content-length:")
        length = int(after.split(b"\r\n", 1)[0]) if after else 0
        end = head_end + len(END_OF_HEADERS) + length
        return end if len(self._buffer) >= end else None

    def _reply(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(REPLY)


async def main(latency_seconds: float) -> None:
    """Serve until nobody wants it any more."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FastServer(latency_seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
