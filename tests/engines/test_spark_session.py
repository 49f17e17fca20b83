"""Sessions of Spark: where they are, and what is said when there can be none."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest

from skydex.engines.spark_session import SparkAddress, open_session, parse_spark_url
from skydex.errors import SettingsError, SparkUnavailableError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("local", SparkAddress("local")),
        ("local[2]", SparkAddress("local")),
        ("local[*]", SparkAddress("local")),
        ("spark://node1:7078", SparkAddress("spark", "node1", 7078)),
        ("spark://node1", SparkAddress("spark", "node1", 7077)),
        ("sc://node1", SparkAddress("sc", "node1", 15002)),
        ("sc://node1:15003/;token=secret", SparkAddress("sc", "node1", 15003)),
        ("sc://[::1]:15003", SparkAddress("sc", "::1", 15003)),
    ],
)
def test_an_address_of_spark_is_read(url: str, address: SparkAddress) -> None:
    assert parse_spark_url(url) == address
    assert "secret" not in address.place


@pytest.mark.parametrize("url", ["", "local[0]", "local[x]", "yarn", "http://node1", "spark://", "spark://node:x"])
def test_what_is_no_address_of_spark_is_refused_with_those_that_are(url: str) -> None:
    with pytest.raises(SettingsError, match=r"local\[N\], spark://HOST:PORT or sc://HOST:PORT"):
        parse_spark_url(url)


@pytest.mark.parametrize("kind", ["spark", "sc"])
def test_an_address_where_nobody_listens_is_told_within_the_time_that_was_given(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(SparkUnavailableError, match=f"Nobody answers at {kind}://127.0.0.1:{port}"):
        open_session(f"{kind}://127.0.0.1:{port}", wait_s=1.0)
    assert time.monotonic() - start < 10


def test_a_machine_without_java_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(SparkUnavailableError, match="openjdk-17-jre-headless"):
        open_session("local[1]")


def test_a_java_home_without_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SparkUnavailableError, match=f"JAVA_HOME is {tmp_path}"):
        open_session("local[1]")


def test_an_absent_pyspark_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(SparkUnavailableError, match=r"pip install 'skydex\[spark\]'"):
        open_session("local[1]")
