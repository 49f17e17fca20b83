"""Tiles of HiPS: where their pixels are, and what is in them."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from skydex.images import Image, Layer, Tile, allsky_of, index_fits, open_pixels, tile_data, tile_file, tile_values
from skydex.sky import pixels_of

MANY = 1 << 24


@dataclass
class Plane:
    """Numbers with a tangential projection, which remember how many of them were read."""

    data: np.ndarray
    ra: float = 40.0
    dec: float = 30.0
    scale_arcsec: float = 1.0
    n_read: int = 0

    @property
    def shape(self):
        return self.data.shape

    @property
    def header(self):
        ny, nx = self.shape
        step = self.scale_arcsec / 3600
        cards = {
            "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": self.ra, "CRVAL2": self.dec,
            "CRPIX1": (nx + 1) / 2, "CRPIX2": (ny + 1) / 2, "CDELT1": -step, "CDELT2": step,
        }  # fmt: skip
        return fits.Header({"NAXIS": 2, "NAXIS1": nx, "NAXIS2": ny, **cards})

    def read(self, y0, y1, x0, x1):
        assert 0 <= y0 < y1 <= self.shape[0]
        assert 0 <= x0 < x1 <= self.shape[1]
        self.n_read += (y1 - y0) * (x1 - x0)
        return self.data[y0:y1, x0:x1].copy()


def layer(plane, **facts):
    image = Image("plane", plane)
    return Layer(lambda: image, **facts)


def tile_at(ra, dec, order):
    return Tile(order, int(pixels_of([ra], [dec], order)[0]))


def drawn(tile, *layers, most_pixels=MANY):
    return tile_data(tile, layers, most_pixels=most_pixels)


def real(images: Path, place: str, hdu: int):
    path = images / place
    access = next(found.access for found in index_fits(path) if found.hdu == hdu)
    return Layer(lambda: Image(place, open_pixels("fits", str(path), access)))


@pytest.mark.parametrize("order", [0, 1, 3, 8, 13, 20])
def test_pixels_and_header_of_a_tile_are_where_reproject_has_them(order):
    utils = pytest.importorskip("reproject.hips._utils", reason="reproject is not installed")
    from astropy.coordinates import ICRS

    rng = np.random.default_rng(order)
    for pixel in rng.integers(0, 12 * 4**order, 5):
        tile = Tile(order, int(pixel))
        theirs = utils.tile_header(level=order, index=int(pixel), frame=ICRS(), tile_dims=512)
        both = theirs if isinstance(theirs, tuple) else (theirs,)
        ours = fits.getheader(io.BytesIO(tile_file(np.zeros((512, 512), np.float32), "fits", (0, 1), tile=tile)))
        assert any(np.allclose([ours[k] for k in ("CRPIX1", "CRPIX2")], [h["CRPIX1"], h["CRPIX2"]]) for h in both)
        rows, columns = rng.integers(0, 512, (2, 100))
        ra, dec = tile.positions(rows, columns)
        x, y = WCS(ours).all_world2pix(ra, dec, 0)
        if len(both) == 1:  # else a part of it lies on the other side of the plane
            assert np.abs(x - columns).max() < 1e-4 * 2 ** max(0, order - 13)
            assert np.abs(y - rows).max() < 1e-4 * 2 ** max(0, order - 13)


@pytest.mark.parametrize(
    ("place", "hdu", "order"),
    [
        ("2mass/gc_2mass_k.fits", 0, 7),
        ("hst/goodss_f160w_sect22.fits", 0, 13),
        ("wcs/pole.fits", 0, 9),
        ("wcs/sipsample.fits", 0, 9),
        ("wcs/1904-66_TAN.fits", 0, 3),
        ("misc/ukidss_k.fits", 1, 11),
    ],
)
def test_a_tile_of_a_real_image_has_the_values_that_reproject_computes(shared_data, place, hdu, order):
    reproject = pytest.importorskip("reproject", reason="reproject is not installed")
    layer = real(shared_data / "images", place, hdu)
    ny, nx = layer.open().shape
    ra, dec = (float(value) for value in layer.open().positions_of((nx - 1) / 2, (ny - 1) / 2))
    tile = tile_at(ra, dec, order)
    ours = drawn(tile, layer)
    with warnings.catch_warnings(), fits.open(shared_data / "images" / place) as hdus:
        warnings.simplefilter("ignore")
        wcs = WCS(fits.getheader(io.BytesIO(tile_file(ours, "fits", (0, 1), tile=tile))))
        source = (np.where(hdus[hdu].data == 0, np.nan, hdus[hdu].data), WCS(hdus[hdu].header))
        theirs, _ = reproject.reproject_interp(source, wcs, shape_out=(512, 512), order="bilinear")
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() >= 0.99 * np.isfinite(theirs).sum() > 20_000
    errors = np.abs(ours - theirs)[both] / np.nanstd(theirs)
    assert np.median(errors) < 1e-3
    assert np.percentile(errors, 99.9) < 0.2  # some hundredths of a pixel beside a star


@pytest.mark.parametrize("scale", [1.0, 0.13, 3.0])
def test_a_coarse_tile_has_the_means_of_the_finer_ones(scale):
    rng = np.random.default_rng(5)
    y, x = np.indices((700, 900))
    plane = Plane(
        (10 + np.sin(x / 90) + np.cos(y / 70) + rng.normal(0, 0.01, x.shape)).astype("f4"), scale_arcsec=scale
    )
    order = 6
    for order in (9, 7, 5):
        tile = tile_at(40, 30, order)
        coarse = drawn(tile, layer(plane))
        means = np.full((512, 512), np.nan)
        for child in range(4):
            fine = drawn(Tile(order + 1, 4 * tile.pixel + child), layer(plane))
            if fine is None:
                continue
            blocks = fine.reshape(256, 2, 256, 2)
            row, column = 256 * (1 - (child & 1)), 256 * (child >> 1)
            means[row : row + 256, column : column + 256] = blocks.mean(axis=(1, 3))
        both = np.isfinite(means) & np.isfinite(coarse)
        assert both.any()
        ratio = max(1.0, tile.scale_arcsec / scale)
        assert np.abs(means - coarse)[both].max() < 0.05 + 0.03 * ratio


def test_an_image_smaller_than_a_pixel_is_not_lost():
    plane = Plane(np.full((40, 40), 7.0, "f4"))
    for order in (0, 1, 2, 3):
        values = drawn(tile_at(40, 30, order), layer(plane))
        assert 1 <= np.isfinite(values).sum() <= 4
        assert np.nanmax(values) == 7.0


@pytest.mark.parametrize("order", range(4, 11))
def test_the_tiles_of_a_constant_image_are_as_large_as_it_and_have_its_value(order):
    plane = Plane(np.full((300, 500), 7.0, "f4"))
    ra, dec = Image("plane", plane).positions_of(*(grid.ravel() for grid in np.mgrid[0:500:10, 0:300:10]))
    n_known = 0
    for pixel in np.unique(pixels_of(ra, dec, order)):
        values = drawn(Tile(order, int(pixel)), layer(plane))
        n_known += np.isfinite(values).sum()
        assert np.allclose(values[np.isfinite(values)], 7.0)
    scale = Tile(order, 0).scale_arcsec
    rim = 2 * (300 + 500) * scale  # pixels along it may be counted or not
    assert abs(n_known * scale**2 - 300 * 500) < max(0.002 * 300 * 500, 0.7 * rim)


def test_overlapping_images_are_averaged_by_weight_and_lower_ranks_fill_in():
    wide, narrow = np.full((300, 300), 1.0, "f4"), np.full((100, 100), 4.0, "f4")
    tile = tile_at(40, 30, 8)
    both = drawn(tile, layer(Plane(wide), weight=1.0), layer(Plane(narrow), weight=2.0))
    assert {round(float(v), 5) for v in np.unique(both[np.isfinite(both)])} == {1.0, 3.0}
    ranked = drawn(tile, layer(Plane(narrow), rank=3), layer(Plane(wide), rank=2))
    assert set(np.unique(ranked[np.isfinite(ranked)])) == {1.0, 4.0}


def test_beyond_four_images_at_a_place_no_more_are_looked_at():
    planes = [Plane(np.full((300, 300), float(value), "f4")) for value in (1, 2, 3, 4, 100)]
    for order in (8, 3):
        values = drawn(tile_at(40, 30, order), *map(layer, planes))
        assert np.allclose(values[np.isfinite(values)], 2.5)
    assert planes[-1].n_read == 0
    lower = Plane(np.full((300, 300), 9.0, "f4"))
    drawn(tile_at(40, 30, 8), layer(planes[0], rank=3), layer(lower, rank=2))
    assert lower.n_read == 0


def test_what_was_not_measured_stays_empty():
    data = np.full((300, 300), 5.0, "f4")
    data[:, :100] = np.nan
    data[:, 200:] = 0.0
    values = drawn(tile_at(40, 30, 8), layer(Plane(data)))
    assert np.allclose(values[np.isfinite(values)], 5.0)
    assert abs(np.isfinite(values).sum() * Tile(8, 0).scale_arcsec ** 2 - 30_000) < 1000
    counts = drawn(tile_at(40, 30, 8), layer(Plane(np.zeros((300, 300), "i2"))))
    assert set(np.unique(counts[np.isfinite(counts)])) == {0.0}  # a zero that was counted is one


def test_means_are_of_brightness_where_pixels_are_compressed_with_an_asinh():
    """The mean of an asinh is no asinh of a mean."""
    rng = np.random.default_rng(1)
    counts = rng.exponential(300.0, (400, 400))

    class Softened(Plane):
        @property
        def header(self):
            return fits.Header([*super().header.cards, ("BSOFTEN", 20.0), ("BOFFSET", 5.0)])

    stored = 1.0857362 * np.arcsinh((counts - 5.0) / 40.0)
    for order in (10, 7, 3):
        plain = drawn(tile_at(40, 30, order), layer(Plane(counts.astype("f4"))))
        undone = drawn(tile_at(40, 30, order), layer(Softened(stored.astype("f4"))))
        assert np.allclose(undone, plain, rtol=1e-4, atol=1e-3, equal_nan=True)


def test_a_tile_without_an_image_is_none():
    assert drawn(tile_at(220, -30, 8), layer(Plane(np.ones((50, 50), "f4")))) is None
    assert drawn(tile_at(40, 30, 8), layer(Plane(np.full((50, 50), np.nan, "f4")))) is None
    assert drawn(tile_at(40, 30, 8)) is None


def test_the_work_for_a_coarse_tile_is_bounded():
    plane = Plane(np.ones((4000, 3000), "f4"))
    values = drawn(tile_at(40, 30, 3), layer(plane), most_pixels=200_000)
    assert plane.n_read <= 400_000
    assert np.nanmax(values) == np.nanmin(values) == 1.0


def test_an_image_without_a_place_on_the_sky_is_left_out():
    plane = Plane(np.ones((50, 50), "f4"))
    bare = Plane(np.ones((50, 50), "f4"))
    bare.__class__ = type("Bare", (Plane,), {"header": property(lambda self: fits.Header())})
    assert drawn(tile_at(40, 30, 9), layer(bare), layer(plane)) is not None


def test_files_of_a_tile_show_the_same():
    from PIL import Image as Pictures

    values = np.full((512, 512), np.nan, np.float32)
    values[:100, :200] = np.linspace(1, 9, 200)
    assert np.array_equal(tile_values(tile_file(values, "fits", (0, 1), tile=Tile(3, 5))), values, equal_nan=True)
    png = np.asarray(Pictures.open(io.BytesIO(tile_file(values, "png", (1.0, 9.0)))))
    assert (png[-100:, :200, 1] == 255).all()
    assert png[..., 1].sum() == 255 * 100 * 200  # transparent where there is nothing
    assert (np.diff(png[-1, :200, 0].astype(int)) >= 0).all()
    assert (png[-1, 0, 0], png[-1, 199, 0]) == (0, 220)  # the white of its stretch
    jpeg = np.asarray(Pictures.open(io.BytesIO(tile_file(values, "jpg", (1.0, 9.0)))))
    assert np.abs(jpeg[-100:, :200].astype(int) - png[-100:, :200, 0]).mean() < 3
    assert jpeg[:400].max() < 10


def test_allsky_has_its_tiles_from_the_upper_left():
    one = np.full((512, 512), 3.0, np.float32)
    whole = allsky_of({0: one, 30: 2 * one, 767: 3 * one})
    assert whole.shape == (29 * 64, 27 * 64)
    shown = whole[::-1]
    assert (shown[:64, :64] == 3).all()
    assert (shown[64:128, 3 * 64 : 4 * 64] == 6).all()
    assert (shown[28 * 64 :, 11 * 64 : 12 * 64] == 9).all()
    assert np.isfinite(whole).sum() == 3 * 64 * 64
