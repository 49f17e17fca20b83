"""Products of MAST by their data URIs: one at a time, and in bundles."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from urllib.parse import quote, urlencode

import httpx
import psfground
import pytest
import serving
from astropy.io import fits
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import html

DOWNLOAD = "/api/v0.1/Download"


@pytest.fixture(scope="module")
def psf_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("psf")
    with serving.serving(psfground.build_ground(folder), bundle_files=2000) as server:
        server.folder = folder
        yield server


@pytest.fixture(scope="module")
def web(psf_server):
    with httpx.Client(base_url=psf_server.url, timeout=30) as client:
        yield client


def parameters(*, suffix="flt", extension=1, size=51, x=100, y=101):
    return f"red={psfground.ROOT}_{suffix}[{extension}]&size={size}&x={x}&y={y}&format=fits"


def uri(name="one.fits", collection="WFC3PSF", **given):
    return f"mast:{collection}/url/cgi-bin/fitscut.cgi?{parameters(**given)}/{name}"


TOO_LARGE = "is over the limit of 25,000,000 pixels"
MISSING = uri("none.fits").replace(psfground.ROOT, "nothing")


def outcomes(manifest):
    return [[cell.text or "" for cell in row.xpath("td")] for row in html.fromstring(manifest).xpath("//tbody/tr")]


@pytest.mark.parametrize("size", [51, 101])
@pytest.mark.parametrize("suffix", psfground.SUFFIXES)
@pytest.mark.parametrize("extension", [1, 4])
def test_a_product_has_the_pixels_of_its_frame(web, psf_server, suffix, size, extension):
    answer = web.get(
        f"{DOWNLOAD}/file", params={"uri": uri("a_cutout.fits", suffix=suffix, extension=extension, size=size)}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'inline; filename="a_cutout.fits"'
    frame = fits.getdata(psf_server.folder / f"{psfground.ROOT}_{suffix}.fits", extension)
    half = size // 2
    theirs = frame[101 - half : 102 + half, 100 - half : 101 + half]
    assert (fits.getdata(io.BytesIO(answer.content)) != theirs).sum() == 0


def test_a_product_is_byte_for_byte_the_cutout_at_its_address(web):
    product = web.get(f"{DOWNLOAD}/file", params={"uri": uri()}).content
    for path in ("/cgi-bin/hla/fitscut.cgi", "/cgi-bin/fitscut.cgi"):
        for brackets in (parameters(), parameters().replace("[", "%5B").replace("]", "%5D")):
            assert web.get(f"{path}?{brackets}&imagename=one.fits").content == product
    assert web.post(f"{DOWNLOAD}/file", data={"URI": uri()}).content == product
    assert web.get(f"{DOWNLOAD}/file", params={"uri": uri(collection="WFPC2PSF")}).content == product


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_data_uri_that_is_pasted_into_the_address_is_understood(psf_server):
    def fetched(text):
        address = f"{psf_server.url}{DOWNLOAD}/file?uri={text}"
        done = subprocess.run(["curl", "-sgf", "--noproxy", "*", address], capture_output=True, check=True)
        return done.stdout

    plain, half, whole = fetched(uri()), fetched(quote(uri(), safe=":/")), fetched(quote(uri(), safe=""))
    assert plain.startswith(b"SIMPLE")
    assert plain == half == whole


@pytest.mark.parametrize("name", [f"{psfground.ROOT}_flt.fits", f"{psfground.ROOT}_flt"])
def test_a_whole_file_is_a_product_too(web, psf_server, name):
    answer = web.get(f"{DOWNLOAD}/file", params={"uri": f"mast:HST/product/{name}"})
    original = (psf_server.folder / f"{psfground.ROOT}_flt.fits").read_bytes()
    assert answer.content == original
    assert f'filename="{name}"' in answer.headers["content-disposition"]
    bundled = web.post(f"{DOWNLOAD}/bundle.zip", data={"uri": [f"mast:HST/product/{name}", uri()]})
    with zipfile.ZipFile(io.BytesIO(bundled.content)) as file:
        assert [path.partition("/")[2] for path in file.namelist()[1:-1]] == [f"HST/{name}", "WFC3PSF/one.fits"]
        assert file.read(file.namelist()[1]) == original


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        (None, 400, "Parameter uri: is missing"),
        ("", 400, "Parameter uri: is missing"),
        ("../../../../etc/passwd", 404, "No product"),
        ("file:///etc/passwd", 404, "No product"),
        ("mast:HST/product/passwd", 404, 'No image "passwd"'),
        ("mast:HST/product/../passwd", 404, "No product"),
        ("mast:HST/product/%2e%2e%2fpasswd", 400, "Parameter uri: ends in a file name"),
        ("mast:HST/product/", 400, "Parameter uri: ends in a file name"),
        ("mast:WFC3PSF/url/http://127.0.0.1/fitscut.cgi?red=a/x.fits", 404, "No product"),
        ("mast:WFC3PSF/url/cgi-bin/passwd.cgi?red=a/x.fits", 404, "No product"),
        (MISSING, 404, 'No image "nothing_flt'),
        (uri(extension=9), 404, "ibc302ioq_flt[9]"),
        (uri(x=5000), 404, "does not reach"),
        (uri(size="x"), 400, "Parameter size"),
        (uri(size=5001).replace("format=fits", "format=jpeg"), 413, TOO_LARGE),
        (uri().replace("format=fits", "output_size=1e9"), 413, TOO_LARGE),
        (uri("..."), 400, "Parameter uri: ends in a file name"),
        (uri("a b.fits"), 400, "Parameter uri: ends in a file name"),
        (uri('x".fits\r\nX-Evil: 1'), 400, "Parameter uri: ends in a file name"),
        (uri("-rf"), 400, "Parameter uri: ends in a file name"),
        (uri("x" * 200), 400, "Parameter uri: ends in a file name"),
        (uri("x.fits").replace("mast:", "mast:" + "x" * 5000), 404, "No product"),
    ],
)
def test_r18_what_is_no_product_is_told_and_no_path_is_opened(web, asked, status, says):
    answer = web.get(f"{DOWNLOAD}/file", params={} if asked is None else {"uri": asked})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert says in answer.text
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "GET", "multipart"])
def test_r19_a_bundle_has_every_product_and_tells_what_is_missing(web, tmp_path, method):
    asked = [uri("a.fits"), MISSING, uri("b.fits", "WFPC2PSF", size=101), uri("a.fits"), "../../x", uri("../b.fits")]
    if method == "GET":
        answer = web.get(f"{DOWNLOAD}/bundle.tar.gz", params={"uri": asked})
    elif method == "POST":
        answer = web.post(f"{DOWNLOAD}/bundle.tar.gz", data={"uri": asked})
    else:
        answer = web.post(f"{DOWNLOAD}/bundle.tar.gz", files=[("uri", (None, one)) for one in asked])
    assert answer.status_code == 200
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as file:
        folder = file.getnames()[0]
        assert re.fullmatch(r"MAST_\d{4}-\d\d-\d\dT\d{4}", folder)
        assert file.getmembers()[0].isdir()
        file.extractall(tmp_path, filter="data")
    assert f'filename="{folder}.tar.gz"' in answer.headers["content-disposition"]
    found = sorted(str(path.relative_to(tmp_path / folder)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["MANIFEST.HTML", "WFC3PSF/a.fits", "WFPC2PSF/b.fits"]
    alone = web.get(f"{DOWNLOAD}/file", params={"uri": uri("a.fits")}).content
    assert (tmp_path / folder / "WFC3PSF" / "a.fits").read_bytes() == alone
    told = outcomes((tmp_path / folder / "MANIFEST.HTML").read_bytes())
    assert [row[0] for row in told] == list(dict.fromkeys(asked))
    assert [row[2] == "COMPLETE" for row in told] == [True, False, True, False, False]
    assert told[1][2].startswith('ERROR: No image "nothing_flt')


def test_a_bundle_without_an_ending_is_a_tar_file(web):
    answer = web.post(f"{DOWNLOAD}/bundle", data={"uri": [uri("a.fits")]})
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as file:
        assert len(file.getnames()) == 3


def test_files_of_one_name_get_names_of_their_own(web):
    asked = [uri("a.fits", x=x) for x in (100, 101, 102)] + [uri("A.fits"), uri("a_2.fits")]
    answer = web.post(f"{DOWNLOAD}/bundle.zip", data={"uri": asked})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        names = [name.partition("/")[2] for name in file.namelist()]
    assert names[1:-1] == [f"WFC3PSF/{name}.fits" for name in ("a", "a_2", "a_3", "A_4", "a_2_2")]


def test_more_products_than_other_forms_have_fields_make_one_bundle(web):
    asked = [uri(f"{x}.fits", x=x, size=3) for x in range(1200)]
    answer = web.post(f"{DOWNLOAD}/bundle.tar.gz", data={"uri": asked})
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as file:
        assert len(file.getnames()) == 2 + 601  # the frame is 600 pixels wide, and one more cutout touches it
    refused = web.post(f"{DOWNLOAD}/bundle.tar.gz", data={"uri": ["x"] * 2001})
    assert (refused.status_code, "more than 2000" in refused.text) == (400, True)


@pytest.mark.parametrize("form", ["tar.gz", "zip", "sh"])
def test_a_bundle_of_nothing_is_refused(web, form):
    answer = web.post(f"{DOWNLOAD}/bundle.{form}", data={"uri": ["", " "]})
    assert (answer.status_code, "Parameter uri: is missing" in answer.text) == (400, True)


def test_a_bundle_of_nothing_but_failures_has_a_manifest(web):
    answer = web.post(f"{DOWNLOAD}/bundle.zip", data={"uri": [MISSING, "<script>alert(1)</script>"]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        manifest = file.read(file.namelist()[1])
    assert b"<script>" not in manifest
    assert len(outcomes(manifest)) == 2


HOSTILE = (
    "$(touch owned)",
    "`touch owned`",
    "'; touch owned; '",
    '"; touch owned; "',
    "a\ntouch owned\n",
    "\x1b[31m",
    "../../owned",
    "-o owned",
    uri("$(touch owned).fits"),
    uri("a.fits").replace("red=", "red='$(touch owned)'"),
    uri("a.fits").replace("red=", "red=x\ntouch owned\n"),
)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_r19_a_script_fetches_what_can_be_had_and_does_nothing_else(web, tmp_path):
    answer = web.post(f"{DOWNLOAD}/bundle.sh", data={"uri": [uri("a.fits"), uri("b.fits", size=101), *HOSTILE]})
    assert answer.headers["content-type"].startswith("text/x-shellscript")
    environ = {**os.environ, "no_proxy": "127.0.0.1,localhost"}
    done = subprocess.run(["sh", "-c", answer.text], cwd=tmp_path, capture_output=True, text=True, env=environ)
    assert done.returncode == 1
    assert "\x1b" not in done.stderr
    assert done.stderr.count("missing: ") == len(HOSTILE)
    (folder,) = tmp_path.iterdir()
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "WFC3PSF/a.fits",
        "WFC3PSF/b.fits",
    }
    alone = web.get(f"{DOWNLOAD}/file", params={"uri": uri("a.fits")}).content
    assert (folder / "WFC3PSF" / "a.fits").read_bytes() == alone


def test_a_script_of_what_is_there_succeeds(web, tmp_path):
    answer = web.get(f"{DOWNLOAD}/bundle.sh?uri={quote(uri('a.fits'))}")
    environ = {**os.environ, "no_proxy": "127.0.0.1,localhost"}
    assert subprocess.run(["sh", "-c", answer.text], cwd=tmp_path, env=environ).returncode == 0


NAMES = st.text(max_size=12) | st.sampled_from([psfground.ROOT + "_flt", "..", "a.fits", "/etc/passwd", "%2e%2e", "\0"])
VALUES = st.text(max_size=6) | st.integers().map(str) | st.floats().map(str) | st.sampled_from(["ALL", "3,3", "1e9"])
URIS = st.text(max_size=80) | st.builds(
    lambda collection, name, cut, file: f"mast:{collection}/url/cgi-bin/fitscut.cgi?red={name}&{urlencode(cut)}/{file}",
    st.sampled_from(["WFC3PSF", "HST", "", ".."]) | NAMES,
    NAMES,
    st.dictionaries(st.sampled_from(["size", "x", "y", "ra", "dec", "zoom", "output_size", "format", "red"]), VALUES),
    NAMES,
)


@settings(max_examples=100)
@example(uri(size=5001).replace("format=fits", "format=png"))
@given(URIS)
def test_any_data_uri_has_an_answer(web, uri):
    answer = web.get(f"{DOWNLOAD}/file", params={"uri": uri})
    is_too_large = TOO_LARGE in answer.text[:2000]
    assert answer.status_code in ((413,) if is_too_large else (200, 400, 404)), answer.text[:2000]
    assert "Traceback" not in answer.text[:2000]
    assert psfground.__name__ not in answer.text[:2000]


@settings(max_examples=20)
@given(st.lists(URIS, min_size=1, max_size=6).filter(lambda uris: any(uri.strip() for uri in uris)))
def test_r19_any_bundle_unpacks_into_one_folder_of_plain_names(web, uris):
    answer = web.post(f"{DOWNLOAD}/bundle.tar.gz", data={"uri": uris})
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as file:
        names = file.getnames()
    assert all(
        re.fullmatch(r"MAST_[0-9T-]+(/[A-Za-z0-9_-]+)?(/[A-Za-z0-9_+][A-Za-z0-9._+-]*)?", name) for name in names
    )
    assert names[-1].endswith("/MANIFEST.HTML")
