"""Images of the Hubble fields show what the catalogues say; photometry and centroids are those of photutils."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from astropy.wcs import WCS
from photutils.aperture import CircularAperture, aperture_photometry
from photutils.centroids import centroid_2dg

from skydex.archive import Archive, QueryRequest
from skydex.archive.images import Images
from skydex.demo.cameras import open_simulated
from skydex.demo.publications import read_printed
from skydex.errors import StoreError
from skydex.images import Image

_FAR_PX = 14.0
_NOVA = (187.71245, 12.38312)


@pytest.fixture(scope="module")
def archive(simulated: Path) -> Archive:
    return Archive.open(simulated)


@pytest.fixture(scope="module")
def images(archive: Archive) -> Images:
    return archive.images()


@pytest.fixture(scope="module")
def catalog(archive: Archive) -> pa.Table:
    columns = "ImageName, SourceID, SourceRA, SourceDec, XImage, YImage, MagAper2, Flags, Det, MatchRA, MatchDec"
    return rows(archive, f"SELECT {columns} FROM hsc.detailedCatalog")


def rows(archive: Archive, query: str) -> pa.Table:
    return archive.query(QueryRequest(query)).to_arrow()


def opened(images: Images, name: str) -> Image:
    return images.open(images.get(name))


def measured(image: Image, x: float, y: float) -> tuple[float, float]:
    """Aperture magnitude and its error, as an astronomer would take them from a cutout."""
    cutout, x0, y0 = section(image, x, y, 20)
    header = image.pixels.header
    radius = header["APERRAD"] / (3600 * np.hypot(header["CD1_1"], header["CD1_2"]))
    rate = aperture_photometry(cutout, CircularAperture((x - x0, y - y0), radius))["aperture_sum"][0]
    error = np.sqrt(header["BACKNOIS"] ** 2 * np.pi * radius**2 + header["QUANTUM"] * max(rate, 0.0))
    return header["ABMAGZPT"] - 2.5 * np.log10(rate), 2.5 / np.log(10) * error / rate


def section(image: Image, x: float, y: float, half: int) -> tuple[np.ndarray, int, int]:
    x0, y0 = round(x) - half, round(y) - half
    return image.pixels.read(y0, y0 + 2 * half + 1, x0, x0 + 2 * half + 1).astype(float), x0, y0


@pytest.fixture(scope="module")
def photometry(images: Images, catalog: pa.Table) -> dict[str, np.ndarray]:
    """What photutils measures of sources that stand alone, in a few dozen images."""
    names = catalog["ImageName"].to_numpy(zero_copy_only=False).astype(str)
    found: list[dict[str, Any]] = []
    for name in np.random.default_rng(6).permutation(np.unique(names))[:60]:
        image = opened(images, name)
        own = catalog.filter(pa.array(names == name))
        x, y = image.pixels_of(own["MatchRA"].to_numpy(), own["MatchDec"].to_numpy())
        well = 0.99 * image.pixels.header.get("SATURATE", np.inf)
        for row in np.flatnonzero(own["Det"].to_numpy(zero_copy_only=False) == "Y")[:40]:
            apart = np.sort(np.hypot(x - x[row], y - y[row]))
            place = own["XImage"][row].as_py() - 1, own["YImage"][row].as_py() - 1
            is_inside = min(place) > 21 and max(place) < image.shape[0] - 21
            if apart[1:2] < _FAR_PX or not is_inside:
                continue
            cutout, x0, y0 = section(image, *place, 3)
            if cutout.max() > well:
                continue
            mag, error = measured(image, *place)
            centre = centroid_2dg(cutout) if error < 0.005 else (np.nan, np.nan)
            found.append(
                {
                    "dm": mag - own["MagAper2"][row].as_py(),
                    "error": error,
                    "dx": centre[0] + x0 - place[0],
                    "dy": centre[1] + y0 - place[1],
                    "is_star": own["Flags"][row].as_py() == 0,
                }
            )
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def test_every_image_that_a_catalogue_names_exists(archive: Archive, images: Images) -> None:
    known = {record.name for record in images.records("hsc")}
    for table in ("hsc.detailedCatalog", "hscv2.detailedCatalog", "hcv.HCVdetailed"):
        named = set(rows(archive, f"SELECT DISTINCT ImageName FROM {table}")["ImageName"].to_pylist())
        assert named
        assert named <= known


def test_images_have_the_wavelengths_of_their_filters(archive: Archive) -> None:
    """F606W of ACS is 2342 Angstrom wide about 5921 (ACS Instrument Handbook, table 5.1)."""
    found = rows(archive, "SELECT instrument_name, filter, em_min, em_max FROM hsc.images").to_pylist()
    assert all(1e-7 < row["em_min"] < row["em_max"] < 2e-6 for row in found)
    acs = [row for row in found if row["filter"] == "F606W" and row["instrument_name"].startswith("ACS")]
    assert acs
    assert [(row["em_min"], row["em_max"]) for row in acs] == [pytest.approx((4.75e-7, 7.09e-7), rel=0.01)] * len(acs)


def test_what_was_detected_in_an_image_lies_on_it(archive: Archive) -> None:
    outside = rows(
        archive,
        "SELECT ImageName, XImage, YImage FROM hsc.detailedCatalog JOIN hsc.images ON ImageName = name "
        "WHERE Det = 'Y' AND (XImage < 0 OR YImage < 0 OR XImage > s_xel1 + 1 OR YImage > s_xel2 + 1)",
    )
    assert not outside.to_pylist()


def test_bright_sources_have_their_magnitudes(photometry: dict[str, np.ndarray]) -> None:
    bright = np.abs(photometry["dm"][(photometry["error"] < 0.0108)])
    assert len(bright) > 100
    assert np.median(bright) < 0.01


def test_magnitudes_scatter_as_much_as_their_errors_say(photometry: dict[str, np.ndarray]) -> None:
    sound = photometry["is_star"] & np.isfinite(photometry["dm"]) & (photometry["error"] < 0.2)
    pull = photometry["dm"][sound] / photometry["error"][sound]
    assert len(pull) > 300
    assert 0.9 < pull.std() < 1.15
    assert abs(np.median(pull)) < 0.2


def test_sources_stand_where_the_catalogue_has_them(photometry: dict[str, np.ndarray]) -> None:
    for apart in (photometry["dx"], photometry["dy"]):
        apart = apart[photometry["is_star"] & np.isfinite(apart)]
        assert len(apart) > 30
        assert abs(np.median(apart)) < 0.02
        assert np.median(np.abs(apart)) < 0.02


def test_the_nova_of_m87_has_its_printed_magnitudes(images: Images) -> None:
    printed = read_printed("hcv_nova")
    pulls = []
    for name, mag, mag_err in zip(*(printed[one].to_pylist() for one in ("ImageName", "Mag", "MagErr")), strict=True):
        image = opened(images, name)
        x, y = (float(one) for one in image.pixels_of(*_NOVA))
        found, _ = measured(image, x, y)
        pulls.append((found - mag) / mag_err)
    assert np.abs(pulls).max() < 3
    assert np.std(pulls) < 1.3


def test_the_variable_of_ic_1613_has_its_printed_magnitudes(images: Images, archive: Archive) -> None:
    printed = read_printed("hsc_light_curve")
    at = rows(archive, "SELECT MatchRA, MatchDec FROM hsc.SumMagAper2CatView WHERE MatchID = 80189155").to_pylist()[0]
    names, mags = (printed[one].to_pylist() for one in ("ImageName", "MagAper2"))
    for name, mag in zip(names, mags, strict=True):
        image = opened(images, name)
        x, y = (float(one) for one in image.pixels_of(at["MatchRA"], at["MatchDec"]))
        found, error = measured(image, x, y)
        assert found == pytest.approx(mag, abs=4 * error + 0.003)


def test_a_light_curve_for_which_nothing_was_observed_has_images_too(archive: Archive, images: Images) -> None:
    drawn = rows(
        archive,
        "SELECT TOP 40 ImageName, Mag, RA, Dec FROM hcv.HCVdetailed AS d JOIN hcv.HCVmatch AS m "
        "ON d.MatchID = m.MatchID WHERE d.MatchID >= 900000000000000 AND Mag < 23",
    ).to_pylist()
    pulls = []
    for one in drawn:
        image = opened(images, one["ImageName"])
        found, error = measured(image, *(float(place) for place in image.pixels_of(one["RA"], one["Dec"])))
        pulls.append((found - one["Mag"]) / error)
    assert np.median(np.abs(pulls)) < 1


def test_a_pixel_is_the_same_in_whatever_section_it_is_read(images: Images) -> None:
    for name in ("hst_10543_29_acs_wfc_f606w", "hst_90008_30_wfc3_uvis_f606w", "hst_90024_05_acs_wfc_f814w"):
        pixels = opened(images, name).pixels
        whole = pixels.read(1900, 2300, 1700, 2200)
        assert np.array_equal(pixels.read(2047, 2100, 1850, 1883), whole[147:200, 150:183])
        assert np.array_equal(pixels.read(1999, 2000, 2100, 2101), whole[99:100, 400:401])


def test_a_galaxy_is_extended_and_looks_the_same_in_every_image(images: Images, catalog: pa.Table) -> None:
    is_bright = pc.and_(pc.equal(catalog["Flags"], 1), pc.less(catalog["MagAper2"], 22))
    is_here = pc.match_substring_regex(catalog["ImageName"], "hst_90016_.*_f814w")
    found = []
    for one in catalog.filter(pc.and_(is_bright, is_here)).to_pylist():
        image = opened(images, one["ImageName"])
        cutout, x0, y0 = section(image, one["XImage"] - 1, one["YImage"] - 1, 8)
        x, y = np.arange(17) + x0 - one["XImage"] + 1, np.arange(17)[:, None] + y0 - one["YImage"] + 1
        light = np.where(cutout > 5 * image.pixels.header["BACKNOIS"], cutout, 0.0)
        found.append([float((light * part).sum() / light.sum()) for part in (x**2, y**2, x * y)])
    moments = np.array(found)
    assert len(moments) > 4
    assert moments[:, :2].min() > 2  # of a star 1.2 at most
    assert moments.std(axis=0).max() < 0.25


def test_cosmic_rays_are_left_in_single_exposures_alone(images: Images) -> None:
    def sharp(name: str) -> int:
        """Pixels far above what their neighbours on both sides allow."""
        values = opened(images, name).pixels.read(500, 900, 500, 900).astype(float)
        noise = opened(images, name).pixels.header["BACKNOIS"]
        beside = np.maximum(
            np.maximum(values[1:-1, :-2], values[1:-1, 2:]), np.maximum(values[:-2, 1:-1], values[2:, 1:-1])
        )
        return int((values[1:-1, 1:-1] > 4 * np.maximum(beside, 0) + 10 * noise).sum())

    assert sharp("hst_10543_30_acs_wfc_f606w") > 3
    assert sharp("hst_10543_30_acs_wfc_f814w") == 0


def test_a_pixel_holds_no_more_than_it_can_and_what_is_too_much_runs_along_its_column(
    images: Images, catalog: pa.Table
) -> None:
    own = catalog.filter(pc.match_substring(catalog["ImageName"], "hst_90008_03_wfc3_uvis_f225w"))
    bright = own.sort_by("MagAper2").slice(0, 1).to_pylist()[0]
    image = opened(images, bright["ImageName"])
    cutout, _, _ = section(image, bright["XImage"] - 1, bright["YImage"] - 1, 20)
    assert cutout.max() == pytest.approx(image.pixels.header["SATURATE"], rel=1e-5)
    is_full = cutout >= cutout.max()
    assert is_full.sum() > 5
    height, width = (np.ptp(np.flatnonzero(is_full.any(axis=axis))) + 1 for axis in (1, 0))
    assert height > width


def test_a_star_that_was_missed_is_there_all_the_same(images: Images, catalog: pa.Table, archive: Archive) -> None:
    missed = rows(
        archive,
        "SELECT d.ImageName, d.MatchRA, d.MatchDec FROM hsc.detailedCatalog AS d JOIN hsc.SumMagAper2CatView AS s "
        "ON d.MatchID = s.MatchID WHERE d.Det = 'N' AND d.Filter = 'F814W' AND d.Instrument = 'ACS' "
        "AND s.A_F814W < 22 AND s.A_F814W_N > 5 AND s.MatchID > 9000000000000",
    ).to_pylist()
    assert missed
    found = []
    for one in missed[:30]:
        image = opened(images, one["ImageName"])
        x, y = (float(place) for place in image.pixels_of(one["MatchRA"], one["MatchDec"]))
        if 21 < x < image.shape[1] - 21 and 21 < y < image.shape[0] - 21:
            found.append(measured(image, x, y)[0])
    assert np.nanmedian(found) < 22.3


def test_the_header_tells_what_the_image_is_and_that_nobody_took_it(images: Images) -> None:
    record = images.get("hst_10543_29_acs_wfc_f606w", "SCI")
    header = images.open(record).pixels.header
    assert (record.hdu, header["EXTNAME"]) == (1, "SCI")
    assert header["ORIGIN"] == "SIMULATED"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert WCS(header).has_celestial
    assert header["SIMULATE"] is True
    assert (header["INSTRUME"], header["DETECTOR"], header["FILTER"]) == ("ACS", "WFC", "F606W")
    assert (header["PROPOSID"], header["EXPTIME"], header["NCOMBINE"]) == (10543, 500.0, 1)
    ab = -2.5 * np.log10(header["PHOTFLAM"]) - 5 * np.log10(header["PHOTPLAM"]) - 2.408
    assert ab == pytest.approx(header["ABMAGZPT"], abs=1e-6)
    assert all(len(line) == 80 for line in header.tostring(sep="\n", endcard=False, padding=False).split("\n"))


def test_images_are_found_by_the_names_of_their_files(images: Images) -> None:
    did = images.get("hst_10543_29_acs_wfc_f606w").did
    assert images.get("hst_10543_29_acs_wfc_f606w_drz.fits").did == did
    assert images.get("HST_10543_29_ACS_WFC_F606W", caseless=True).did == did


def test_an_image_whose_truth_is_gone_is_an_error_without_a_path(
    simulated: Path, images: Images, tmp_path: Path
) -> None:
    record = images.get("hst_10543_29_acs_wfc_f606w")
    with pytest.raises(StoreError) as raised:
        open_simulated(record.location.replace(str(simulated), str(tmp_path)), record.access)
    assert str(tmp_path) not in str(raised.value)
