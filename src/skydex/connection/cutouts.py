"""`Cutouts`: parts of many images, as one cube of pixels with a row of a table for each.

They keep their order and their number: one that could not be had has no pixels, and the column `problem` of the table
says why. Cutouts of several sizes lie in the middle of the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex import __version__
from skydex.connection.cutout import Cutout
from skydex.connection.rows import ResultTable
from skydex.errors import BadParameterError

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.wcs import WCS

__all__ = ["PROBLEM", "Cutouts"]

PROBLEM = "problem"
"""Column that says why a cutout could not be had; empty where it could."""
_LAYOUTS = ("cube", "extensions")


@dataclass(frozen=True, eq=False, repr=False)
class Cutouts(Sequence[Cutout]):
    """Parts of many images."""

    parts: tuple[Cutout, ...]
    """The cutouts."""
    table: ResultTable
    """A row for each, with what is known of it; and the column `problem`."""

    @cached_property
    def good(self) -> NDArray[np.bool_]:
        """(n,) which of them could be had."""
        return np.array([not part.problem for part in self.parts], bool)

    @cached_property
    def cube(self) -> NDArray[Any]:
        """Pixels of all of them.

        Returns
        -------
        cube : (n, ny, nx) array
            Floats of FITS, with NaN where there is no pixel; bytes of pictures, with 0 there. Smaller ones lie in the
            middle. With colours it has an axis more: (n, 3, ny, nx) of FITS, (n, ny, nx, 3) of pictures.
        """
        if not self.parts:
            return np.zeros((0, 0, 0), np.float32)
        is_fits = self.parts[0].form == "fits"
        planes = [_with_colours(part) for part in self.parts] if self._has_colours else [p.data for p in self.parts]
        shape = tuple(max(sides) for sides in zip(*(plane.shape for plane in planes), strict=True))
        cube = np.full((len(planes), *shape), np.nan if is_fits else 0, np.result_type(*planes))
        for place, plane in zip(cube, planes, strict=True):
            place[_middle(plane.shape, shape)] = plane
        return cube

    @property
    def wcs(self) -> list[WCS | None]:
        """Where the pixels of each are on the sky, in its own pixels (those of `cutouts[i].data`)."""
        return [part.wcs for part in self.parts]

    def __len__(self) -> int:
        return len(self.parts)

    @overload
    def __getitem__(self, key: int) -> Cutout: ...
    @overload
    def __getitem__(self, key: slice | ArrayLike) -> Cutouts: ...
    def __getitem__(self, key: Any) -> Cutout | Cutouts:
        """One by its number; several by a slice, by numbers or by a mask."""
        if isinstance(key, int | np.integer):
            return self.parts[key]
        chosen = np.arange(len(self))[key if isinstance(key, slice) else np.asarray(key)]
        return Cutouts(tuple(self.parts[number] for number in chosen), self.table[chosen])

    def __repr__(self) -> str:
        sizes = sorted({part.shape for part in self.parts if not part.problem})
        shown = ", ".join(f"{columns} x {rows}" for rows, columns in sizes[:3]) + (", ..." if len(sizes) > 3 else "")
        n_missing = len(self) - int(self.good.sum())
        told = f"; {n_missing} could not be had, see the column {PROBLEM} of the table" if n_missing else ""
        return f"<{len(self)} Cutouts{f': {shown} pixels' if sizes else ''}{told}>"

    def write(self, path: Path | str, *, layout: str = "cube", overwrite: bool = False) -> Path:
        """Write all of them into one FITS file; its path is given back.

        Parameters
        ----------
        path : path
            The file.
        layout : str, optional
            `cube`: one image with an axis more. `extensions`: each with its own header and WCS, in an extension that
            has its number as EXTVER; those that could not be had are left out. Both have the table as the last HDU.
        overwrite : bool, optional
            Whether a file of this name is replaced.

        Raises
        ------
        BadParameterError
            They are pictures; or there is such a file.
        """
        from astropy.io import fits

        target = Path(path)
        if layout not in _LAYOUTS:
            raise BadParameterError("layout", f'must be one of {", ".join(_LAYOUTS)}, not "{layout}".')
        if any(part.form != "fits" for part in self.parts):
            raise BadParameterError("path", 'cannot hold pictures: ask for cutouts with form="fits", or write_each.')
        if target.exists() and not overwrite:
            raise BadParameterError("path", f"is there already: {target.name}. Name another, or say overwrite=True.")
        primary = fits.PrimaryHDU(self.cube if layout == "cube" and self.parts else None)
        primary.header["CREATOR"] = f"skydex {__version__}"
        images = [_image_hdu(part, number) for number, part in enumerate(self.parts, 1) if not part.problem]
        hdus = [primary, *(images if layout == "extensions" else []), _table_hdu(self.table)]
        fits.HDUList(hdus).writeto(target, overwrite=overwrite)
        return target

    def write_each(self, into: Path | str = ".") -> list[Path]:
        """Write each as the file that came into a folder, called by its image and place; give the paths.

        Files of these names are replaced.
        """
        folder = Path(into)
        folder.mkdir(parents=True, exist_ok=True)
        return [part.write(folder / part.file_name, overwrite=True) for part in self.parts if not part.problem]

    @property
    def _has_colours(self) -> bool:
        return any(part.data.ndim == 3 for part in self.parts)


def _with_colours(part: Cutout) -> NDArray[Any]:
    """The same with an axis of three colours, grey if it had none."""
    if part.data.ndim == 3:
        return part.data
    axis = 0 if part.form == "fits" else 2
    return np.repeat(np.expand_dims(part.data, axis), 3, axis=axis)


def _middle(small: Sequence[int], large: Sequence[int]) -> tuple[slice, ...]:
    """Where an array lies in the middle of a larger one: for odd sides, with the same pixel in the middle."""
    starts = (whole // 2 - part // 2 for part, whole in zip(small, large, strict=True))
    return tuple(slice(start, start + part) for start, part in zip(starts, small, strict=True))


def _image_hdu(part: Cutout, number: int) -> fits.ImageHDU:
    from astropy.io import fits

    return fits.ImageHDU(part.data, part.header, name="CUTOUT", ver=number)


def _table_hdu(table: ResultTable) -> fits.BinTableHDU:
    """The table, without what FITS has no cards for: it was asked for, and is not changed."""
    from astropy.io import fits

    plain = table.copy()
    plain.meta.clear()
    for name in plain.colnames:
        plain[name].info.meta = {}
    hdu = fits.table_to_hdu(plain)
    hdu.name = "TABLE"
    return hdu
