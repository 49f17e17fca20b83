"""The cards that a WCS is made of are all that matter to it, in every header that there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from tests.images.files import IMAGES, needs_images

from skydex.images.wcs_cards import wcs_cards

pytestmark = [needs_images, pytest.mark.filterwarnings("ignore")]


def headers_of(path: Path) -> list[bytes]:
    """Headers of images in a file; of a header file that one."""
    if path.suffix == ".hdr":
        raw = path.read_bytes()
        lines = raw.splitlines() if b"\n" in raw else [raw[start : start + 80] for start in range(0, len(raw), 80)]
        return [b"".join(line[:80].ljust(80) for line in lines)]
    with fits.open(path) as hdus:
        images = [hdu for hdu in hdus if isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU)][:8]
        return [hdu.header.tostring(sep="", endcard=False, padding=False).encode() for hdu in images]


def made_of(cards: bytes) -> WCS | None:
    try:
        return WCS(fits.Header.fromstring(cards.decode("ascii")))
    except Exception:
        return None


@pytest.mark.parametrize(
    "path", sorted(path for path in IMAGES.rglob("*") if path.suffix == ".hdr" or ".fits" in path.name),
    ids=lambda path: path.name,
)  # fmt: skip
def test_a_wcs_of_its_cards_is_that_of_the_whole_header(path):
    places = np.random.default_rng(2).uniform(0, 100, (20, 9))
    for cards in headers_of(path) if "parse-test" not in path.name else ():
        whole, part = made_of(cards), made_of(wcs_cards(cards))
        assert whole is None or part is not None  # without its table a third axis hinders nobody
        if whole is not None and part is not None:
            sky = [as_sky(wcs, places[:, : wcs.naxis]) for wcs in (whole, part)]
            np.testing.assert_array_equal(*sky)
            assert whole.wcs.radesys == part.wcs.radesys
            np.testing.assert_equal(whole.wcs.equinox, part.wcs.equinox)


def as_sky(wcs: WCS, places: np.ndarray) -> np.ndarray:
    try:
        return wcs.all_pix2world(places, 0)
    except Exception:
        return np.empty(0)


ATTEMPTS = """
import sys
from astropy.io import fits
from astropy.wcs import WCS
from skydex.images.wcs_cards import wcs_cards
header = fits.getheader(sys.argv[1], 1)
cards = [str(card).encode().ljust(80)[:80] for card in header.cards if card.keyword not in ("", "COMMENT", "HISTORY")]
for place in (0, len(cards) // 2, len(cards)):
    hostile = [*cards[:place], sys.argv[2].encode().ljust(80), *cards[place:]]
    for _ in range(5):
        try:
            WCS(fits.Header.fromstring(wcs_cards(b"".join(hostile)).decode()))
        except Exception:
            pass
"""


@pytest.mark.parametrize(
    "card",
    [
        "PPO3    = 1E300",
        "PLTRAH  = 1E300",
        "AMDX1   = 1E300",
        "MJD-OBS = 1E300",
        "WAT1_001= 'wtype=tnx axtype=ra lngcor = \"3. 99999 99999 0. 1 2 3 4 5'",
    ],
)
def test_r17_half_a_plate_or_polynomial_does_not_end_the_process(card):
    """The WCS library writes beyond its memory when it is given one."""
    file = IMAGES / "hst" / "sample_ipppssoot_flt.fits"
    command = [sys.executable, "-W", "ignore", "-c", ATTEMPTS, str(file), card]
    assert subprocess.run(command, timeout=60).returncode == 0
