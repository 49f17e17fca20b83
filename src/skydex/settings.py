"""`Settings`: everything about an archive that its operator may choose, read once at the start and then handed on.

A value comes from, in rising order of weight: the default here, `skydex.toml` in the archive directory (or the file
named by `--config`), the environment (`SKYDEX_PORT=80`), and a flag of the command. Nothing else in skydex reads the
environment or a configuration file.
"""

from __future__ import annotations

import ast
import inspect
import ipaddress
import itertools
import math
import os
import tempfile
import textwrap
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from skydex.errors import SettingsError, near_names

__all__ = ["CONFIG_FILE", "Settings", "load_settings", "login_of_environment", "settings_table"]

CONFIG_FILE = "skydex.toml"
"""Name of the configuration file in an archive directory."""
ENVIRONMENT_PREFIX = "SKYDEX_"
LOGIN = ("SKYDEX_USER", "SKYDEX_PASSWORD")
"""As whom servers are asked: the environment of clients, and no setting of an archive."""
LOG_LEVELS = ("debug", "info", "warning", "error")
REGISTRATION = ("closed", "open")
SPARK_JOBS = ("long", "all")

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_NONE = "none"
_LONGEST_QUEUE_MINUTES = 525_600
_MOST_PROCESSES = 128
"""More have no file descriptors left: every one is reached by a few of the supervisor's."""
_MAY_BE_ZERO = ("port", "queue_length", "remote_cache_mb", "spool_memory_kb", "spark_rows", "cache_mb")


@dataclass(frozen=True)
class Settings:
    """The choices of an archive's operator."""

    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` for every address of the machine."""
    port: int = 8642
    """TCP port to listen on; 0 for any free one."""
    base_url: str | None = None
    """Public address of the server, as users write it; by default `http://HOST:PORT`. The Host header is never used."""
    title: str = "skydex archive"
    """Name of the archive, for pages and service descriptions."""
    publisher: str = ""
    """Who publishes the archive."""
    contact: str = ""
    """Where users write to: a mail address or a web page."""
    processes: int = 1
    """Processes that take requests, on one port, each with a share of `workers`; for servers with many requests."""
    workers: int = field(default_factory=lambda: max(2, 2 * _n_cores()))
    """Processes that answer queries; by default two a core, and at least four."""
    threads: int = field(default_factory=lambda: _n_cores())
    """Threads of one query; by default one a core."""
    query_time_s: float = 60.0
    """Time limit of a query, in seconds."""
    query_memory_mb: int = 2048
    """Memory that one query may use, in MB."""
    query_spill_mb: int = 8192
    """Disk that the intermediate result of one query may use, in MB."""
    max_rows_default: int = 1_000_000
    """Rows of an answer when the request does not say how many."""
    max_rows_hard: int = 10_000_000
    """Rows of an answer, whatever the request says."""
    catalog_radius_deg: float = 0.5
    """Radius of a cone in the catalogue REST API, in degrees, unless `services.toml` gives a table one of its own."""
    page_points: int = 500_000
    """Rows that the pages draw one by one; of more they draw the density."""
    look_cells: int = 262_144
    """Cells of a density raster, pixels of a map of counts, bins of a histogram."""
    look_sample_rows: int = 200_000
    """Rows that are read for what a look at a table may estimate, of a larger table; 400,000 at the most."""
    look_exact_rows: int = 2_000_000
    """Rows up to which facets of a table are counted in all of them, and not in a sample."""
    look_median_rows: int = 1_000_000
    """Values of which the cells of a density raster have medians; of more they have means."""
    light_curves: int = 10_000
    """Objects whose light curves one request may ask for."""
    periodogram_points: int = 20_000
    """Measurements of a light curve whose periods are looked for."""
    periodogram_frequencies: int = 1_000_000
    """Frequencies that one periodogram may have."""
    cutout_mpix: int = 100
    """Pixels of a cutout that is made at once or shown as a picture, in millions; larger FITS is sent as it is read."""
    image_tile_mpix: int = 64
    """Pixels of one tile of a tile-compressed image that is ingested, in millions."""
    image_unpacked_mb: int = 2048
    """Size of an image file that is compressed as a whole (gzip, bzip2) and ingested, when it is unpacked, in MB."""
    queue_length: int = 256
    """Requests that may wait for a worker; more are told to come back later."""
    queue_wait_s: float = 10.0
    """How long a request waits for a worker before it is told to come back later, in seconds."""
    form_mb: int = 4
    """Size of a request's parameters, in MB."""
    upload_mb: int = 100
    """Size of the tables that come along with a request, in MB; of each of them also when it is unpacked."""
    mydb_upload_mb: int = 2000
    """Size of a file that a user puts into her own tables, in MB; also when it is unpacked."""
    mydb_upload_s: float = 600.0
    """Time limit of reading such a file, in seconds."""
    upload_rows: int = 10_000_000
    """Rows of one such table."""
    uploads_mb: int = 20_000
    """Size of all tables that are being received at once, in MB; further ones are told to come back."""
    upload_from_uri: bool = False
    """Whether such tables may be named by an address from which the server fetches them; only public machines count."""
    fetch_time_s: float = 60.0
    """How long fetching one such table may take, in seconds."""
    name_server: str | None = None
    """Sesame to ask for names unknown here, as `https://cds.unistra.fr/cgi-bin/nph-sesame`; none by default."""
    name_server_time_s: float = 10.0
    """How long it may take to answer, in seconds."""
    names_kept: int = 10_000
    """Of how many names its answers are kept."""
    names_kept_days: float = 30.0
    """How long they are kept, in days; that a name is unknown, one day at most."""
    remote_cache_mb: int = 2000
    """Disk for what was read of catalogues that lie elsewhere, in MB; 0 keeps nothing."""
    remote_cache_dir: str | None = None
    """Directory of that cache, which archives may share; by default `remote` beside the jobs."""
    remote_time_s: float = 30.0
    """How long the server of such a catalogue may be silent before it is asked again, in seconds."""
    remote_connections: int = 8
    """Connections to one such catalogue at a time, of each process."""
    remote_check_s: float = 60.0
    """How often it is looked whether such a catalogue has changed, in seconds."""
    s3_anonymous: bool = False
    """Whether S3 is asked without credentials even where the environment has some."""
    cache_mb: int = 64
    """Memory for answers that were given before and are still right, in MB; 0 keeps none."""
    compression: bool = True
    """Whether text is compressed for clients that take it so (gzip, zstd)."""
    spool_memory_kb: int = 2048
    """Part of an answer that is held in memory for a slow reader, in kB."""
    spool_mb: int = 4096
    """Part of an answer that is held on disk for a slow reader, in MB; beyond it the query waits for the reader."""
    header_time_s: float = 10.0
    """How long a connection may take to send the header of a request, in seconds."""
    body_time_s: float = 30.0
    """How long a connection may pause while it sends a request, in seconds."""
    write_time_s: float = 60.0
    """How long a connection may pause while it reads an answer, in seconds."""
    stop_time_s: float = 25.0
    """How long running queries may go on after the server was told to stop, in seconds."""
    state_dir: str | None = None
    """Directory for jobs and their results; by default `state` in the archive."""
    job_time_s: int = 3600
    """Time limit of a job that asks for none, in seconds."""
    job_time_hard_s: int = 14_400
    """Time limit of a job, whatever it asks for, in seconds."""
    job_days: float = 7.0
    """How long a job and its result are kept, in days."""
    job_days_hard: float = 31.0
    """How long a job and its result are kept at most, whatever it asks for, in days."""
    spark: str | None = None
    """Where Spark runs long jobs: `local[N]`, `spark://HOST:PORT` or `sc://HOST:PORT`; by default no job runs there."""
    spark_takes: str = "long"
    """Which jobs run on Spark: `long` (by `QUEUE=long`, or by a time limit over `job_time_s`) or `all`."""
    spark_jobs: int = 1
    """Jobs that run on Spark at once; each has a session of its own."""
    spark_rows: int = 1_000_000
    """A query of such a job that reads fewer rows than this is answered without Spark, which is faster."""
    spark_memory_mb: int = 4096
    """Memory of each executor of Spark, in MB; of all of Spark where it runs on this machine."""
    spark_wait_s: float = 60.0
    """How long Spark may be without an executor, and its address without an answer, before a job fails, in seconds."""
    spark_idle_s: float = 600.0
    """How long a session of Spark is kept after its last job, in seconds; to start one takes seconds, too."""
    spark_properties: str | None = None
    """File with further properties of Spark, in the form of `spark-defaults.conf`."""
    spark_spool: str | None = None
    """Directory for results that all executors write; by default in the state directory of the archive."""
    job_wait_s: float = 50.0
    """How long a request that waits for the end of a job is held, in seconds; less than what proxies allow."""
    casjobs_queues: str = "1, 30, 500"
    """Queues of CasJobs, by how long a job in each may take, in minutes; the first one is that of quick queries."""
    casjobs_answer_mb: int = 64
    """Size of the answer to a quick query of CasJobs, in MB."""
    jobs_per_address: int = 100
    """Unfinished jobs of one address."""
    jobs_per_user: int = 100
    """Unfinished jobs of one user."""
    jobs_total: int = 2000
    """Unfinished jobs of everybody."""
    jobs_kept: int = 10_000
    """Jobs of one address or one user, with those that have ended."""
    jobs_kept_mb: int = 20_000
    """What these take on the disk, with their uploads and results, in MB."""
    bundle_files: int = 10_000
    """Files that one bundle may be asked for."""
    bundle_mb: int = 2000
    """Size of all files in a bundle, before they are compressed, in MB; those beyond it are missing."""
    bundle_file_mb: int = 256
    """Size of one file in a bundle, in MB."""
    cutouts_per_job: int = 1000
    """Cutouts that one job may ask for."""
    hips_cache_mb: int = 1000
    """Disk for tiles of HiPS that were made already, in MB; those used longest ago go first."""
    mydb_mb: int = 1000
    """What the tables of a user may take on the disk, in MB, unless `skydex user quota` says otherwise."""
    mydb_tables: int = 500
    """How many tables a user may have, unless `skydex user quota` says otherwise."""
    groups_per_user: int = 20
    """How many groups a user may make for sharing tables."""
    session_hours: float = 12.0
    """How long a login in a browser lasts, in hours."""
    token_days: float = 90.0
    """How long a token that stands for a password is good at most, in days."""
    registration: str = "closed"
    """Whether people may make accounts for themselves: `open` or `closed`."""
    trusted_proxies: str = ""
    """Addresses of web servers in front, with commas; their `X-Forwarded-For` says who asks; or `none`."""
    temp_dir: str | None = None
    """Directory for temporary files; by default the system's."""
    log_level: str = "info"
    """How much is logged: `debug`, `info`, `warning` or `error`."""
    access_log: bool = False
    """Whether each request is logged."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def public_url(self) -> str:
        """Address of the server as users write it, without a slash at the end."""
        host = "localhost" if self.host in ("0.0.0.0", "::") else f"[{self.host}]" if ":" in self.host else self.host
        return (self.base_url or f"http://{host}:{self.port}").rstrip("/")

    def state_directory(self, archive: Path) -> Path:
        """Where the jobs of an archive are kept."""
        return Path(self.state_dir) if self.state_dir else archive / "state"

    @property
    def queue_minutes(self) -> tuple[int, ...]:
        """The queues of CasJobs, shortest first."""
        return tuple(sorted({int(word) for word in self.casjobs_queues.split(",")}))

    @property
    def proxies(self) -> frozenset[str]:
        """Addresses whose word on who asks is believed."""
        if self.trusted_proxies.strip().lower() == _NONE:
            return frozenset()
        words = filter(None, (word.strip() for word in self.trusted_proxies.split(",")))
        return frozenset(str(ipaddress.ip_address(word)) for word in words)

    @property
    def tells_addresses(self) -> bool:
        """Whether the address of a request is known to be its author's, and not a web server's in front of this one."""
        return self.base_url is None or bool(self.trusted_proxies.strip())

    @property
    def spill_directory(self) -> Path:
        """Where intermediate results and other temporary files go."""
        return Path(self.temp_dir or tempfile.gettempdir())


def load_settings(
    directory: Path | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings of an archive.

    Parameters
    ----------
    directory : Path, optional
        The archive, whose `skydex.toml` is read if there is one.
    config : Path, optional
        A configuration file to read instead; it must exist.
    environ : mapping of str, optional
        The environment; by default that of this process.
    flags : mapping, optional
        Values from the command line; those that are `None` were not given.

    Raises
    ------
    SettingsError
        A key that is no setting, or a value that cannot be; the message says where it stands.
    """
    values = _of_file(directory, config)
    values |= _of_environment(os.environ if environ is None else environ)
    values |= {key: _value(key, value, "the flags") for key, value in (flags or {}).items() if value is not None}
    return Settings(**values)


def login_of_environment(environ: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """User name and password with which servers are asked, if the environment has both."""
    found = os.environ if environ is None else environ
    user, password = (found.get(name, "") for name in LOGIN)
    return (user, password) if user and password else None


def settings_table() -> str:
    """All settings as a Markdown table: name, default, environment variable, meaning."""
    docs = _field_docs()
    rows = [
        f"| `{key.name}` | `{_shown(key.default)}` | `{ENVIRONMENT_PREFIX}{key.name.upper()}` | {docs[key.name]} |"
        for key in fields(Settings)
    ]
    return "\n".join(["| setting | default | environment | meaning |", "|---|---|---|---|", *rows])


def _of_file(directory: Path | None, config: Path | None) -> dict[str, Any]:
    file = config or (directory / CONFIG_FILE if directory else None)
    if file is None or (config is None and not file.is_file()):
        return {}
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"Cannot read the settings in {file.name}: {error}") from error
    return {key: _value(key, value, file.name) for key, value in found.items()}


def _of_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    given = {key: environ[key] for key in environ if key.startswith(ENVIRONMENT_PREFIX) and key not in LOGIN}
    names = {key: key.removeprefix(ENVIRONMENT_PREFIX).lower() for key in given}
    return {names[key]: _value(names[key], value, f"the environment ({key})") for key, value in given.items()}


def _value(key: str, value: Any, origin: str) -> Any:
    """A value in the type of its setting; text is read as the type asks."""
    if key not in _TYPES:
        near = near_names(key, _TYPES)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise SettingsError(f'There is no setting "{key}" ({origin}).{hint}')
    kind = _TYPES[key]
    try:
        return _READERS[kind](value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"Setting {key} must be {_WORDS[kind]}, not {value!r} ({origin}).") from error


def _read_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _TRUE + _FALSE:
        raise ValueError(word)
    return word in _TRUE


def _read_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(value)
    return int(value)


def _read_float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    return float(value)


def _read_str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


_READERS: dict[type, Any] = {bool: _read_bool, int: _read_int, float: _read_float, str: _read_str}
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def _check(settings: Settings) -> None:
    for key in fields(Settings):
        value = getattr(settings, key.name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        least = 0 if key.name in _MAY_BE_ZERO else 1
        if not math.isfinite(value) or value < 0 or (isinstance(value, int) and value < least):
            raise SettingsError(f"Setting {key.name} must be at least {least}, not {value}.")
    if settings.processes > _MOST_PROCESSES:
        raise SettingsError(f"Setting processes must be at most {_MOST_PROCESSES}, not {settings.processes}.")
    _check_places(settings)


def _check_places(settings: Settings) -> None:
    if settings.port > 65535:
        raise SettingsError(f"Setting port must be at most 65535, not {settings.port}.")
    if settings.log_level not in LOG_LEVELS:
        raise SettingsError(f"Setting log_level must be one of {', '.join(LOG_LEVELS)}, not {settings.log_level!r}.")
    if settings.registration not in REGISTRATION:
        raise SettingsError(f"Setting registration must be open or closed, not {settings.registration!r}.")
    if settings.spark_takes not in SPARK_JOBS:
        raise SettingsError(
            f"Setting spark_takes must be one of {', '.join(SPARK_JOBS)}, not {settings.spark_takes!r}."
        )
    if settings.max_rows_default > settings.max_rows_hard:
        raise SettingsError("Setting max_rows_default must not be over max_rows_hard.")
    if settings.job_time_s > settings.job_time_hard_s:
        raise SettingsError("Setting job_time_s must not be over job_time_hard_s.")
    if settings.job_days > settings.job_days_hard:
        raise SettingsError("Setting job_days must not be over job_days_hard.")
    if not _are_minutes(settings.casjobs_queues):
        raise SettingsError(
            f"Setting casjobs_queues must be whole minutes with commas, not {settings.casjobs_queues!r}."
        )
    for key, address in (("base_url", settings.base_url), ("name_server", settings.name_server)):
        if address is not None and not _is_web_address(address):
            raise SettingsError(f"Setting {key} must be an http or https address, not {address!r}.")
    try:
        settings.proxies  # noqa: B018  each is read as an address
    except ValueError as error:
        raise SettingsError(
            f'Setting trusted_proxies must be numeric addresses with commas, or "{_NONE}", '
            f"not {settings.trusted_proxies!r}."
        ) from error


def _is_web_address(text: str) -> bool:
    parts = urlsplit(text)
    plain = text.isascii() and text.isprintable() and not set(text) & set(" <>\"'")
    return plain and parts.scheme in ("http", "https") and bool(parts.netloc) and not (parts.query or parts.fragment)


def _are_minutes(text: str) -> bool:
    words = [word.strip() for word in text.split(",")]
    return all(word.isascii() and word.isdecimal() and 0 < int(word) <= _LONGEST_QUEUE_MINUTES for word in words)


def _n_cores() -> int:
    return os.cpu_count() or 1


def _shown(default: Any) -> str:
    if default is MISSING:
        return "of this machine"
    return "unset" if default is None else str(default).lower() if isinstance(default, bool) else str(default) or '""'


def _plain_type(hint: Any) -> type:
    """The type in a hint, without its `None`."""
    if isinstance(hint, types.UnionType):
        hint = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    return typing.cast(type, hint)


def _field_docs() -> dict[str, str]:
    """The line below each field, which Python itself does not keep."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Settings)))
    body = typing.cast(ast.ClassDef, tree.body[0]).body
    return {
        above.target.id: ast.literal_eval(line.value)
        for above, line in itertools.pairwise(body)
        if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name) and isinstance(line, ast.Expr)
    }


_TYPES = {name: _plain_type(hint) for name, hint in typing.get_type_hints(Settings).items()}
