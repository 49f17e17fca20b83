"""The light curve of one star, as the Pan-STARRS1 document asks for it: the mean object, then its detections by band.

At the server, synchronously over one kept-alive connection; and as the user sees it, with pyvo and jobs. Beside it,
DuckDB over the same files, in process and without HTTP.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup, duckdb_beside, simulated_collection
from benchmarks.serving import serving
from benchmarks.timing import Work, timed
from skydex.demo.ps1 import simulate_ps1

__all__ = ["TITLE", "measure"]

TITLE = "The Pan-STARRS1 document"
_TABLES = ("ps1.MeanObjectView", "ps1.Detection", "ps1.Filter")
_BASE = "/PS1DR2/tapservice.aspx"
_BUDGET = Budget("the document's pair of queries in 0.5 s", 0.5)
_N_RUNS = 15
_MEAN = """SELECT objID, RAMean, DecMean, nDetections, ng, nr, ni, nz, ny,
  gMeanPSFMag, rMeanPSFMag, iMeanPSFMag, zMeanPSFMag, yMeanPSFMag
FROM dbo.MeanObjectView
WHERE CONTAINS(POINT('ICRS', RAMean, DecMean), CIRCLE('ICRS', 139.3345, 68.63509, 0.0002777777777777778)) = 1
  AND nDetections > 1"""
_COLUMNS = """objID, detectID, Detection.filterID AS filterID, Filter.filterType, obsTime, ra, dec, psfFlux, psfFluxErr,
  psfMajorFWHM, psfMinorFWHM, psfQfPerfect, apFlux, apFluxErr, infoFlag, infoFlag2, infoFlag3"""
_CONDITION = "objID = 190361393344112894 ORDER BY filterID, obsTime"
_DETECTIONS = f"SELECT {_COLUMNS}\nFROM Detection\nNATURAL JOIN Filter\nWHERE {_CONDITION}"
_N_DETECTIONS = 66


def measure(setup: Setup) -> Iterator[Finding]:
    """The pair of queries, at the server and with pyvo."""
    archive = simulated_collection(setup, "panstarrs", simulate_ps1, _TABLES)
    with serving(archive) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        pair = Work(partial(_pair, connection), 1, server.cpu_s)
        files = Work(partial(_from_files, archive))
        ours, bare = timed(pair, files, n_runs=_N_RUNS)
        (user,) = timed(Work(partial(_with_pyvo, f"{server.url}{_BASE}")), n_runs=_N_RUNS)
    work = "Mean object of KQ UMa and its 66 detections with their bands, over TAP"
    yield Finding(work, ours.wall, "DuckDB, the join over the same files, in process", bare.wall, _BUDGET)
    yield Finding(f"{work}, CPU of the server", ours.cpu, "DuckDB, the same", bare.cpu)
    yield Finding(f"{work}, asynchronously with pyvo, as tables", user.wall, budget=_BUDGET)


def _pair(connection: http.client.HTTPConnection) -> None:
    for query in (_MEAN, _DETECTIONS):
        connection.request("GET", f"{_BASE}/sync?{urlencode({'LANG': 'ADQL', 'QUERY': query})}")
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content


def _with_pyvo(url: str) -> None:
    import pyvo

    service = pyvo.dal.TAPService(url)
    assert len(service.run_async(_MEAN).to_table()) == 1
    assert len(service.run_async(_DETECTIONS).to_table()) == _N_DETECTIONS


def _from_files(archive: Path) -> None:
    def table(name: str) -> str:
        return f"'{archive}/catalogs/ps1.{name.lower()}/current/dataset/**/*.parquet' AS {name}"

    columns = _COLUMNS.replace("Detection.filterID AS ", "")
    query = f"SELECT {columns} FROM {table('Detection')} NATURAL JOIN {table('Filter')} WHERE {_CONDITION}"
    found = duckdb_beside().sql(query).to_arrow_table()
    assert found.num_rows == _N_DETECTIONS
