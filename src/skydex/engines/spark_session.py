"""Sessions of Spark: on this machine, on a standalone cluster, or at a Spark Connect server.

Everything that Spark must be told before its first query is said here, so that the engine need not care where it runs:
loopback where all is local, no web page of its own, UTC, Arrow, how much memory, which Python. Spark is a process of
its own, a Java one, which takes several seconds to start; one process of ours has one session at a time. What does not
work is told before the first query and within a time that the caller says, since Spark itself would wait for ever for
workers that never come.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from skydex.errors import SettingsError, SparkUnavailableError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = [
    "SparkAddress",
    "cancelled_when_deserted",
    "check_spark",
    "close_session",
    "interrupt_session",
    "is_alive",
    "n_executors",
    "open_session",
    "parse_spark_url",
    "session_id",
    "spark_environment",
]

_FORM = "local[N], spark://HOST:PORT or sc://HOST:PORT"
_LOCAL = re.compile(r"local(?:\[(?P<cores>\*|[1-9][0-9]{0,3})\])?")
_PORTS = {"spark": 7077, "sc": 15002}
_LOG = Path(__file__).with_name("spark_log4j2.properties")
_TAIL_BYTES = 2000
_PAUSE_S = 0.1
_LOOK_S = 0.5
"""How often it is looked whether executors are left."""
_NOISE = "PySpark does not yet fully support pandas"
"""A warning about `pandas` 3 and later, of which we use nothing in Spark."""
_TELLING_QUERIES = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
"""Loggers that print a query that fails, with its error; what its asker is told is our affair."""
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class SparkAddress:
    """Where Spark runs."""

    kind: str
    """`local`, `spark` (a standalone cluster) or `sc` (Spark Connect)."""
    host: str = _LOOPBACK
    """The machine of the master or the server."""
    port: int = 0
    """Its port; 0 if it is this process's own."""

    @property
    def place(self) -> str:
        """As people are told of it: without what may be a secret in the address."""
        return "this machine" if self.kind == "local" else f"{self.kind}://{self.host}:{self.port}"


def parse_spark_url(url: str) -> SparkAddress:
    """Read where Spark runs.

    Parameters
    ----------
    url : str
        `local[N]` for N cores of this machine (`local[*]` for all), `spark://HOST:PORT` for the master of a standalone
        cluster, `sc://HOST:PORT` for a Spark Connect server; the latter may carry parameters, as `;token=...`.

    Raises
    ------
    SettingsError
        It is none of these.
    """
    text = url.strip()
    if _LOCAL.fullmatch(text):
        return SparkAddress("local")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in _PORTS or not host:
        raise SettingsError(f"Spark is at {_FORM}, and not at {text.partition(';')[0]!r}.")
    return SparkAddress(parts.scheme, host, port or _PORTS[parts.scheme])


def open_session(
    url: str,
    *,
    memory_mb: int = 2048,
    wait_s: float = 30.0,
    directory: Path | None = None,
    properties: Path | None = None,
    name: str = "skydex",
) -> SparkSession:
    """Open a session of Spark, ready to answer; this takes several seconds.

    Parameters
    ----------
    url : str
        Where Spark runs, as `parse_spark_url` reads it.
    memory_mb : int
        Memory of each executor, in MB; on this machine, of all of Spark but its Python.
    wait_s : float
        How long an address may take to answer, and a cluster to give the first executor, in seconds.
    directory : Path, optional
        Where this process's part of Spark spills and keeps its log; by default the system's temporary directory.
    properties : Path, optional
        A file of further properties in the form of `spark-defaults.conf`, for what is nobody else's affair, as secrets.
    name : str
        How the session is called in lists of a cluster.

    Raises
    ------
    SettingsError
        The address cannot be one.
    SparkUnavailableError
        Spark is not installed, there is no Java, or nobody answers; the message says what helps.
    """
    address = parse_spark_url(url)
    _check_installed()
    ours = _check_reached(address, wait_s)
    if address.kind == "sc":
        return _connected(url.strip(), address)
    _check_java()
    folder = Path(directory or tempfile.gettempdir())
    choices = _choices(ours, memory_mb, folder, is_local=address.kind == "local")
    session = _started(address, ours, {"spark.master": url.strip(), "spark.app.name": name, **choices}, properties)
    if address.kind == "spark":
        try:
            _await_executors(session, address, memory_mb, wait_s)
        except BaseException:
            close_session(session)
            raise
    return session


def close_session(session: SparkSession) -> None:
    """End a session, with the Java process that was started for it."""
    context = None if _is_remote(session) else session.sparkContext
    gateway = getattr(context, "_gateway", None)
    with contextlib.suppress(Exception):  # what is gone already cannot be stopped, and need not be
        session.stop()
    if gateway is not None:
        _end_gateway(gateway)


def n_executors(session: SparkSession) -> int | None:
    """Executors that a cluster has given; `None` where there is no cluster that could be asked."""
    if _is_remote(session) or session.sparkContext.master.startswith("local"):
        return None
    infos = session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
    return max(0, len(infos) - 1)  # the driver counts as one of them


def is_alive(session: SparkSession) -> bool:
    """Whether the Java process of a session is there; of a Spark Connect server nobody knows before it is asked."""
    if _is_remote(session):
        return True
    context = session.sparkContext
    process = context._gateway.proc if context._gateway is not None else None
    return context._jsc is not None and (process is None or process.poll() is None)


def session_id(session: SparkSession) -> str | None:
    """By what a Spark Connect server knows a session; `None` for one that ends with its process."""
    return str(session.session_id) if _is_remote(session) else None


def interrupt_session(url: str, known: str) -> None:
    """Stop all that a session runs at a Spark Connect server whose process is gone.

    Parameters
    ----------
    url : str
        The server.
    known : str
        What `session_id` said of the session.
    """
    address = parse_spark_url(url)
    _check_installed()
    _check_reached(address, 1.0)
    joint = ";" if ";" in url else "/;"
    session = _connected(f"{url.strip().rstrip('/')}{joint}session_id={known}", address)
    session.interruptAll()
    session.stop()


@contextlib.contextmanager
def cancelled_when_deserted(session: Callable[[], SparkSession | None], patience_s: float) -> Iterator[None]:
    """Within this, what runs is cancelled if the cluster has had no executor for a while: Spark would wait for ever.

    Parameters
    ----------
    session : callable
        Gives the session, as soon as there is one.
    patience_s : float
        How long there may be none, in seconds.

    Raises
    ------
    SparkUnavailableError
        That happened; whatever error came of the cancellation is its cause.
    """
    done, deserted = threading.Event(), threading.Event()
    watch = threading.Thread(
        target=_watch, args=(session, patience_s, done, deserted), name="spark executors", daemon=True
    )
    watch.start()
    try:
        yield
    except Exception as error:
        if deserted.is_set():
            raise SparkUnavailableError(
                f"All workers of the cluster were lost, and none came within {patience_s:g} s.",
                "Start workers and ask again.",
            ) from error
        raise
    finally:
        done.set()
        watch.join()


def spark_environment(ours: str = _LOOPBACK) -> dict[str, str]:
    """Environment in which Spark's own processes start: its home, the address of this machine, and this Python."""
    kept = {key: value for key, value in os.environ.items() if key not in _NOT_OURS}
    return kept | {"SPARK_HOME": str(_home()), "SPARK_LOCAL_IP": ours, "PYSPARK_PYTHON": sys.executable}


_NOT_OURS = (
    "PYSPARK_GATEWAY_PORT",
    "PYSPARK_GATEWAY_SECRET",
    "PYSPARK_SUBMIT_ARGS",
    "SPARK_API_MODE",
    "SPARK_CONNECT_MODE",
    "SPARK_CONNECT_MODE_ENABLED",
    "SPARK_REMOTE",
)
"""What would have pyspark start something else than what it is asked for."""


def check_spark() -> None:
    """Raise `SparkUnavailableError` if Spark cannot run on this machine."""
    _check_installed()
    _check_java()


def _check_installed() -> None:
    warnings.filterwarnings("ignore", message=_NOISE)
    try:
        from pyspark import logger
    except ImportError as error:
        raise SparkUnavailableError("pyspark is not installed.", "Try: pip install 'skydex[spark]'") from error
    for name in _TELLING_QUERIES:
        logger.PySparkLogger.getLogger(name).disabled = True


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java", path=str(Path(home) / "bin") if home else None) is None:
        where = f"JAVA_HOME is {home}, where there is none." if home else "No java is on the PATH."
        raise SparkUnavailableError(
            f"Spark needs a Java runtime. {where}",
            "Install Java 17 or later, as with `apt install openjdk-17-jre-headless`, or set JAVA_HOME.",
        )


def _check_reached(address: SparkAddress, wait_s: float) -> str:
    """The address of this machine as the other one sees it, once that one answers."""
    if address.kind == "local":
        return _LOOPBACK
    end, reason = time.monotonic() + wait_s, ""
    while (left := end - time.monotonic()) > 0 or not reason:
        try:
            with socket.create_connection((address.host, address.port), timeout=max(0.5, left)) as sock:
                return str(sock.getsockname()[0])
        except OSError as error:
            reason = error.strerror or str(error)
        time.sleep(min(_PAUSE_S * 5, max(0.0, left)))
    raise SparkUnavailableError(
        f"Nobody answers at {address.place}: {reason}.", f"It was tried for {wait_s:g} s. Is Spark running there?"
    )


def _connected(url: str, address: SparkAddress) -> SparkSession:
    try:
        from pyspark.sql.connect.session import SparkSession as Remote

        session = Remote.builder.remote(url).create()
        session.conf.set("spark.sql.session.timeZone", "UTC")
    except ImportError as error:
        raise SparkUnavailableError(
            "What Spark Connect needs is not installed.", "Try: pip install 'skydex[spark]'"
        ) from error
    except Exception as error:
        raise SparkUnavailableError(
            f"What answers at {address.place} takes no session of Spark Connect.",
            "Is it such a server, of the same version of Spark?",
        ) from error
    return session


def _started(address: SparkAddress, ours: str, choices: Mapping[str, str], properties: Path | None) -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is not None:
        raise SparkUnavailableError("This process has a session of Spark already.", "End that one first.")
    if properties is not None and not properties.is_file():
        raise SparkUnavailableError(f"There is no file of properties {properties.name}.", "Name one that is there.")
    conf = SparkConf(loadDefaults=False).setAll(list(choices.items()))
    with tempfile.TemporaryFile(dir=choices["spark.local.dir"]) as log, _environment(ours, properties):
        try:
            gateway = launch_gateway(conf, {"stdout": log, "stderr": log, "start_new_session": True})
        except Exception as error:
            raise SparkUnavailableError("Spark did not start.", _tail(log)) from error
        try:
            session = SparkSession(SparkContext(conf=conf, gateway=gateway))
        except Exception as error:
            _end_gateway(gateway)
            raise SparkUnavailableError(f"Spark on {address.place} gave no session.", _tail(log)) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def _choices(ours: str, memory_mb: int, folder: Path, *, is_local: bool) -> dict[str, str]:
    """What Spark is told before it starts."""
    logging = f"-Dlog4j2.configurationFile={_LOG.as_uri()}"
    on_executors = {
        "PYTHONPATH": os.pathsep.join(_search_path()),
        "PYTHONWARNINGS": f"ignore:{_NOISE}",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return {
        "spark.driver.host": ours,
        "spark.driver.bindAddress": ours,
        "spark.driver.memory": f"{memory_mb}m" if is_local else f"{max(512, memory_mb // 2)}m",
        "spark.executor.memory": f"{memory_mb}m",
        "spark.driver.extraJavaOptions": logging,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": (folder / "spark-warehouse").as_uri(),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.pyspark.python": sys.executable,
        "spark.pyspark.driver.python": sys.executable,
        **{f"spark.executorEnv.{key}": value for key, value in on_executors.items() if value},
    }


def _search_path() -> list[str]:
    """Where executors on this machine find what this process has: folders that Python does not search by itself."""
    known = {str(Path(folder).resolve()) for folder in (*site.getsitepackages(), site.getusersitepackages())}
    package = str(Path(__file__).resolve().parents[2])
    given = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    return list(dict.fromkeys(folder for folder in (package, *given) if folder not in known))


@contextlib.contextmanager
def _environment(ours: str, properties: Path | None) -> Iterator[None]:
    """Within this, the environment is what Spark's processes want; Spark itself reads and passes on nothing else."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(spark_environment(ours))
    if properties is not None:
        os.environ["PYSPARK_SUBMIT_ARGS"] = f"--properties-file {shlex.quote(str(properties))} pyspark-shell"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _home() -> Path:
    import pyspark

    return Path(pyspark.__file__).parent


def _await_executors(session: SparkSession, address: SparkAddress, memory_mb: int, wait_s: float) -> None:
    if not _comes_true(lambda: bool(n_executors(session)), wait_s):
        raise SparkUnavailableError(
            f"The master at {address.place} gave no executor within {wait_s:g} s.",
            f"Are there workers with a free core and {memory_mb} MB of memory, and is the version of Spark the same?",
        )


def _comes_true(condition: Callable[[], bool], wait_s: float) -> bool:
    end = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE_S)
    return True


def _watch(
    session: Callable[[], SparkSession | None], patience_s: float, done: threading.Event, deserted: threading.Event
) -> None:
    """Cancel all that runs if there has been no executor for a while."""
    seen = time.monotonic()
    while not done.wait(_LOOK_S):
        opened = session()
        with contextlib.suppress(Exception):  # the driver itself is gone, which the query will say
            if opened is None or n_executors(opened) != 0:
                seen = time.monotonic()
            elif time.monotonic() - seen > patience_s:
                deserted.set()
                opened.sparkContext.cancelAllJobs()


def _is_remote(session: Any) -> bool:
    return not hasattr(session, "_jsparkSession")


def _end_gateway(gateway: Any) -> None:
    """End the Java process, which else would stay until this one ends."""
    from pyspark import SparkContext

    with contextlib.suppress(Exception):
        gateway.shutdown()
    process = gateway.proc
    if process is not None:
        process.stdin.close()
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if SparkContext._gateway is gateway:
        SparkContext._gateway = SparkContext._jvm = None


def _tail(log: IO[bytes]) -> str:
    """What Spark said last."""
    log.seek(0, os.SEEK_END)
    log.seek(max(0, log.tell() - _TAIL_BYTES))
    lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return f"It said: {lines[-1][:300]}" if lines else "It said nothing."
