"""The searches of the Hubble document over a simulated catalogue of its size, through the catalogue REST API.

As the user has them: a table of astropy by way of pandas, over a kept-alive connection; and at the server alone. Beside
them, DuckDB over the same files, in process and without HTTP.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import requests
from astropy.table import Table

import skydex
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup, duckdb_beside, simulated_collection
from benchmarks.serving import Server, serving
from benchmarks.timing import Work, timed
from skydex.demo.hsc import simulate_hsc

__all__ = ["TITLE", "measure"]

TITLE = "The Hubble document"
_TABLES = ("hsc.SumMagAper2CatView", "hsc.detailedCatalog")
_COLUMNS = (
    "MatchID,MatchRA,MatchDec,NumFilters,NumVisits,NumImages,StartMJD,StopMJD,"
    "A_F475W,A_F475W_N,A_F475W_MAD,A_F814W,A_F814W_N,A_F814W_MAD"
)
_CONE = {"ra": 16.2016962, "dec": 2.1194959, "radius": 0.5}
_SEARCH = {**_CONE, "A_F475W_N.gte": 10, "A_F814W_N.gte": 10, "columns": f"[{_COLUMNS}]"}
_N_ROWS = 18_666
_CURVE = {
    "MatchID": 80189155,
    "Detector": "ACS/WFC",
    "columns": "[MatchID,SourceID,StartMJD,Detector,Filter,MagAper2,Flags,ImageName]",
}
_N_EPOCHS = 12
_IN_CLIENT = Budget("<= 0.08 s as a table in the client (document: 7.9 s)", 0.08)
_AT_SERVER = Budget("<= 0.03 s at the server", 0.03)
_PAIR = Budget("the document's pair in 0.5 s", 0.5)


def measure(setup: Setup) -> Iterator[Finding]:
    """What the document's reader waits for."""
    archive = simulated_collection(setup, "hubble", simulate_hsc, _TABLES)
    with serving(archive) as server, requests.Session() as session:
        yield from _search(server, session, archive)
        (pair,) = timed(Work(partial(_pair, server, session)))
    yield Finding("Light curve of one object in two bands, 2 x 12 rows, as tables", pair.wall, budget=_PAIR)


def _search(server: Server, session: requests.Session, archive: Path) -> Iterator[Finding]:
    url = f"{server.url}/api/v0.1/hsc/v3/summary/magaper2"
    archive_far = skydex.connect("mast-hsc", at=server.url)
    bare, lean, whole, ours, beside = timed(
        Work(lambda: _answer(session, f"{url}.csv", _SEARCH)),
        Work(partial(_arrow, session, f"{url}.arrow")),
        Work(partial(_table, session, f"{url}.csv", _SEARCH, _N_ROWS)),
        Work(partial(_cone, archive_far)),
        Work(partial(_from_files, archive)),
    )
    (spent,) = timed(Work(lambda: _answer(session, f"{url}.csv", _SEARCH), 1, server.cpu_s))
    work = f"Cone of 0.5 deg with 2 constraints, {_N_ROWS:,} x 14"
    reference = "DuckDB over the same files, in process"
    yield Finding(f"{work}, CSV at the server", bare.wall, reference, beside.wall, _AT_SERVER)
    yield Finding(f"{work}, CSV, CPU of the server", spent.cpu, reference, beside.cpu)
    yield Finding(f"{work}, as a table of Arrow in the client", lean.wall, budget=_IN_CLIENT)
    yield Finding(f"{work}, as a table of astropy by way of pandas", whole.wall, budget=_IN_CLIENT)
    by_hand = "requests and pandas"
    yield Finding(f"{work}, by skydex.connect as a QTable with units", ours.wall, by_hand, whole.wall, _IN_CLIENT)


def _answer(session: requests.Session, url: str, asked: dict[str, object]) -> bytes:
    answer = session.get(url, params=asked)
    answer.raise_for_status()
    return answer.content


def _table(session: requests.Session, url: str, asked: dict[str, object], n_rows: int) -> Table:
    table = Table.from_pandas(pd.read_csv(io.BytesIO(_answer(session, url, asked))))
    assert len(table) == n_rows
    return table


def _cone(archive: skydex.Connection) -> None:
    place, radius = (_CONE["ra"], _CONE["dec"]), _CONE["radius"]
    often = (skydex.col.A_F475W_N >= 10, skydex.col.A_F814W_N >= 10)
    assert len(archive.cone("summary", place, radius, *often, columns=_COLUMNS)) == _N_ROWS


def _arrow(session: requests.Session, url: str) -> None:
    import pyarrow as pa

    assert pa.ipc.open_stream(_answer(session, url, _SEARCH)).read_all().num_rows == _N_ROWS


def _pair(server: Server, session: requests.Session) -> None:
    for band in ("F475W", "F814W"):
        _table(session, f"{server.url}/api/v0.1/hsc/v3/detailed.csv", {**_CURVE, "Filter": band}, _N_EPOCHS)


def _from_files(archive: Path) -> None:
    glob = f"{archive}/catalogs/{_TABLES[0].lower()}/current/dataset/**/*.parquet"
    ra, dec, radius = _CONE.values()
    haversine = (
        f"pow(sin(radians(MatchDec - {dec}) / 2), 2)"
        f" + cos(radians(MatchDec)) * cos(radians({dec})) * pow(sin(radians(MatchRA - {ra}) / 2), 2)"
    )
    near = f"MatchDec BETWEEN {dec - radius} AND {dec + radius} AND 2 * asin(sqrt({haversine})) <= radians({radius})"
    query = f"SELECT {_COLUMNS} FROM '{glob}' WHERE A_F475W_N >= 10 AND A_F814W_N >= 10 AND {near}"
    assert duckdb_beside().sql(query).to_arrow_table().num_rows == _N_ROWS
