"""Images as files: originals whole and in part, single extensions, previews, and a page of them."""

from __future__ import annotations

import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pictures
import pytest
import serving
from astropy.io import fits
from PIL import Image as Pictures

from skydex.archive import Archive, CutoutRequest, ImageName, Interval, SodaRequest
from skydex.errors import CutoutTooLargeError, DamagedDataError
from skydex.settings import Settings

ACS = "hst_10543_29_acs_wfc_f606w"
FLT = "ibc302ioq_flt"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def web(files):
    with (
        serving.serving(pictures.build(files)) as server,
        httpx.Client(base_url=f"{server.url}/images/", timeout=30) as client,
    ):
        yield client


@pytest.fixture
def original(files) -> bytes:
    return (files / "hsc" / f"{ACS}_drz.fits").read_bytes()


@pytest.mark.parametrize("place", [f"hsc/{ACS}", f"HSC/{ACS}", f"hsc/{ACS}_drz.fits", f"hsc/{ACS}/0"])
def test_an_original_comes_byte_for_byte(web, original, place):
    answer = web.get(place)
    assert answer.content == original
    assert answer.headers["content-type"] == "application/fits"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(original))
    assert answer.headers["content-disposition"] == f'attachment; filename="{ACS}_drz.fits"'


@pytest.mark.parametrize(("asked", "part"), [("bytes=0-79", slice(0, 80)), ("bytes=2880-", slice(2880, None)),
                                             ("bytes=-100", slice(-100, None))])  # fmt: skip
def test_a_part_of_an_original_is_a_part(web, original, asked, part):
    answer = web.get(f"hsc/{ACS}", headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == original[part]
    assert web.get(f"hsc/{ACS}", headers={"range": "bytes=99999999-"}).status_code == 416


def test_who_has_an_original_is_not_sent_it_again(web, original):
    first = web.head(f"hsc/{ACS}")
    assert first.headers["content-length"] == str(len(original))
    tag, date = first.headers["etag"], first.headers["last-modified"]
    assert web.get(f"hsc/{ACS}", headers={"if-none-match": tag}).status_code == 304
    assert web.get(f"hsc/{ACS}", headers={"if-modified-since": date}).status_code == 304
    assert web.get(f"hsc/{ACS}", headers={"if-none-match": '"other"', "if-modified-since": date}).status_code == 200
    resumed = {"range": "bytes=10-", "if-range": tag}
    assert web.get(f"hsc/{ACS}", headers=resumed).content == original[10:]
    assert web.get(f"hsc/{ACS}", headers={**resumed, "if-range": '"other"'}).content == original


CUTOUT = "/cgi-bin/fitscut.cgi?red={name}&size=33&format={form}"
PRODUCT = "/api/v0.1/Download/file?uri="
MADE = {
    "a cutout as FITS": CUTOUT.format(name=ACS, form="fits"),
    "a cutout as a picture": CUTOUT.format(name=ACS, form="png"),
    "a product": f"{PRODUCT}mast:HST/product/{ACS}_drz.fits",
    "a product cut out": f"{PRODUCT}mast:WFC3PSF/url/cgi-bin/fitscut.cgi?red={FLT}&size=20&format=fits/a.fits",
    "a preview": f"/images/hsc/{ACS}/preview.png?size=40",
    "an extension": f"/images/psf/{FLT}/1",
}


@pytest.mark.parametrize("path", MADE.values(), ids=MADE)
def test_who_has_a_part_or_a_product_is_not_sent_it_again(web, path):
    url = f"{web.base_url.scheme}://{web.base_url.host}:{web.base_url.port}{path}"
    answer = web.get(url)
    assert answer.status_code == 200, answer.text
    known = {"if-none-match": answer.headers["etag"]}
    again = web.get(url, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert web.get(url, headers={"if-none-match": '"other"'}).content == answer.content
    wider = web.get(url.replace("size=", "size=1"), headers=known)
    assert wider.status_code == (200 if "size=" in path else 304)


def test_what_was_cut_out_of_a_file_is_new_when_the_file_is(tmp_path):
    archive = Archive.open(pictures.build(tmp_path))
    cutout, soda = CutoutRequest((ImageName(ACS),), size=(20, 20)), SodaRequest(archive.images().get(ACS).did)
    requests = (cutout, replace(cutout, bands=(ImageName(ACS), None, ImageName(FLT))), soda)
    before = [archive.basis(request) for request in requests]
    pixels = b"".join(archive.draw(cutout).chunks)
    assert [archive.basis(request) for request in requests] == before
    assert archive.basis(replace(soda, time=Interval(50_000.0, 60_000.0))) is None  # which ObsCore is asked about
    assert archive.basis(replace(cutout, bands=(ImageName("absent"),))) is None
    file = tmp_path / "hsc" / f"{ACS}_drz.fits"
    with fits.open(file, mode="update") as hdus:
        hdus[0].data += 1000.0
    after = [archive.basis(request) for request in requests]
    assert all(after[i] != before[i] for i in range(len(requests)))
    changed = b"".join(archive.draw(cutout).chunks)
    np.testing.assert_allclose(fits.getdata(BytesIO(changed)) - fits.getdata(BytesIO(pixels)), 1000.0, rtol=1e-3)
    fits.setval(file, "OBSERVER", value="somebody else")
    with pytest.raises(DamagedDataError, match="ingest it again"):
        archive.draw(cutout)
    file.unlink()
    assert archive.basis(cutout) is None


def test_an_extension_alone_is_a_file_of_its_own(web, files):
    answer = web.get(f"psf/{FLT}/2")
    assert answer.headers["content-type"] == "image/fits"
    with fits.open(BytesIO(answer.content)) as hdus:
        hdus.verify("exception")
        assert len(hdus) == 1
        np.testing.assert_array_equal(hdus[0].data, pictures.numbers(2))
    assert web.get(f"psf/{FLT}").content == (files / "psf" / f"{FLT}.fits").read_bytes()


@pytest.mark.parametrize(
    "place", ["hsc/nothing", "other/" + ACS, f"hsc/{ACS}/7", f"psf/{FLT}/0", "hsc/..%2F..%2Fetc%2Fpasswd", "hsc/%00"]
)
def test_what_is_not_there_is_told(web, place):
    answer = web.get(place)
    assert answer.status_code == 404
    assert answer.text.startswith("NotFoundError: No image")


@pytest.mark.parametrize(("ending", "kind"), [("jpg", "JPEG"), ("jpeg", "JPEG"), ("png", "PNG")])
@pytest.mark.parametrize("place", [f"hsc/{ACS}", f"psf/{FLT}/2", "ps1/rings.v3.skycell.1784.059.stk.i.unconv.fits"])
def test_a_preview_is_a_picture_of_the_whole(web, place, ending, kind):
    answer = web.get(f"{place}/preview.{ending}", params={"SIZE": "50"})
    with Pictures.open(BytesIO(answer.content)) as drawn:
        assert (drawn.format, drawn.size, drawn.mode) == (kind, (50, 50), "L")
        rows = np.asarray(drawn, float).mean(axis=1)
    assert rows[0] > rows[-1], "the first row has the largest y, where the numbers are largest"
    assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize("size", ["0", "-1", "5000", "large"])
def test_the_size_of_a_preview_has_limits(web, size):
    answer = web.get(f"hsc/{ACS}/preview.jpg", params={"size": size})
    assert answer.status_code == 400
    assert "size" in answer.text


def test_a_page_shows_the_previews_of_a_collection(web):
    answer = web.get("hsc")
    assert "img-src 'self'" in answer.headers["content-security-policy"]
    assert answer.text.count("<img ") == 3
    assert f"/images/hsc/{ACS}/preview.jpg" in answer.text
    assert web.get("hscc").status_code == 404


def test_a_preview_of_a_large_image_is_quick(tmp_path):
    from skydex.images import Image, index_fits, open_pixels, thumbnail

    path = tmp_path / "large.fits"
    header = fits.Header({"SIMPLE": True, "BITPIX": 16, "NAXIS": 2, "NAXIS1": 30_000, "NAXIS2": 30_000})
    with path.open("wb") as file:
        file.write(header.tostring().encode())
        file.truncate(2880 + 2 * 30_000**2 + 2880)
    begin = time.perf_counter()
    small = thumbnail(Image("large", open_pixels("fits", str(path), index_fits(path)[0].access)), 200)
    assert small.shape == (200, 200)
    assert time.perf_counter() - begin < 10


def test_a_cutout_beyond_the_setting_is_refused_with_the_limit(files, web):
    archive = Archive.open(files / "archive", Settings(cutout_mpix=1))
    request = CutoutRequest((ImageName(ACS),), size=(1500, 1000))
    with pytest.raises(CutoutTooLargeError, match=r"1,500 x 1,000 pixels is over the limit of 1,000,000 pixels"):
        archive.draw(request)
    assert archive.draw(replace(request, size=(1000, 1000))).media_type == "image/fits"
