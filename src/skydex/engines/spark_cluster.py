"""A standalone cluster of Spark on loopback: a master and some workers, for trying things out and for tests.

Started from what pyspark ships, on free ports of 127.0.0.1, with a secret of its own without which nobody is let in;
whatever is started ends with the process that started it. `python -m skydex.engines.spark_cluster` shows one until
Ctrl-C. A cluster of several machines is not our affair: it is Spark's own, and asked by its address.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from skydex.engines.spark_session import check_spark, spark_environment
from skydex.errors import SparkUnavailableError
from skydex.jobs.limits import die_with_parent

__all__ = ["ClusterShape", "ConnectServer", "SparkCluster", "main"]

_HOST = "127.0.0.1"
_PAUSE_S = 0.1
_PATIENCE_S = 60.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A master and a worker have little to do; their code need not become fast."""


@dataclass(frozen=True)
class ClusterShape:
    """How large a cluster is."""

    workers: int = 2
    """Workers."""
    cores: int = 1
    """Of each."""
    memory_mb: int = 1024
    """Of each, for executors."""


@dataclass
class SparkCluster:
    """A cluster while it is there: `with SparkCluster() as cluster: open_session(cluster.url, ...)`."""

    shape: ClusterShape = field(default_factory=ClusterShape)
    """How large it is."""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)
    """Its workers, in the order in which they were started; executors end with their worker."""

    def __enter__(self) -> Self:
        check_spark()
        self._folder = tempfile.TemporaryDirectory(prefix="skydex-spark-", ignore_cleanup_errors=True)
        self._stack = contextlib.ExitStack()
        self._stack.callback(self._folder.cleanup)
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Address of the master."""
        return f"spark://{_HOST}:{self._port}"

    @property
    def properties(self) -> Path:
        """The file that lets somebody in: for `open_session`, or the setting `spark_properties`."""
        return self.folder / "spark.properties"

    @property
    def folder(self) -> Path:
        """Where the cluster keeps its files."""
        return Path(self._folder.name)

    def state(self) -> dict[str, Any]:
        """What the master says of its workers and applications."""
        with _OPENER.open(f"http://{_HOST}:{self._page_port}/json/", timeout=10) as answer:
            state: dict[str, Any] = json.load(answer)
        return state

    def add_worker(self) -> subprocess.Popen[bytes]:
        """Start a further worker."""
        number = len(self.workers)
        arguments = ["--host", _HOST, "--port", "0", "--webui-port", "0", "--cores", str(self.shape.cores)]
        arguments += ["--memory", f"{self.shape.memory_mb}m", "--work-dir", str(self.folder / f"worker-{number}")]
        worker = self._started(f"worker-{number}", "org.apache.spark.deploy.worker.Worker", *arguments, self.url)
        self.workers.append(worker)
        return worker

    def await_workers(self, n: int) -> None:
        """Wait until the master has so many."""
        _await(lambda: self.state()["aliveworkers"] >= n, self._log, f"The cluster has not got {n} workers.")

    def close(self) -> None:
        """End all of it."""
        self._stack.close()

    def _start(self) -> None:
        self.folder.chmod(0o700)
        self.properties.touch(0o600)
        self.properties.write_text(f"spark.authenticate true\nspark.authenticate.secret {secrets.token_hex(32)}\n")
        self._log = (self.folder / "log").open("ab+")
        self._stack.callback(self._log.close)
        self._port, self._page_port = _free_ports(2)
        master = ["--host", _HOST, "--port", str(self._port), "--webui-port", str(self._page_port)]
        self._started("master", "org.apache.spark.deploy.master.Master", *master)
        _await(lambda: self.state()["status"] == "ALIVE", self._log, "The master did not start.")
        for _ in range(self.shape.workers):
            self.add_worker()
        self.await_workers(self.shape.workers)

    def _started(self, name: str, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = spark_environment() | {
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": f"{_QUICK_START} -Dspark.master.rest.enabled=false -Dspark.worker.timeout=20",
            "SPARK_LOCAL_DIRS": str(self.folder / f"{name}-spill"),
            "SPARK_CONF_DIR": str(self.folder / "conf"),
        }
        command = [f"{environment['SPARK_HOME']}/bin/spark-class", kind, "--properties-file", str(self.properties)]
        process = _run([*command, *arguments], environment, self._log)
        self._stack.callback(_end, process)
        return process


@dataclass
class ConnectServer:
    """A Spark Connect server on loopback while it is there."""

    master: str = "local[1]"
    """Where it runs queries."""
    memory_mb: int = 1024
    """Its memory."""

    def __enter__(self) -> Self:
        check_spark()
        self._folder = tempfile.TemporaryDirectory(prefix="skydex-spark-", ignore_cleanup_errors=True)
        self._log = (Path(self._folder.name) / "log").open("ab+")
        (self._port,) = _free_ports(1)
        environment = spark_environment()
        choices = {
            "spark.connect.grpc.binding.address": _HOST,
            "spark.connect.grpc.binding.port": str(self._port),
            "spark.driver.memory": f"{self.memory_mb}m",
            "spark.driver.host": _HOST,
            "spark.driver.bindAddress": _HOST,
            "spark.local.dir": self._folder.name,
            "spark.sql.warehouse.dir": (Path(self._folder.name) / "warehouse").as_uri(),
            "spark.sql.catalogImplementation": "in-memory",
            "spark.ui.enabled": "false",
        }
        command = [f"{environment['SPARK_HOME']}/bin/spark-submit", "--master", self.master]
        command += [word for key, value in choices.items() for word in ("--conf", f"{key}={value}")]
        command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
        self.process = _run(command, environment, self._log)
        try:
            _await(partial(_is_open, self._port), self._log, "The Spark Connect server did not start.")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"sc://{_HOST}:{self._port}"

    def close(self) -> None:
        """End it."""
        _end(self.process)
        self._log.close()
        self._folder.cleanup()


def main() -> None:
    """Show a cluster until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A standalone cluster of Spark on loopback, until Ctrl-C.")
    parser.add_argument("--workers", type=int, default=ClusterShape.workers)
    parser.add_argument("--cores", type=int, default=ClusterShape.cores, help="of each worker")
    parser.add_argument("--memory-mb", type=int, default=ClusterShape.memory_mb, help="of each worker")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        SparkCluster(ClusterShape(given.workers, given.cores, given.memory_mb)) as cluster,
    ):
        print(f"Spark is at {cluster.url} with {given.workers} workers. Who uses it is told so:\n")
        print(f"  export SKYDEX_SPARK={cluster.url} SKYDEX_SPARK_PROPERTIES={cluster.properties}")
        print(f"  export SKYDEX_SPARK_MEMORY_MB={given.memory_mb}\n")
        print("`skydex query ARCHIVE QUERY --engine spark` asks it, and `skydex serve ARCHIVE` gives it long jobs.")
        print("Ctrl-C stops it.", flush=True)
        signal.pause()


def _run(command: list[str], environment: dict[str, str], log: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # so that Ctrl-C reaches only the process that decides
        preexec_fn=partial(die_with_parent, os.getpid()),
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await(condition: Any, log: Any, complaint: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while True:
        with contextlib.suppress(OSError):
            if condition():
                return
        if time.monotonic() > end:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
            raise SparkUnavailableError(complaint, f"It said: {log.read().decode('utf-8', 'replace')}")
        time.sleep(_PAUSE_S)


def _is_open(port: int) -> bool:
    with socket.create_connection((_HOST, port), timeout=1.0):
        return True


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.create_server((_HOST, 0))) for _ in range(n)]
        return [sock.getsockname()[1] for sock in socks]


if __name__ == "__main__":
    main()
