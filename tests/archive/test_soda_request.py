"""Pictures of one star at several times, with the levels of one of them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image as Pictures

from skydex.archive import Archive, SodaRequest
from skydex.errors import UnknownImageError
from skydex.images import index_fits
from skydex.ingest.images import ImageEntry, did_of, publish_images
from skydex.store import ArchiveDirectory, ImageRecord

SKY = np.random.default_rng(7).normal(0.0, 1.0, (40, 40)).astype("f4")
Y, X = np.mgrid[:40, :40]
STAR = np.exp(-((X - 20) ** 2 + (Y - 20) ** 2) / 8.0).astype("f4")
SHOTS = {
    "bright": (100.0, {"BUNIT": "COUNTS/S"}, 1.0),
    "faint": (25.0, {"BUNIT": "COUNTS/S"}, 1.0),
    "long": (100.0, {"BUNIT": "COUNTS", "EXPTIME": 40.0}, 40.0),
    "hazy": (100.0, {"BUNIT": "COUNTS", "EXPTIME": 10.0, "HIERARCH FPA.ZP": 24.0}, 10.0),
    "clear": (100.0, {"BUNIT": "COUNTS", "EXPTIME": 10.0, "HIERARCH FPA.ZP": 24.75}, 10.0 * 10**0.3),
}
"""Height of the star, what the header says, and the number that stands for 1 count per second of the clear sky."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alike")
    entries = []
    for name, (height, cards, gain) in SHOTS.items():
        fits.writeto(folder / f"{name}.fits", (SKY + height * STAR) * np.float32(gain), fits.Header(cards))
        (found,) = index_fits(folder / f"{name}.fits")
        record = ImageRecord(
            "alike", name, 0, "", did_of("alike", name, 0), "fits", str(folder / f"{name}.fits"), found.access
        )
        entries.append(ImageEntry(record, header=found.header))
    publish_images(ArchiveDirectory.create(folder / "archive"), "alike", entries, description="One star.")
    return Archive.open(folder / "archive")


def grey(archive, name, like=None):
    like = did_of("alike", like, 0) if like else None
    drawn = archive.draw(SodaRequest(did_of("alike", name, 0), format="png", like=like))
    return np.asarray(Pictures.open(io.BytesIO(b"".join(drawn.chunks))), dtype=int)


def test_a_star_that_fades_does_so_in_pictures_of_one_scale(archive):
    alone, alike = grey(archive, "faint"), grey(archive, "faint", "bright")
    assert alike[20, 20] < 0.8 * alone[20, 20]
    assert alike[20, 20] < 0.8 * grey(archive, "bright")[20, 20]
    np.testing.assert_array_equal(grey(archive, "bright", "bright"), grey(archive, "bright"))


@pytest.mark.parametrize(("one", "other"), [("long", "bright"), ("clear", "hazy"), ("hazy", "clear")])
def test_the_same_light_is_the_same_grey_whatever_the_numbers(archive, one, other):
    """Counts of a long exposure, and of a clear night, are more numerous; the sky's noise grows alike here."""
    assert abs(grey(archive, one, other) - grey(archive, other)).max() <= 1


def test_levels_of_an_image_that_is_not_there_are_refused(archive):
    with pytest.raises(UnknownImageError):
        grey(archive, "bright", "nothing")
