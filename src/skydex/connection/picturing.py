"""`PictureVerbs`: cutouts of images and stamps of stars, as they are asked of a `Connection`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skydex.client import CutoutOrder, Door, FileSource, Query, has_units, psf, settled
from skydex.client.pictures import images_query
from skydex.connection.columns import joined_conditions, listed_names
from skydex.connection.contents import bundled, contents_of
from skydex.connection.cutout import Cutout, missing_cutout, read_cutout
from skydex.connection.cutouts import PROBLEM, Cutouts
from skydex.connection.pictured import Facts, pictured_rows, plain_columns
from skydex.connection.places import degrees_of, place_of
from skydex.connection.rows import ResultTable
from skydex.errors import BadParameterError, NoPositionError, NotOfferedError, RequestError, SkydexError
from skydex.tables import Result, Table

if TYPE_CHECKING:
    from skydex.client.transfers.progress import Shown

__all__ = ["PictureVerbs"]

Place = tuple[float, float]
Sides = tuple[int, int]

_STAMP = (51, 101)
"""Sides of the stamps of unsaturated and of saturated stars."""


class PictureVerbs(ABC):
    """What can be asked for pictures; the rest of a `Connection` is elsewhere."""

    door: Door

    def images(self, where: Any, *, bands: str = "", kind: str = "") -> ResultTable:
        """Find the images that hold a place.

        Parameters
        ----------
        where : str, SkyCoord or pair
            As for `cone`.
        bands : str, optional
            Of Pan-STARRS: letters of its filters; by default `grizy`.
        kind : str, optional
            Of Pan-STARRS: `stack`, of all epochs, which is the default; or `warp`, of each of them.

        Returns
        -------
        images : ResultTable
            The column `image` has the names that `cutout` takes, and the table is what `cutouts` takes. Pan-STARRS has
            the best skycell alone; an archive with ObsCore has everything there is.

        Raises
        ------
        NotOfferedError
            Nobody lists images here.
        """
        place = place_of(where, self._place)
        asked = f"images at {place[0]:.7f} {place[1]:.7f} {bands} {kind}"
        try:
            return self._shown(self.door.images(place, bands, kind), asked)
        except NotOfferedError:
            if "query" not in self.door.verbs or bands or kind:
                raise
        text = images_query(*place)
        return self._shown(self.door.query(Query(text)), text)

    def cutout(
        self,
        image: str | Sequence[str],
        where: Any = None,
        *,
        x: float | None = None,
        y: float | None = None,
        size: Any = 33,
        form: str = "fits",
        **look: float | str | bool,
    ) -> Cutout:
        """Cut a part out of an image.

        Parameters
        ----------
        image : str or three of them
            Name of the image as catalogues write it (`hst_10543_29_acs_wfc_f606w`, `ibc302ioq_flt[1]`); three, for red,
            green and blue, make a colour picture.
        where : str, SkyCoord or pair, optional
            The centre, as for `cone`; by default the middle of the image.
        x, y : float, optional
            The centre in pixels in place of `where`, from 0 at the middle of the first pixel.
        size : int, pair or Quantity, optional
            Pixels of a side, or columns and rows; an angle is brought to pixels of the image.
        form : str, optional
            `fits` has the brightness as it is; `jpeg` and `png` are pictures.
        **look
            How a picture is drawn, in the words of fitscut: `autoscale=99.5` (percent of the pixels that are shown),
            `asinh=True`, `log`, `sqrt`, `zoom`, `min`, `max`, `palette`, `invert`, `marker`, `compass` and others.

        Returns
        -------
        cutout : Cutout
            `data`, and of FITS `header` and `wcs`; `image` is a picture. Pixels beyond the image are NaN in FITS.

        Raises
        ------
        UnknownImageError, NoOverlapError
            There is no such image, or it does not reach the place; `RefusedError` where a service far away says so.

        Examples
        --------
        >>> archive.cutout("hst_10543_29_acs_wfc_f606w", "M 87", size=101, form="jpeg", asinh=True)  # doctest: +SKIP
        <Cutout of hst_10543_29_acs_wfc_f606w: 101 x 101 pixels, jpeg>
        """
        self._check("cutout")
        names = (image,) if isinstance(image, str) else tuple(image) if isinstance(image, Iterable) else ()
        place = None if where is None else place_of(where, self._place)
        order = CutoutOrder(names, (1, 1), place, _pixel(x, y, has_place=place is not None), form, look)
        orders = self._sized([order], size)
        (cutout,) = self._cut(orders, _facts(orders))
        if isinstance(cutout, SkydexError):
            raise cutout
        return cutout

    def cutouts(
        self,
        things: Any,
        where: Any = None,
        *,
        size: Any = 33,
        form: str = "fits",
        image: str = "",
        progress: Shown = True,
        **look: float | str | bool,
    ) -> Cutouts:
        """Cut a place out of many images: of each epoch of a light curve, or for each row of a table.

        Parameters
        ----------
        things : LightCurve, table, or sequence of str
            Rows with a column of names of images; names; or data URIs and addresses of cutouts, which are read as FITS.
        where : str, SkyCoord or pair, optional
            The centre of all; by default where the rows say that their object is (`RA` and `Dec`, `MatchRA`, ...).
        size, form, **look
            As for `cutout`.
        image : str, optional
            The column with the names of images; by default `ImageName` or one called alike.
        progress : bool or callable, optional
            Whether a bar is shown at a terminal; or who is told instead.

        Returns
        -------
        cutouts : Cutouts
            In the order of the rows, with `cube`, `table` and `wcs`. One that could not be had is empty, and its row
            says why in the column `problem`.

        Raises
        ------
        SkydexError
            None could be had: why the first could not.
        """
        self._check("cutouts")
        rows = pictured_rows(things, image)
        if rows.is_products:
            sources = [self.door.file(names[0]) for names in rows.images]
            metas = [Facts({"image": source.reference, "file": source.file_name}) for source in sources]
            contents = contents_of(sources, progress)
            return _assembled(_read_all(contents, "fits", self.door.name, metas), rows.table, metas, form="fits")
        if where is not None:
            place = place_of(where, self._place)
        places = rows.places() if where is None else [place] * len(rows.images)
        orders = [
            CutoutOrder(names, (1, 1), at, form=form, look=look)
            for names, at in zip(rows.images, places, strict=True)
        ]  # fmt: skip
        orders = self._sized(orders, size)
        metas = _facts(orders, rows.table)
        return _assembled(self._cut(orders, metas, progress), rows.table, metas, form=form)

    def stamps(
        self,
        detector: str,
        *conditions: object,
        suffix: str | Sequence[str] = (),
        size: int | Sides = _STAMP,
        columns: object = "*",
        maxrec: int | None = None,
        progress: Shown = True,
        **suffixed: object,
    ) -> Cutouts:
        """Get stamps of stars from the PSF databases of Hubble: find the stars, then cut each out of its exposure.

        Parameters
        ----------
        detector : str
            `UVIS` or `IR` of WFC3, or `WFPC2`.
        *conditions
            All must hold, as for `search`: `col.psf_x_center.between(100, 102)`, `{"n_sat_pixels": 0}`.
        suffix : str or sequence of str, optional
            Kind of file: `flt` (calibrated), `flc` (corrected for charge transfer, UVIS only), `raw`; of WFPC2 `c0m`
            and `d0m`. By default the calibrated one. Several give several stamps of each star, one after the other.
        size : int or pair of int, optional
            Side in pixels; a pair is for unsaturated and for saturated stars.
        columns : sequence or str, optional
            Columns of the table of the stamps, beside those that are needed to find them; by default all.
        maxrec : int, optional
            Most stars.
        progress : bool or callable, optional
            Whether a bar is shown at a terminal; or who is told instead.
        **suffixed
            Conditions in the form of the catalogue API: `chip="1"`, `**{"qfit.lt": 0.05}`.

        Returns
        -------
        stamps : Cutouts
            In the order of the stars, with the rows of the database in `table`, whose columns `dataURI` and `file` say
            what was asked for. The star is in the middle, to half a pixel.

        Raises
        ------
        SkydexError
            None could be had: why the first could not.
        """
        self._check("stamps")
        stars = self.stars(detector, *conditions, columns=columns, maxrec=maxrec, **suffixed)
        records = plain_columns(stars, psf.stamp_columns(detector))
        sizes = (size, size) if isinstance(size, int) else size
        given = {"unsaturated_size": sizes[0], "saturated_size": sizes[1]}
        uris = psf.data_uris(records, detector, (suffix,) if isinstance(suffix, str) else suffix, **given)
        files = {uri: psf.file_name_of(uri) for uri in uris}
        contents = dict(zip(files, bundled(self.door, files, progress), strict=True))
        table = stars[np.repeat(np.arange(len(stars)), len(uris) // max(1, len(stars)))]
        table["dataURI"], table["file"] = _texts(uris), _texts([files[uri] for uri in uris])
        sides = [sizes[float(record["qfit"]) <= 0] for record in records for _ in range(len(uris) // len(records))]
        metas = [
            Facts({"image": _image_of(uri), "size": (side, side)}, table, n)
            for n, (uri, side) in enumerate(zip(uris, sides, strict=True))
        ]
        found = _read_all([contents[uri] for uri in uris], "fits", self.door.name, metas)
        return _assembled(found, table, metas, form="fits")

    def stars(
        self, detector: str, *conditions: object, columns: object = "*", maxrec: int | None = None, **suffixed: object
    ) -> ResultTable:
        """Find stars in the PSF databases of Hubble, as `stamps` does, without their stamps.

        Parameters
        ----------
        detector, *conditions, columns, maxrec, **suffixed
            As for `stamps`.

        Returns
        -------
        stars : ResultTable
            What `skydex.client.psf.data_uris` makes data URIs of.
        """
        self._check("stamps")
        if not isinstance(detector, str):
            raise BadParameterError("detector", f"is UVIS, IR or WFPC2, not {detector!r}.")
        wanted = listed_names(columns)
        names = () if "*" in wanted else psf.stamp_columns(detector, wanted)
        service, condition = psf.service_of(detector), joined_conditions(conditions, suffixed)
        if condition is not None and has_units(condition):
            with self.door.filtered(service, (), (), 1) as one:
                condition = settled(condition, Table(service, one.columns))
        filters = psf.filters_of(condition)
        return self._shown(self.door.filtered(service, names, filters, maxrec), f"{service} {filters}")

    @abstractmethod
    def _check(self, verb: str) -> None:
        """Refuse a verb that the archive has not."""

    @abstractmethod
    def _place(self, name: str) -> Any:
        """Where an object is, by its name."""

    @abstractmethod
    def _shown(self, found: Result, query: str, **more: Any) -> ResultTable:
        """What a user sees of rows."""

    def _cut(
        self, orders: Sequence[CutoutOrder], metas: Sequence[Facts], progress: Shown = False
    ) -> list[Cutout | SkydexError]:
        sources = [self._source(order) for order in orders]
        askable = [source for source in sources if not isinstance(source, SkydexError)]
        contents = iter(contents_of(askable, progress))
        named = [
            meta if isinstance(source, SkydexError) else meta.knowing(file=source.file_name)
            for meta, source in zip(metas, sources, strict=True)
        ]
        found = [source if isinstance(source, SkydexError) else next(contents) for source in sources]
        return _read_all(found, orders[0].form if orders else "", self.door.name, named)

    def _source(self, order: CutoutOrder) -> FileSource | SkydexError:
        """Where a cutout comes from; for what nobody could be asked, such as an image without a name, why."""
        try:
            return self.door.cutout(order)
        except RequestError as error:
            return error

    def _sized(self, orders: Sequence[CutoutOrder], size: Any) -> list[CutoutOrder]:
        """The same with their sizes in pixels; for an angle each image is asked how large its pixels are."""
        if not _is_angle(size):
            return [replace(order, size=_sides(size)) for order in orders]
        side_deg = degrees_of(size, "size")
        probes = self._cut([replace(order, form="fits", look={}) for order in orders], _facts(orders))
        scales = [_scale_deg(probe) for probe in probes]
        if orders and not np.isfinite(scales).any():
            raise next(
                (probe for probe in probes if isinstance(probe, SkydexError)), NoPositionError(orders[0].images[0])
            )
        usual = float(np.nanmedian(scales)) if scales else 1.0
        sides = [max(1, round(side_deg / (scale if np.isfinite(scale) else usual))) for scale in scales]
        return [replace(order, size=(side, side)) for order, side in zip(orders, sides, strict=True)]


def _facts(orders: Sequence[CutoutOrder], table: ResultTable | None = None) -> list[Facts]:
    """What is known of cutouts before they come."""
    known = ({"image": ", ".join(one.images), "size": one.size, "place": one.place or one.pixel} for one in orders)
    return [Facts(one, table, number) for number, one in enumerate(known)]


def _read_all(
    contents: Sequence[bytes | SkydexError], form: str, sender: str, metas: Sequence[Facts]
) -> list[Cutout | SkydexError]:
    found: list[Cutout | SkydexError] = []
    for content, meta in zip(contents, metas, strict=True):
        try:
            found.append(content if isinstance(content, SkydexError) else read_cutout(content, form, sender, meta))
        except SkydexError as error:
            found.append(error)
    return found


def _assembled(
    found: Sequence[Cutout | SkydexError], table: ResultTable, metas: Sequence[Facts], *, form: str
) -> Cutouts:
    """Everything that was found, and what stands for the rest."""
    troubles = [one for one in found if isinstance(one, SkydexError)]
    if found and len(troubles) == len(found):
        raise troubles[0]
    parts = tuple(
        missing_cutout(form, meta.knowing(problem=str(one))) if isinstance(one, SkydexError) else one
        for one, meta in zip(found, metas, strict=True)
    )
    told = table.copy(copy_data=False)
    told[PROBLEM] = _texts([part.problem for part in parts])
    return Cutouts(parts, told)


def _texts(values: Sequence[str]) -> np.ndarray[Any, np.dtype[np.str_]]:
    return np.array(values, dtype=str)


def _pixel(x: float | None, y: float | None, *, has_place: bool) -> Place | None:
    if x is None and y is None:
        return None
    if x is None or y is None or has_place:
        raise BadParameterError("x", "and y are both needed, and where is not: there is one centre.")
    return float(x), float(y)


def _is_angle(size: Any) -> bool:
    return isinstance(size, str) or (hasattr(size, "unit") and size.unit is not None and str(size.unit) != "pix")


def _sides(size: Any) -> Sides:
    """Columns and rows of a size in pixels."""
    given = getattr(size, "value", size)
    try:
        columns, rows = (given, given) if np.ndim(given) == 0 else given
        return int(columns), int(rows)
    except (TypeError, ValueError) as error:
        raise BadParameterError("size", f"is pixels of a side, columns and rows, or an angle, not {size!r}.") from error


def _scale_deg(probe: Cutout | SkydexError) -> float:
    """Side of a pixel; NaN if that is not known."""
    if isinstance(probe, SkydexError) or probe.wcs is None:
        return float("nan")
    from astropy.wcs.utils import proj_plane_pixel_scales

    return float(np.sqrt(np.prod(proj_plane_pixel_scales(probe.wcs))))


def _image_of(uri: str) -> str:
    return uri.partition("red=")[2].partition("&")[0]
