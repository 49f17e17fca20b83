"""Filters of Hubble's cameras, by each of the names that its catalogues give them.

The summary of the Hubble Source Catalog names a camera and filter `A_F475W` (its columns, ordered by wavelength), the
Hubble Catalog of Variables `ACS_F475W`, the tables of detections detector `ACS/WFC` and filter `F475W` in two columns,
and the images of the Hubble Legacy Archive `hst_10505_14_acs_wfc_f475w`. `FILTERS` is the one table behind all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.errors import BadParameterError, near_names

__all__ = ["FILTERS", "HubbleFilter", "HubbleImage", "filter_numbers", "get_filter", "parse_image_name"]

_SUMMARY_NAMES = """
W3_BLANK W2_F122M W2_F160BN15 W2_F160BW W2_F170W W2_F185W W3_F200LP W3_F218W W2_F218W W3_F225W W3_FQ232N W3_FQ243N
W2_F255W W3_F275W W3_F280N W3_G280 W2_F300W W3_F300X W3_F336W W2_F336W W3_F343N W2_F343N W3_F350LP W3_F373N W2_F375N
W3_FQ378N W2_F380W W3_FQ387N W3_F390M W2_F390N W3_F390W W3_F395N W3_F410M W2_F410M W3_FQ422M A_F435W W3_FQ436N
W3_FQ437N W2_F437N W3_F438W W2_F439W W2_F450W W3_F467M W2_F467M W3_F469N W2_F469N A_F475W W3_F475W W3_F475X W3_F487N
W2_F487N W3_FQ492N A_F502N W3_F502N W2_F502N W3_FQ508N W3_F547M W2_F547M A_F550M A_F555W W3_F555W W2_F555W W2_F569W
W3_FQ575N W2_F588N W3_F600LP A_F606W W3_F606W W2_F606W W3_FQ619N W3_F621M W2_F622W A_F625W W3_F625W W3_F631N W2_F631N
W3_FQ634N W3_F645N W3_F656N W2_F656N W3_F657N A_F658N W3_F658N W2_F658N A_F660N W3_F665N W3_F665N_F6 W3_FQ672N
W3_F673N W2_F673N W3_FQ674N W2_F675W W3_F680N W3_F689M W2_F702W W3_FQ727N W3_FQ750N W3_F763M A_F775W W3_F775W
W2_F785LP W2_F791W A_F814W W3_F814W W2_F814W W3_F845M A_F850LP W3_F850LP W2_F850LP W3_FQ889N W3_FQ906N W3_FQ924N
W3_FQ937N W3_F953N W2_F953N W3_F098M W3_G102 W2_F1042M W3_F105W W3_F110W W3_F125W W3_F126N W3_F127M W3_F128N W3_F130N
W3_F132N W3_F139M W3_F140W W3_G141 W3_F153M W3_F160W W3_F164N W3_F167N
"""
"""In the order of the summary's columns."""
_INFRARED = "F098M G102 F105W F110W F125W F126N F127M F128N F130N F132N F139M F140W G141 F153M F160W F164N F167N"
"""Filters of WFC3/IR; all others of WFC3 are those of WFC3/UVIS."""
_INSTRUMENTS = {"A": "ACS", "W3": "WFC3", "W2": "WFPC2"}

_IMAGE = re.compile(
    r"hst_(?P<proposal>\d{4,5})_(?P<visit>[0-9a-z]{2})_"
    r"(?:(?P<acs>acs)_(?P<acs_detector>wfc|hrc|sbc)|(?P<wfc3>wfc3)_(?P<wfc3_detector>uvis|ir)|(?P<wfpc2>wfpc2))_"
    r"(?P<filter>[a-z0-9]+(?:_[a-z0-9]+)*?)(?:_(?P<chips>wf|pc))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class HubbleFilter:
    """A filter in a camera."""

    instrument: str
    """`ACS`, `WFC3` or `WFPC2`."""
    filter: str
    """As the tables of detections have it: `F475W`."""

    @property
    def detector(self) -> str:
        """As the tables of detections have it: `ACS/WFC`, `WFC3/UVIS`, `WFC3/IR` or `WFPC2`."""
        if self.instrument == "WFC3":
            return "WFC3/IR" if self.filter in _INFRARED.split() else "WFC3/UVIS"
        return "ACS/WFC" if self.instrument == "ACS" else self.instrument

    @property
    def summary_name(self) -> str:
        """Column of the summary that holds its magnitude: `A_F475W`."""
        prefix = next(key for key, instrument in _INSTRUMENTS.items() if instrument == self.instrument)
        return f"{prefix}_{self.filter}"

    @property
    def hcv_name(self) -> str:
        """Name in the Hubble Catalog of Variables: `ACS_F475W`."""
        return f"{self.instrument}_{self.filter}"


@dataclass(frozen=True)
class HubbleImage:
    """What the name of an image of the Hubble Legacy Archive says: one filter, the exposures of one visit together."""

    proposal: str
    """Number of the observing proposal, four or five digits."""
    visit: str
    """Two characters, which with the proposal name the visit."""
    instrument: str
    """`ACS`, `WFC3` or `WFPC2`."""
    detector: str
    """As the tables of detections have it: `ACS/WFC`."""
    filter: str
    """As the tables of detections have it: `F475W`."""
    chips: str = ""
    """`WF` or `PC` at the end of the name of some images of WFPC2."""

    @property
    def name(self) -> str:
        """The name: `hst_10505_14_acs_wfc_f475w`."""
        camera = self.detector.replace("/", "_")
        words = ("hst", self.proposal, self.visit, camera, self.filter, self.chips)
        return "_".join(word for word in words if word).lower()

    @property
    def visit_name(self) -> str:
        """What all images of the visit have in common: `hst_10505_14`."""
        return f"hst_{self.proposal}_{self.visit}".lower()


def parse_image_name(name: str) -> HubbleImage:
    """Read the name of an image of the Hubble Legacy Archive.

    Raises
    ------
    BadParameterError
        It has another form.

    Examples
    --------
    >>> parse_image_name("hst_10505_14_acs_wfc_f475w").detector
    'ACS/WFC'
    """
    found = _IMAGE.fullmatch(name.strip())
    if found is None:
        raise BadParameterError("image name", f"must be such as hst_10505_14_acs_wfc_f475w, not {name[:60]!r}.")
    part = found.groupdict()
    instrument = (part["acs"] or part["wfc3"] or part["wfpc2"]).upper()
    channel = (part["acs_detector"] or part["wfc3_detector"] or "").upper()
    return HubbleImage(
        part["proposal"],
        part["visit"].lower(),
        instrument,
        f"{instrument}/{channel}" if channel else instrument,
        part["filter"].upper(),
        (part["chips"] or "").upper(),
    )


def get_filter(name: str, *, detector: str | None = None) -> HubbleFilter:
    """The filter that any catalogue calls by this name.

    Parameters
    ----------
    name : str
        `A_F475W` or `ACS_F475W`; with a detector, `F475W`.
    detector : str, optional
        `ACS/WFC`, `WFC3/UVIS`, `WFC3/IR` or `WFPC2`.

    Raises
    ------
    BadParameterError
        There is no such filter; the message names similar ones.

    Examples
    --------
    >>> get_filter("F475W", detector="ACS/WFC").summary_name, get_filter("A_F475W").hcv_name
    ('A_F475W', 'ACS_F475W')
    """
    number = _NUMBERS.get((detector.strip().upper() if detector else "", name.strip().upper()))
    if number is None:
        known = [one.filter for one in FILTERS if one.detector == detector] if detector else [*_NAMES]
        near = near_names(name, known)
        of_detector = f" of {detector}" if detector else ""
        raise BadParameterError(
            "filter", f'there is no "{name}"{of_detector}.{f" Did you mean {near[0]}?" if near else ""}'
        )
    return FILTERS[number]


def filter_numbers(detectors: pa.ChunkedArray | pa.Array, filters: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """Where in `FILTERS` the filter of each of many detections stands.

    Parameters
    ----------
    detectors, filters : (n,) Arrow arrays of text
        `ACS/WFC` and `F475W`.

    Returns
    -------
    numbers : (n,) int64 array
        -1 for what the summary has no column for.
    """
    (detector_codes, detector_names), (filter_codes, filter_names) = _coded(detectors), _coded(filters)
    known = np.full((len(detector_names) + 1, len(filter_names) + 1), -1, dtype=np.int64)
    for row, detector in enumerate(detector_names):
        for column, name in enumerate(filter_names):
            known[row, column] = _NUMBERS.get((detector.strip().upper(), name.strip().upper()), -1)
    return known[detector_codes, filter_codes]


def _coded(texts: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.int64], list[str]]:
    """Texts as numbers of a list of different ones; -1, thus the place behind its end, for null."""
    encoded = pa.chunked_array(texts if isinstance(texts, pa.ChunkedArray) else [texts]).combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.cast(pa.string()).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, [text or "" for text in encoded.dictionary.to_pylist()]


def _filter_named(summary_name: str) -> HubbleFilter:
    prefix, _, name = summary_name.partition("_")
    return HubbleFilter(_INSTRUMENTS[prefix], name)


FILTERS = tuple(_filter_named(name) for name in _SUMMARY_NAMES.split())
"""Every camera and filter of the summary, in the order of its columns."""
_NAMES = [name for one in FILTERS for name in (one.summary_name, one.hcv_name)]
_NUMBERS = {
    key: number
    for number, one in enumerate(FILTERS)
    for key in (("", one.summary_name), ("", one.hcv_name), (one.detector, one.filter))
}
"""Place in `FILTERS` by detector, or no detector, and name."""
