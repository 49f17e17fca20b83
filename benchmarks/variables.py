"""The document on variables: its queries into MyDB and their download, over a simulated catalogue of its size.

As the services answer, over kept-alive connections; and as the user has it, a table of astropy made by `mastcasjobs`,
whose reader of text takes most of the time. Beside them the same join by DuckDB, in process, which keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import requests
from mastcasjobs import MastCasJobs

import skydex
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup, duckdb_beside, simulated_collection
from benchmarks.serving import Server, serving
from benchmarks.timing import Work, timed
from skydex.archive import Archive
from skydex.demo.hcv import simulate_hcv
from skydex.settings import load_settings

__all__ = ["TITLE", "measure"]

TITLE = "The document on variables"
_TABLES = ("hcv.HCVmatch", "hcv.HCVfilter", "hcv.HCVdetailed")
_NAME, _PASSWORD = "reader", "reads documents"
_COLUMNS = (
    "m.MatchID, m.GroupID, m.SubGroupID, m.RA, m.Dec, m.AutoClass, m.ExpertClass, m.NumFilters, "
    "f.Filter, f.FilterDetFlag, f.VarQualFlag, f.NumLC, f.MeanMag, f.MeanCorrMag, f.MAD, f.Chi2"
)
_JOIN = "HCVmatch m on m.MatchID=s.MatchID join HCVfilter f on f.MatchID=s.MatchID"
_IN_FIELD = (
    f"select {_COLUMNS} into mydb.HCV_demo from SearchHCVMatchID(16.19913,2.11778,1800.0) s "
    f"join {_JOIN} and (f.Filter='ACS_F475W' or f.Filter='ACS_F814W')"
)
_BY_EXPERTS = (
    f"select {_COLUMNS} into mydb.HCV_demo2 from HCVmatch m join HCVfilter f on m.MatchID=f.MatchID "
    "where m.ExpertClass>0"
)
_NOVA = "select * from HCVdetailed where MatchID=1905457 and Filter='ACS_F606W'"
_KEEPING = Budget("INTO and download in 0.3 s", 0.3)
_ROW = Budget("<= 0.05 s", 0.05)


def measure(setup: Setup) -> Iterator[Finding]:
    """What the document's reader waits for."""
    archive = simulated_collection(setup, "variables", simulate_hcv, _TABLES)
    _add_reader(archive)
    with serving(archive) as server, requests.Session() as session:
        client = _Client(server, session)
        beside = "the same join by DuckDB in process, kept nowhere"
        for query, table, n_rows, said in (
            (_IN_FIELD, "HCV_demo", 40_196, ("1.5 + 3.1 s", "3.6 s")),
            (_BY_EXPERTS, "HCV_demo2", 31_258, ("1.1 + 2.3 s", "2.8 s")),
        ):
            client.into(query, table, n_rows)
            yield from _kept(client, query, table, n_rows, said, beside, archive)
        (light_curve,) = timed(Work(partial(client.quick, _NOVA, "HSCv3")))
        (one,) = timed(Work(partial(client.quick, "select top 1 * from mydb.HCV_demo", "MYDB")))
        yield Finding("Light curve of the nova in M87, 21 rows, quick (document: 0.5 s)", light_curve.wall, budget=_ROW)
        yield Finding("One row of an own table, quick (document: 0.5 s)", one.wall, budget=_ROW)


def _kept(
    client: _Client, query: str, table: str, n_rows: int, said: tuple[str, str], beside: str, archive: Path
) -> Iterator[Finding]:
    """One query into MyDB and its download: each alone, both together, and with the reader of the client."""
    into, fetch, both, bare = timed(
        Work(partial(client.into, query, table, n_rows)),
        Work(partial(client.fetch, table, n_rows)),
        Work(partial(client.into_and_fetch, query, table, n_rows)),
        Work(partial(_beside, archive, query, n_rows)),
    )
    read, ours = timed(
        Work(partial(client.read, table, n_rows)), Work(partial(client.read_by_connection, table, n_rows)), n_runs=3
    )
    work = f"{n_rows:,} x 16 into MyDB"
    yield Finding(f"{work}, quick job", into.wall, beside, bare.wall)
    yield Finding(f"{n_rows:,} x 16 from MyDB, fast table", fetch.wall)
    yield Finding(f"{work} and its download (document: {said[0]})", both.wall, budget=_KEEPING)
    yield Finding(f"{n_rows:,} x 16 from MyDB as a table of mastcasjobs (document: {said[1]})", read.wall)
    yield Finding(f"{n_rows:,} x 16 from MyDB by skydex.connect as a QTable", ours.wall, "mastcasjobs", read.wall)


class _Client:
    """A user of MAST's client, and the leanest way to the same bytes."""

    def __init__(self, server: Server, session: requests.Session) -> None:
        self._base = f"{server.url}/ps1casjobs"
        self._fast = f"{server.url}/cgi-bin/quick_casjobs.cgi"
        self._session = session
        self._mast = MastCasJobs(
            username=_NAME,
            password=_PASSWORD,
            context="HSCv3",
            base_url=f"{self._base}/services/jobs.asmx",
            wsid_url=f"{self._base}/casusers.asmx/GetWebServiceId",
            fast_url=self._fast,
        )
        self._own = skydex.connect("mast-casjobs", at=server.url, user=_NAME, password=_PASSWORD).mydb
        self._asker = {"wsid": self._mast.get_wsid(), "pw": _PASSWORD}

    def quick(self, query: str, context: str) -> str:
        """The answer of a quick job."""
        asked = {**self._asker, "qry": query, "context": context, "taskname": "measured", "isSystem": "false"}
        answer = self._session.post(f"{self._base}/services/jobs.asmx/ExecuteQuickJob", data=asked)
        answer.raise_for_status()
        return answer.text

    def into(self, query: str, table: str, n_rows: int) -> None:
        """Make the table anew."""
        self.quick(f"DROP TABLE IF EXISTS {table}", "MYDB")
        assert str(n_rows) in self.quick(query, "HSCv3")

    def fetch(self, table: str, n_rows: int) -> None:
        """Its bytes."""
        asked = {"userid": _NAME, "pw": _PASSWORD, "table": table}
        answer = self._session.post(self._fast, data=asked)
        answer.raise_for_status()
        assert answer.content.count(b"\n") >= n_rows

    def into_and_fetch(self, query: str, table: str, n_rows: int) -> None:
        """Both."""
        self.into(query, table, n_rows)
        self.fetch(table, n_rows)

    def read(self, table: str, n_rows: int) -> None:
        """The table as the notebook has it."""
        assert len(self._mast.fast_table(table)) == n_rows

    def read_by_connection(self, table: str, n_rows: int) -> None:
        """The same as a table with units."""
        assert len(self._own[table]) == n_rows


def _add_reader(directory: Path) -> None:
    """An account, unless an earlier run has made it."""
    archive = Archive.open(directory, load_settings(directory))
    if archive.accounts.find(_NAME) is None:
        archive.accounts.add(_NAME, _PASSWORD)


def _beside(directory: Path, query: str, n_rows: int) -> None:
    """The join without MyDB: all rows of the two filters near the position, or those that experts judged."""
    match, rows = (f"'{directory}/catalogs/{name.lower()}/current/dataset/**/*.parquet'" for name in _TABLES[:2])
    where = (
        "f.Filter IN ('ACS_F475W', 'ACS_F814W') AND 2 * degrees(asin(sqrt("
        "pow(sin(radians(m.Dec - 2.11778) / 2), 2) + cos(radians(m.Dec)) * cos(radians(2.11778)) "
        "* pow(sin(radians(m.RA - 16.19913) / 2), 2)))) <= 0.5"
        if query is _IN_FIELD
        else "m.ExpertClass > 0"
    )
    found = duckdb_beside().sql(f"SELECT {_COLUMNS} FROM {match} m JOIN {rows} f USING (MatchID) WHERE {where}")
    assert found.to_arrow_table().num_rows == n_rows
