"""The images in which a place lies, and which of them a measurement was made in.

A measurement names its image where its table says so; else it belongs to the image that was being exposed at its time.
Cutouts of one band by one camera have the levels of one of them, so that a star that varies does so in their row.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from skydex.archive import ImageSearch
from skydex.errors import SkydexError
from skydex.sky import Cone
from skydex.tables import OBSCORE
from skydex.web.asgi import Call
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import rows_of

__all__ = ["alike", "belonging", "chosen", "images_at"]

_COLUMNS = (
    "obs_publisher_did",
    "obs_collection",
    "obs_id",
    "obs_title",
    "calib_level",
    "s_pixel_scale",
    "t_min",
    "t_max",
    "t_exptime",
    "instrument_name",
)
_MOST_IMAGES = 2000
_MOST_DEEP = 6
"""Images of more than one epoch that are shown: the longest exposed ones."""
_MOST_EPOCHS = 24
"""Epochs that are shown of an object without a light curve."""
_MOST_MEASURED = 120
"""Epochs that are shown with one: without scripts browsers fetch all pictures at once."""
_PIXELS = 24.0
"""Half the side of a cutout, in pixels of the image that is in the middle by their size."""
_RADIUS_DEG = 5.0 / 3600.0
"""The same where the size of pixels is not known."""
_LONGEST_EPOCH_D, _LONGEST_PAUSE = 0.5, 1.5
"""An image that was exposed over more than this, with pauses, is of no single epoch."""
_LEADING = 0.1
"""White is that of the epoch that is brightest but for this share, which may be outliers."""
_DAY_S = 86400.0
_SLACK_D = 75.0 / _DAY_S
"""Times of measurements and of images may be in different scales: TAI is 37 s, TT 69 s before UTC."""


async def images_at(call: Call, ra_deg: float, dec_deg: float) -> list[Facts]:
    """Images that a place lies in, by time, each with the addresses of a cutout."""
    if call.site.archive.namespace(owner=call.owner).find(OBSCORE) is None:
        return []
    search = ImageSearch((Cone(ra_deg, dec_deg, 0.0),), columns=_COLUMNS, max_rows=_MOST_IMAGES, owner=call.owner)
    try:
        rows = (await rows_of(call, search)).dicts()
    except SkydexError:  # the page is worth having without
        return []
    scales = sorted(row["s_pixel_scale"] for row in rows if row["s_pixel_scale"])
    radius = scales[len(scales) // 2] * _PIXELS / 3600.0 if scales else _RADIUS_DEG
    rows.sort(key=lambda row: (row["t_min"] is None, row["t_min"] or 0.0))
    images = [_image(row, ra_deg, dec_deg, radius) for row in rows]
    n_of = Counter(image["name"] for image in images)
    for image in images:  # several images of a file have one name
        image["label"] = image["name"] if n_of[image["name"]] == 1 else image["did"].rpartition("?")[2]
    return images


def belonging(times: Sequence[float], names: Sequence[str | None], images: Sequence[Mapping[str, Any]]) -> list[int]:
    """For each measurement the number of its image, or -1.

    Parameters
    ----------
    times : sequence of float
        When, MJD.
    names : sequence of str or None
        What the table of the measurements calls their images.
    images : sequence of facts
        As `images_at` gives them.
    """
    by_name = {str(image["name"]).lower(): number for number, image in enumerate(images)}
    found = [by_name.get(str(name).lower(), -1) if name else -1 for name in names]
    epochs = [number for number, image in enumerate(images) if image["is_epoch"]]
    if not epochs or not times:
        return found
    middle = np.array([images[number]["mjd"] for number in epochs])
    half = np.array([images[number]["exposure_d"] / 2.0 for number in epochs])
    order = np.argsort(middle, kind="stable")
    right = np.clip(np.searchsorted(middle[order], times), 1, len(order) - 1) if len(order) > 1 else np.zeros(1, int)
    left = np.maximum(right - 1, 0)
    asked = np.asarray(times, dtype=np.float64)
    is_left = np.abs(middle[order[left]] - asked) <= np.abs(middle[order[right]] - asked)
    nearest = order[np.where(is_left, left, right)]
    is_its = np.abs(middle[nearest] - asked) <= half[nearest] + _SLACK_D
    return [
        named if named >= 0 else epochs[place] if its else -1
        for named, place, its in zip(found, nearest.tolist(), is_its.tolist(), strict=True)
    ]


def chosen(images: Sequence[Facts], measured: Sequence[int]) -> list[int]:
    """Numbers of the images that are shown: the deepest ones, and those of the measurements."""
    deep = [number for number, image in enumerate(images) if not image["is_epoch"]]
    deep = sorted(deep, key=lambda number: -(images[number]["exptime"] or 0.0))[:_MOST_DEEP]
    named = sorted({number for number in measured if number >= 0} - set(deep))[:_MOST_MEASURED]
    if not named:
        named = [number for number, image in enumerate(images) if image["is_epoch"]][:_MOST_EPOCHS]
    return [*deep, *named]


def alike(pictures: Sequence[Facts], points: Sequence[Facts], quantity: str) -> list[Facts]:
    """The same pictures, those of each band and camera with the levels of one of their brightest epochs.

    Parameters
    ----------
    pictures : sequence of facts
        Images with the numbers of their measurements.
    points : sequence of facts
        All measurements.
    quantity : str
        What tells how bright one is: `mag` or `flux`.
    """
    of_group: dict[tuple[str, str] | None, list[tuple[float, str]]] = {}
    for picture in pictures:
        measured = [points[place] for place in picture["points"] if points[place][quantity] is not None]
        if picture["is_epoch"] and measured and measured[0]["good"]:
            fainter = measured[0][quantity] * (1.0 if quantity == "mag" else -1.0)
            of_group.setdefault(_group(picture, points), []).append((fainter, picture["did"]))
    leading = {group: sorted(found)[int(len(found) * _LEADING)][1] for group, found in of_group.items()}
    return [_levelled(picture, leading.get(_group(picture, points))) for picture in pictures]


def _group(picture: Facts, points: Sequence[Facts]) -> tuple[str, str] | None:
    """Band and camera of an epoch; None for what belongs to none."""
    if not picture["is_epoch"] or not picture["points"]:
        return None
    return points[picture["points"][0]]["band"], picture["instrument"]


def _levelled(picture: Facts, did: str | None) -> Facts:
    return picture if did is None else {**picture, "picture": f"{picture['picture']}&{_query(LIKE=did)}"}


def _image(row: Mapping[str, Any], ra_deg: float, dec_deg: float, radius_deg: float) -> Facts:
    first, last = row["t_min"], row["t_max"] if row["t_max"] is not None else row["t_min"]
    has_time = first is not None and math.isfinite(first)
    exposed_d = (row["t_exptime"] or 0.0) / _DAY_S
    place = {"ID": row["obs_publisher_did"], "CIRCLE": f"{ra_deg!r} {dec_deg!r} {radius_deg:.8f}"}
    return {
        "name": row["obs_id"],
        "did": row["obs_publisher_did"],
        "collection": row["obs_collection"],
        "title": row["obs_title"] or "",
        "instrument": row["instrument_name"] or "",
        "level": row["calib_level"],
        "exptime": row["t_exptime"],
        "mjd": (first + last) / 2.0 if has_time else None,
        "exposure_d": last - first if has_time else None,
        "is_epoch": bool(has_time and last - first < max(_LONGEST_EPOCH_D, _LONGEST_PAUSE * exposed_d)),
        "side_arcsec": round(radius_deg * 7200.0, 1),
        "picture": "soda/sync?" + _query(**place, RESPONSEFORMAT="image/jpeg"),
        "fits": "soda/sync?" + _query(**place),
    }


def _query(**values: str) -> str:
    return urlencode(values, quote_via=quote)
