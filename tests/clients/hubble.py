"""Searches of the Hubble Source Catalog and the Catalog of Variables with `requests`, as notebooks write them.

The functions have the names, defaults and errors that users know; the only thing of ours is the address of the server.
"""

from __future__ import annotations

import io

import astropy.table
import pandas as pd
import requests

RELEASES = ("v2", "v3")
TABLES = {
    "v2": ("summary", "detailed"),
    "v3": ("summary", "detailed", "propermotions", "sourcepositions"),
}
VARIABLES = ("hcvsummary", "hcv")
MAGTYPES = ("magaper2", "magauto")
FORMATS = ("csv", "votable", "json", "table")


class Hubble:
    """The functions, for one server."""

    def __init__(self, server_url):
        self.baseurl = f"{server_url}/api/v0.1/hsc"
        self.session = requests.Session()

    def hsccone(self, ra, dec, radius, table="summary", release="v3", format="csv", magtype="magaper2", columns=None,
                **constraints):  # fmt: skip
        """A cone search; radius in degrees."""
        constraints |= {"ra": ra, "dec": dec, "radius": radius}
        return self.hscsearch(table, release, format, magtype, columns, **constraints)

    def hscsearch(self, table="summary", release="v3", format="csv", magtype="magaper2", columns=None, **constraints):
        """A search by constraints."""
        if not constraints:
            raise ValueError("You must specify some parameters for search")
        if format not in FORMATS:
            raise ValueError("Bad value for format")
        sent = "csv" if format == "table" else format
        url = f"{self.cat2url(table, release, magtype)}.{sent}"
        if columns:
            constraints["columns"] = "[{}]".format(",".join(self.checked(columns, table, release, magtype)))
        answer = self.session.get(url, params=constraints)
        answer.raise_for_status()
        if format == "json":
            return answer.json()
        if format == "table":
            return astropy.table.Table.from_pandas(pd.read_csv(io.StringIO(answer.text)))
        return answer.text

    def hcvcone(self, ra, dec, radius, table="hcvsummary", **more):
        return self.hsccone(ra, dec, radius, table, **more)

    def hcvsearch(self, table="hcvsummary", **more):
        return self.hscsearch(table, **more)

    def hscmetadata(self, table="summary", release="v3", magtype="magaper2"):
        """The columns of a table: name, type, description."""
        answer = self.session.get(f"{self.cat2url(table, release, magtype)}/metadata")
        answer.raise_for_status()
        rows = [(column["name"], column["type"], column["description"]) for column in answer.json()]
        return astropy.table.Table(rows=rows, names=("name", "type", "description"))

    def cat2url(self, table="summary", release="v3", magtype="magaper2"):
        checklegal(table, release, magtype)
        ending = f"/{magtype}" if table == "summary" else ""
        return f"{self.baseurl}/{release}/{table}{ending}"

    def checked(self, columns, table, release, magtype):
        """Names of columns without blanks and comments; unknown ones are an error."""
        wanted = [name.strip() for name in columns if name.strip() and not name.strip().startswith("#")]
        known = {name.lower() for name in self.hscmetadata(table, release, magtype)["name"]}
        bad = [name for name in wanted if name.lower() not in known]
        if bad:
            raise ValueError(f"Some columns not found in table: {', '.join(bad)}")
        return wanted


def checklegal(table, release, magtype):
    """Refuse what no address is made of."""
    if release not in RELEASES:
        raise ValueError(f"Bad value for release (must be one of {', '.join(RELEASES)})")
    legal = TABLES[release] + (VARIABLES if release == "v3" else ())
    if table not in legal:
        raise ValueError(f"Bad value for table (for {release} must be one of {', '.join(legal)})")
    if table == "summary" and magtype not in MAGTYPES:
        raise ValueError(f"Bad value for magtype (must be one of {', '.join(MAGTYPES)})")
