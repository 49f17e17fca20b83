"""What the workers of the tests can do: a request is a pair of a deed and its argument."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skydex.errors import BadParameterError, StoreError


def factory(scratch: Path):
    def handler(request: tuple[str, Any], deadline: float | None) -> tuple[dict[str, Any], Iterator[bytes]]:
        deed, argument = request
        return {"deed": deed, "scratch": str(scratch), "deadline": deadline}, DEEDS[deed](argument, scratch)

    return handler


def filing_factory(scratch: Path):
    """Put what a deed yields into the file that an order names."""

    def handler(filed: Any, deadline: float | None) -> tuple[dict[str, Any], Iterator[bytes]]:
        deed, argument = filed.order
        content = b"".join(DEEDS[deed](argument.encode() if deed == "echo" else argument, scratch))
        filed.file.parent.mkdir(exist_ok=True)
        filed.file.write_bytes(content)
        facts = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "n_rows": None}
        return {**facts, "media_type": "text/plain", "suffix": ".txt"}, iter(())

    return handler


def echo(argument, scratch):
    yield argument


def megabytes(argument, scratch):
    for _ in range(argument):
        yield bytes(1 << 20)


def sleep(argument, scratch):
    time.sleep(argument)
    yield b"rested"


def sleep_in_c(argument, scratch):
    ctypes.PyDLL(None).sleep(argument)  # holds the interpreter's lock: no signal handler and no thread can run
    yield b"rested"


def allocate(argument, scratch):
    yield str(len(bytearray(argument << 20))).encode()


def refuse(argument, scratch):
    raise BadParameterError("RA", argument)
    yield b""


def break_store(argument, scratch):
    raise StoreError(argument)
    yield b""


def stumble(argument, scratch):
    raise KeyError("/secret/path")
    yield b""


def stumble_late(argument, scratch):
    yield bytes(1 << 20)
    yield b"the end"
    raise KeyError("/secret/path")


def die(argument, scratch):
    os.kill(os.getpid(), argument)
    yield b""


def die_once(argument, scratch):
    if not Path(argument).exists():
        Path(argument).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    yield b"rested"


def litter(argument, scratch):
    (scratch / "spill.tmp").write_bytes(b"x")
    yield str(os.getpid()).encode()


def pid(argument, scratch):
    yield str(os.getpid()).encode()


def cpu(argument, scratch):
    yield str(time.process_time()).encode()


def factory_that_fails(scratch: Path):
    raise RuntimeError("nothing to open")


DEEDS = {
    deed.__name__: deed
    for deed in (
        echo,
        megabytes,
        sleep,
        sleep_in_c,
        allocate,
        refuse,
        break_store,
        stumble,
        stumble_late,
        die,
        die_once,
        litter,
        pid,
        cpu,
    )
}
