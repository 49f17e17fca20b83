"""The command line, called as a user calls it, on a small archive of generated stars."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from skydex.cli import main

STARS = """id,ra,dec,mag
1,10.50,41.20,12.5
2,10.60,41.25,
3,10.70,41.30,14.0
4,250.10,-20.50,9.75
"""


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    status: int
    out: str
    err: str


@pytest.fixture
def skydex(capfdbinary):
    """Run the command in this process, whose environment stays as it is: `serve` sets how many threads others have."""

    def run(*arguments: object) -> Ran:
        with patch.dict(os.environ), pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        written = capfdbinary.readouterr()
        out = written.out.decode().replace("\r\n", "\n")  # CSV has the line ends of RFC 4180
        return Ran(ended.value.code or 0, out, written.err.decode())

    return run


@pytest.fixture(scope="session")
def stars_file(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("files") / "stars.csv"
    file.write_text(STARS)
    return file


@pytest.fixture(scope="session")
def archive(tmp_path_factory, stars_file) -> Path:
    """An archive with the table my.stars; not to be changed."""
    from skydex.ingest import ingest_files

    where = tmp_path_factory.mktemp("archive") / "archive"
    ingest_files([stars_file], where, "my.stars")
    return where


@pytest.fixture(scope="session")
def server(archive):
    """The address of a real server of that archive."""
    from skydex.demo.server import running_server

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with running_server(archive, port=port) as running:
        yield running.url
