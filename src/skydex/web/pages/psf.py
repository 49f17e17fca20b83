"""The PSF databases of Hubble: where on the detector there are stars, cut down to those that one wants, as stamps.

The tables are those of the MAST services (`skydex.web.mast.psf`), counts and densities those of `/look`, stamps and
bundles those of fitscut and Download by data URIs as `mast_api_psf.py` makes them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from skydex.archive import (
    Axis,
    ColumnFilter,
    DensityRequest,
    FacetsRequest,
    MashupCount,
    MashupRequest,
    Output,
    Parameters,
    Subject,
)
from skydex.archive.constraints import Constraint
from skydex.client.psf import data_uris, stamp_columns, suffixes_of
from skydex.errors import BadParameterError
from skydex.web.asgi import Call
from skydex.web.pages.cutting import STRETCHES
from skydex.web.pages.definition import Page
from skydex.web.pages.policy import Policy
from skydex.web.pages.rendering import Facts, query_part
from skydex.web.pages.rows import rows_of

__all__ = ["PAGE"]

_PER_PAGE = 24
_BINS = 40
_SHADES = 6
_SIDE = 320.0
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
_RANGES = (
    ("qfit", "Fit (qfit)", "0 is best; saturated stars have exactly 0"),
    ("mjd", "Epoch", "a date such as 2012-06-30, or an MJD"),
    ("focus", "Focus, µm", "of the model"),
    ("psf_x_center", "x, pixels", "on the detector"),
    ("psf_y_center", "y, pixels", "on the detector"),
)
"""Columns that are cut to a range, what they are called, and what to say of them."""
_DAY_0 = dt.datetime(1858, 11, 17, tzinfo=dt.UTC)


@dataclass(frozen=True)
class _Detector:
    """A database."""

    name: str
    table: str
    title: str
    width: int
    height: int
    chips: tuple[str, ...]
    """Where a stamp may be; several only if there is something to choose."""
    filter: str = "filter"
    by_chip: bool = False
    """Whether places are counted on each chip anew."""
    gap: int | None = None
    """Row between two chips."""


_DETECTORS = {
    one.name: one
    for one in (
        _Detector("UVIS", "psf.UVIS", "WFC3 UVIS", 4096, 4102, ("1", "2"), gap=2051),
        _Detector("IR", "psf.IR", "WFC3 IR", 1014, 1014, ()),
        _Detector("WFPC2", "psf.WFPC2", "WFPC2", 800, 800, ("1", "2", "3", "4"), "filter_1", by_chip=True),
    )
}


@dataclass(frozen=True)
class _Cuts:
    """What somebody wants."""

    values: dict[str, str]
    """Values of columns."""
    ranges: dict[str, tuple[float | None, float | None]]
    """Ranges of columns, their ends inside, where they have any."""

    def filters(self) -> tuple[ColumnFilter, ...]:
        values = (ColumnFilter(name, (value,)) for name, value in self.values.items())
        ranges = (ColumnFilter(name, ranges=(_told(limits),)) for name, limits in self.ranges.items())
        return (*values, *ranges)

    def constraints(self, *, without: str = "") -> tuple[Constraint, ...]:
        found = [Constraint(name, "eq", (value,)) for name, value in self.values.items() if name != without]
        for name, limits in self.ranges.items():
            words = zip(("gte", "lte"), _told(limits), strict=True)
            found += [Constraint(name, operator, (text,)) for operator, text in words if text is not None]
        return tuple(found)

    def python(self, detector: _Detector, url: str) -> str:
        """The same in Python."""
        terms = [_term(name, limits) for name, limits in self.ranges.items()]
        chosen = " & ".join(f"({term})" for term in terms) if len(terms) > 1 else "".join(terms)
        arguments = [repr(detector.name), *filter(None, [chosen, repr(self.values) if self.values else ""])]
        imports = "import skydex\nfrom skydex import col, plots" if terms else "import skydex\nfrom skydex import plots"
        return (
            f'{imports}\n\nhubble = skydex.connect("mast-psf", at={url!r})\n'
            f"stamps = hubble.stamps({', '.join(arguments)}, maxrec={_PER_PAGE})\n"
            "print(stamps.table)\n"
            'plots.cutouts(stamps, columns=6, stretch="log")'
        )


async def gather(call: Call) -> Facts:
    """The detector, the cuts, how many stars they leave, and the stamps of some of them."""
    parameters = await call.parameters()
    namespace = call.site.archive.namespace(owner=call.owner)
    here = [one for one in _DETECTORS.values() if namespace.find(one.table) is not None]
    facts: Facts = {
        "detectors": [{"name": one.name, "title": one.title, "table": one.table} for one in here],
        "detector": None,
        "stamps": [],
    }
    if not here:
        return facts
    detector = _detector(parameters, here)
    cuts = _cuts(parameters, detector)
    page = max(parameters.find_integer("page") or 1, 1)
    found, n, filters, panels = await asyncio.gather(
        rows_of(call, _stars(detector, cuts, page, call), is_quick=True),
        rows_of(call, MashupCount(detector.table, filters=cuts.filters(), owner=call.owner), is_quick=True),
        rows_of(call, _filters(call, detector, cuts), is_quick=True),
        _panels(call, detector, cuts),
    )
    asked = _asked(parameters, detector)
    look = _stretch(parameters)
    chosen = [cuts.values[detector.filter]] if detector.filter in cuts.values else []
    suffix = _suffix(parameters, detector)
    return facts | {
        "detector": detector.name,
        "table": detector.table,
        "title": detector.title,
        "asked": asked,
        "filter_column": detector.filter,
        "filters": sorted({**dict.fromkeys(chosen, 0), **{row["value"]: row["n"] for row in filters.dicts()}}.items()),
        "filter": cuts.values.get(detector.filter, ""),
        "chips": detector.chips,
        "chip": cuts.values.get("chip", ""),
        "saturated": asked.get("saturated", ""),
        "ranges": [
            {
                "name": name,
                "title": title,
                "about": about,
                "low": asked.get(f"{name}_from", ""),
                "high": asked.get(f"{name}_to", ""),
            }
            for name, title, about in _RANGES
        ],
        "stretches": STRETCHES,
        "stretch": look,
        "suffixes": suffixes_of(detector.name),
        "suffix": suffix,
        "is_ticked": parameters.find("tick") == "1",
        "ticked": query_part({**asked, "tick": 1, "page": page}),
        "n": int(n.rows[0][0]),
        "n_rows": next((t.table.n_rows for t in (namespace.find(detector.table),) if t is not None), None),
        "panels": panels,
        "stamps": _stamps(found.dicts(), detector, suffix, look),
        "page": page,
        "back": query_part({**asked, "page": page - 1}) if page > 1 else "",
        "forth": query_part({**asked, "page": page + 1}) if page * _PER_PAGE < int(n.rows[0][0]) else "",
        "query": query_part(asked),
        "python": cuts.python(detector, call.site.url),
    }


def _detector(parameters: Parameters, here: Sequence[_Detector]) -> _Detector:
    word = (parameters.find("detector") or here[0].name).upper()
    found = next((one for one in here if one.name == word), None)
    if found is None:
        raise BadParameterError("detector", f'must be one of {", ".join(one.name for one in here)}, not "{word[:40]}".')
    return found


def _asked(parameters: Parameters, detector: _Detector) -> dict[str, str]:
    """What is asked, as an address says it."""
    names = ["filter", "chip", "saturated", "stretch", "suffix"]
    names += [f"{name}_{end}" for name, *_ in _RANGES for end in ("from", "to")]
    return {"detector": detector.name} | {name: value for name in names if (value := parameters.find(name))}


def _cuts(parameters: Parameters, detector: _Detector) -> _Cuts:
    values, ranges = dict[str, str](), dict[str, tuple[float | None, float | None]]()
    if chosen := parameters.find("filter"):
        values[detector.filter] = chosen[:40]
    chip = parameters.find("chip")
    if chip and chip not in detector.chips:
        raise BadParameterError("chip", f'must be one of {", ".join(detector.chips) or "none"}, not "{chip[:40]}".')
    if chip:
        values["chip"] = chip
    for name, *_ in _RANGES:
        limits = _number(parameters, f"{name}_from"), _number(parameters, f"{name}_to")
        if None not in limits and limits[0] > limits[1]:  # type: ignore[operator]
            raise BadParameterError(f"{name}_to", f"must not be below {name}_from.")
        if limits != (None, None):
            ranges[name] = limits
    saturated = parameters.find("saturated")
    if saturated not in (None, "yes", "no"):
        raise BadParameterError("saturated", f'must be yes or no, not "{saturated[:40]}".')
    if saturated:
        ranges["n_sat_pixels"] = (None, 0.0) if saturated == "no" else (1.0, None)
    return _Cuts(values, ranges)


def _number(parameters: Parameters, name: str) -> float | None:
    text = parameters.find(name)
    if text is None:
        return None
    if name.startswith("mjd") and text.count("-") == 2:
        try:
            return (dt.datetime.fromisoformat(text.strip()).replace(tzinfo=dt.UTC) - _DAY_0) / dt.timedelta(days=1)
        except ValueError as error:
            raise BadParameterError(
                name, f'must be a date such as 2012-06-30, or an MJD, not "{text[:40]}".'
            ) from error
    return parameters.get_number(name, least=-1e15, most=1e15)


def _stretch(parameters: Parameters) -> str:
    word = (parameters.find("stretch") or "log").lower()
    if word not in STRETCHES:
        raise BadParameterError("stretch", f'must be one of {", ".join(STRETCHES)}, not "{word[:40]}".')
    return word


def _suffix(parameters: Parameters, detector: _Detector) -> str:
    known = suffixes_of(detector.name)
    word = parameters.find("suffix") or known[0]
    if word not in known:
        raise BadParameterError("suffix", f'must be one of {", ".join(known)}, not "{word[:40]}".')
    return word


def _stars(detector: _Detector, cuts: _Cuts, page: int, call: Call) -> MashupRequest:
    names = stamp_columns(detector.name, _MORE_COLUMNS)
    return MashupRequest(
        detector.table,
        tuple(Output(name, name) for name in names),
        filters=cuts.filters(),
        sort_by=None,
        page=page,
        page_rows=_PER_PAGE,
        max_rows=call.site.settings.max_rows_hard,
        owner=call.owner,
    )


def _filters(call: Call, detector: _Detector, cuts: _Cuts) -> FacetsRequest:
    """How many stars each filter has under the other cuts."""
    settings = call.site.settings
    return FacetsRequest(
        subject=Subject(detector.table, cuts.constraints(without=detector.filter)),
        sample_rows=settings.look_sample_rows,
        owner=call.owner,
        columns=(detector.filter,),
        most=100,
        exact_rows=settings.look_exact_rows,
    )


async def _panels(call: Call, detector: _Detector, cuts: _Cuts) -> list[Facts]:
    """A drawing of the detector, or of each of its chips."""
    chips = detector.chips if detector.by_chip else ("",)
    shown = [chip for chip in chips if cuts.values.get("chip", chip) == chip or not chip]
    return [*await asyncio.gather(*(_panel(call, detector, cuts, chip) for chip in shown))]


async def _panel(call: Call, detector: _Detector, cuts: _Cuts, chip: str) -> Facts:
    n = _BINS // 2 if detector.by_chip else _BINS
    constraints = (
        *cuts.constraints(without="chip" if chip else ""),
        *([Constraint("chip", "eq", (chip,))] if chip else []),
    )
    request = DensityRequest(
        subject=Subject(detector.table, constraints),
        sample_rows=call.site.settings.look_sample_rows,
        owner=call.owner,
        x=Axis("psf_x_center", n, (0.0, float(detector.width))),
        y=Axis("psf_y_center", n, (0.0, float(detector.height))),
    )
    cells = (await rows_of(call, request, is_quick=True)).dicts()
    return {
        "title": f"Chip {chip}" if chip else detector.title,
        "side": _SIDE,
        "n": sum(cell["n"] for cell in cells),
        "most": max((cell["n"] for cell in cells), default=0),
        "shades": _shades(cells, n),
        "gap": _SIDE * (1.0 - detector.gap / detector.height) if detector.gap else None,
        "width": detector.width,
        "height": detector.height,
    }


def _shades(cells: Sequence[dict[str, Any]], n: int) -> list[str]:
    """The cells of each shade as one path, the faintest first."""
    step, most = _SIDE / n, max((cell["n"] for cell in cells), default=1)
    paths = [""] * _SHADES
    for cell in cells:
        shade = min(_SHADES - 1, (cell["n"] * _SHADES - 1) // most)
        paths[shade] += f"M{cell['ix'] * step:g} {_SIDE - (cell['iy'] + 1) * step:g}h{step:g}v{step:g}h-{step:g}z"
    return paths


def _stamps(rows: Sequence[dict[str, Any]], detector: _Detector, suffix: str, stretch: str) -> list[Facts]:
    uris = data_uris(rows, detector.name, [suffix])
    return [_stamp(row, uri, detector, stretch) for row, uri in zip(rows, uris, strict=True)]


def _stamp(row: dict[str, Any], uri: str, detector: _Detector, stretch: str) -> Facts:
    words = uri.partition("fitscut.cgi?")[2].rpartition("/")[0].removesuffix("&format=fits")
    return {
        "id": row["id"],
        "image": row["rootname"],
        "filter": row[detector.filter],
        "chip": row["chip"],
        "x": row["psf_x_center"],
        "y": row["psf_y_center"],
        "qfit": row["qfit"],
        "flux": row["psf_flux"],
        "n_sat_pixels": row["n_sat_pixels"],
        "date": (_DAY_0 + dt.timedelta(days=row["mjd"])).strftime("%Y-%m-%d") if row["mjd"] is not None else "",
        "focus": row["focus"],
        "uri": uri,
        "src": f"cgi-bin/hla/fitscut.cgi?{words}&format=png&{stretch}=1&autoscale=0,100",
        "fits": f"api/v0.1/Download/file?uri={quote(uri, safe='')}",
    }


def _told(limits: tuple[float | None, float | None]) -> tuple[str | None, str | None]:
    low, high = (None if limit is None else f"{limit:.15g}" for limit in limits)
    return low, high


def _term(name: str, limits: tuple[float | None, float | None]) -> str:
    low, high = _told(limits)
    if low is not None and high is not None:
        return f"col.{name}.between({low}, {high})"
    return f"col.{name} >= {low}" if high is None else f"col.{name} <= {high}"


PAGE = Page("/psf", "psf.html", gather, Policy(sends=True))
