"""The least that such an HTTP server can do: uvicorn with one constant answer of a given length.

Runs as `python -m benchmarks.constant_server N_BYTES --port PORT`. What skydex needs beyond this is its own doing.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Message = dict[str, Any]


def constant_app(body: bytes) -> Callable[..., Awaitable[None]]:
    """An ASGI application that gives the same answer to everything."""
    headers = [(b"content-type", b"text/xml"), (b"content-length", b"%d" % len(body))]

    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("n_bytes", type=int)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    app = constant_app(b"x" * given.n_bytes)
    uvicorn.run(app, port=given.port, log_level="error", lifespan="off", access_log=False, http="httptools")
