"""The PSF databases of Hubble: where on the detector there are stars, cut down to those that one wants, as stamps.

The tables are those of the MAST services (`skydex.web.mast.psf`), counts and densities those of `/look`, stamps and
bundles those of fitscut and Download by data URIs as `mast_api_psf.py` makes them. What the stars of a filter usually
look like is their median, at `/psf/median.fits` and `.png` with the words of the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.routing import BaseRoute, Route

from skydex.archive import (
    MOST_STAMPS,
    DataURI,
    FacetsRequest,
    MashupCount,
    MashupRequest,
    Output,
    Parameters,
    StampMedianRequest,
    Subject,
    cutout_request,
)
from skydex.archive.pictures import plain_name
from skydex.client.psf import data_uris, stamp_columns, suffixes_of
from skydex.errors import BadParameterError, UnknownResourceError
from skydex.images import Look, Stretch
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.pages.cutting import STRETCHES
from skydex.web.pages.definition import Page, refused
from skydex.web.pages.detector_map import detector_maps
from skydex.web.pages.policy import Policy
from skydex.web.pages.psf_cuts import (
    DETECTORS,
    PLACE,
    RANGES,
    Cuts,
    Detector,
    asked_of,
    cuts_of,
    date_of,
    detector_of,
)
from skydex.web.pages.rendering import Facts, query_part
from skydex.web.pages.rows import rows_of
from skydex.web.site import Site

__all__ = ["PAGE", "routes"]

_PER_PAGE = 24
_MORE_COLUMNS = (
    "psf_x_center",
    "psf_y_center",
    "psf_flux",
    "sky",
    "n_sat_pixels",
    "mjd",
    "exptime",
    "focus",
    "targname",
)
_STRETCHES = ("log", *(name for name in STRETCHES if name != "log"))
_FORMATS = ("fits", "png")
"""Of a median."""


@dataclass(frozen=True)
class _Asked:
    """What somebody wants to see."""

    detector: Detector
    cuts: Cuts
    words: dict[str, str]
    """The same as the address says it."""
    page: int
    suffix: str
    """From which kind of files."""
    stretch: str

    @classmethod
    def of(cls, parameters: Parameters, here: Sequence[Detector]) -> _Asked:
        """Read what is asked.

        Raises
        ------
        BadParameterError
            It cannot be.
        """
        detector = detector_of(parameters, here)
        shown = {name: value for name in ("stretch", "suffix") if (value := parameters.find(name))}
        return cls(
            detector,
            cuts_of(parameters, detector),
            asked_of(parameters, detector) | shown,
            max(parameters.find_integer("page") or 1, 1),
            parameters.choose("suffix", suffixes_of(detector.name)),
            parameters.choose("stretch", _STRETCHES),
        )

    @property
    def filter(self) -> str:
        """The one that is chosen."""
        return self.cuts.values.get(self.detector.filter, "")


async def gather(call: Call) -> Facts:
    """The detector, the cuts, how many stars they leave, and the stamps of some of them."""
    here = _here(call)
    facts: Facts = {
        "detectors": [{"name": one.name, "title": one.title, "table": one.table} for one in here],
        "detector": None,
        "stamps": [],
    }
    if not here:
        return facts
    parameters = await call.parameters()
    asked = _Asked.of(parameters, here)
    stars, count, filters, panels = await asyncio.gather(
        rows_of(call, _stars(asked, call, _PER_PAGE), is_quick=True),
        rows_of(call, MashupCount(asked.detector.table, filters=asked.cuts.filters(), owner=call.owner), is_quick=True),
        rows_of(call, _filters(call, asked), is_quick=True),
        detector_maps(call, asked.detector, asked.cuts),
    )
    n = int(count.rows[0][0])
    return {
        **facts,
        **_form(asked, {row["value"]: row["n"] for row in filters.dicts()}),
        **_ways(asked, n),
        "n": n,
        "n_rows": call.site.archive.namespace(owner=call.owner).get(asked.detector.table).table.n_rows,
        "panels": panels,
        "stamps": _stamps(stars.dicts(), asked),
        "median": _median(asked, n),
        "is_ticked": parameters.find("tick") == "1",
        "python": asked.cuts.python(asked.detector, call.site.url, _PER_PAGE),
    }


def _here(call: Call) -> list[Detector]:
    """Databases of this archive."""
    namespace = call.site.archive.namespace(owner=call.owner)
    return [one for one in DETECTORS.values() if namespace.find(one.table) is not None]


def _form(asked: _Asked, counts: Mapping[str, int]) -> Facts:
    """What the form offers, and what is chosen."""
    detector, words = asked.detector, asked.words
    chosen = dict.fromkeys([asked.filter] if asked.filter else [], 0)
    return {
        "detector": detector.name,
        "table": detector.table,
        "title": detector.title,
        "asked": words,
        "filter_column": detector.filter,
        "filters": sorted({**chosen, **counts}.items()),
        "filter": asked.filter,
        "chips": detector.chips,
        "chip": asked.cuts.values.get("chip", ""),
        "saturated": words.get("saturated", ""),
        "ranges": [
            {
                "name": name,
                "title": title,
                "about": about,
                "low": words.get(f"{name}_from", ""),
                "high": words.get(f"{name}_to", ""),
            }
            for name, title, about in RANGES
        ],
        "stretches": _STRETCHES,
        "stretch": asked.stretch,
        "suffixes": suffixes_of(detector.name),
        "suffix": asked.suffix,
    }


def _ways(asked: _Asked, n: int) -> Facts:
    """Queries of other pages of the same."""
    words, page = asked.words, asked.page
    anywhere = {name: value for name, value in words.items() if not name.startswith(PLACE)}
    return {
        "page": page,
        "query": query_part(words),
        "anywhere": query_part(anywhere) if anywhere != words else "",
        "ticked": query_part({**words, "tick": 1, "page": page}),
        "back": query_part({**words, "page": page - 1}) if page > 1 else "",
        "forth": query_part({**words, "page": page + 1}) if page * _PER_PAGE < n else "",
    }


def _median(asked: _Asked, n: int) -> Facts | None:
    """Where the median of the stars is; None where it would mix filters."""
    if not asked.filter or not n:
        return None
    words = query_part(asked.words)
    return {"src": f"psf/median.png?{words}", "fits": f"psf/median.fits?{words}", "n": min(n, MOST_STAMPS)}


def _stars(asked: _Asked, call: Call, n_rows: int) -> MashupRequest:
    names = stamp_columns(asked.detector.name, _MORE_COLUMNS)
    return MashupRequest(
        asked.detector.table,
        tuple(Output(name, name) for name in names),
        filters=asked.cuts.filters(),
        sort_by=None,
        page=asked.page,
        page_rows=n_rows,
        max_rows=call.site.settings.max_rows_hard,
        owner=call.owner,
    )


def _filters(call: Call, asked: _Asked) -> FacetsRequest:
    """How many stars each filter has under the other cuts."""
    settings = call.site.settings
    return FacetsRequest(
        subject=Subject(asked.detector.table, asked.cuts.constraints(without=(asked.detector.filter,))),
        sample_rows=settings.look_sample_rows,
        owner=call.owner,
        columns=(asked.detector.filter,),
        most=100,
        exact_rows=settings.look_exact_rows,
    )


def _stamps(rows: Sequence[dict[str, Any]], asked: _Asked) -> list[Facts]:
    uris = data_uris(rows, asked.detector.name, [asked.suffix])
    return [_stamp(row, uri, asked) for row, uri in zip(rows, uris, strict=True)]


def _stamp(row: dict[str, Any], uri: str, asked: _Asked) -> Facts:
    words = uri.partition("fitscut.cgi?")[2].rpartition("/")[0].removesuffix("&format=fits")
    return {
        "id": row["id"],
        "image": row["rootname"],
        "filter": row[asked.detector.filter],
        "chip": row["chip"],
        "x": row["psf_x_center"],
        "y": row["psf_y_center"],
        "qfit": row["qfit"],
        "flux": row["psf_flux"],
        "n_sat_pixels": row["n_sat_pixels"],
        "date": date_of(row["mjd"]) if row["mjd"] is not None else "",
        "focus": row["focus"],
        "uri": uri,
        "src": f"cgi-bin/hla/fitscut.cgi?{words}&format=png&{asked.stretch}=1&autoscale=0,100",
        "fits": f"api/v0.1/Download/file?uri={quote(uri, safe='')}",
    }


async def median(call: Call) -> Reply:
    """The median of the first stars that are asked for: of one filter."""
    form = call.part("format") or ""
    here = _here(call)
    if form not in _FORMATS or not here:
        raise UnknownResourceError("median", form[:20])
    asked = replace(_Asked.of(await call.parameters(), here), page=1)
    if not asked.filter:
        raise BadParameterError(
            "filter", "is missing: a median of several filters means nothing. Choose one, as in filter=F814W."
        )
    stars = (await rows_of(call, _stars(asked, call, MOST_STAMPS), is_quick=True)).dicts()
    if not stars:
        raise UnknownResourceError("star with all of this in", asked.detector.table)
    uris = data_uris(stars, asked.detector.name, [asked.suffix])
    stamps = (cutout_request(uri.parameters, call.owner) for uri in map(DataURI.parse, uris) if uri.parameters)
    look = Look(stretch=Stretch(asked.stretch))
    name = f"{asked.detector.name}_{asked.filter}_median".lower()
    return await call.picture(StampMedianRequest(tuple(stamps), form, look, plain_name(name)))


def routes(site: Site) -> list[BaseRoute]:
    """Where medians are."""
    return [Route("/psf/median.{format}", Endpoint(site, refused(median)))]


PAGE = Page("/psf", "psf.html", gather, Policy(sends=True))
