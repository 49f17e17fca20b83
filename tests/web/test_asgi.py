"""A reply is sent as far as somebody wants it."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace

import pytest

from skydex.settings import Settings
from skydex.web.asgi import Endpoint, FilePart, Reply

SIZE = 1 << 32


@pytest.fixture
def file(tmp_path):
    """A file that takes seconds to read and no room."""
    with (tmp_path / "large").open("wb") as opened:
        opened.truncate(SIZE)
    return tmp_path / "large"


async def sent(file, method, leaves_after_s):
    """What is sent of a file to a client that takes everything at once, until it leaves."""
    descriptor, messages = os.open(file, os.O_RDONLY), []

    async def handler(call):
        return Reply(FilePart(descriptor, 0, SIZE), "text/plain")

    async def receive():
        await asyncio.sleep(leaves_after_s)
        return {"type": "http.disconnect"}

    async def send(message):
        messages.append(message)

    site = SimpleNamespace(settings=Settings())
    await Endpoint(site, handler)({"type": "http", "method": method, "headers": [], "path": "/"}, receive, send)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    return messages


def test_a_file_is_not_read_for_head(run, file):
    start, end = run(sent(file, "HEAD", 60))
    assert (b"content-length", b"%d" % SIZE) in start["headers"]
    assert end["body"] == b""


def test_r24_a_file_is_not_read_on_for_a_client_that_has_left(run, file):
    messages = run(sent(file, "GET", 0.1))
    assert sum(len(message.get("body", b"")) for message in messages) < SIZE
