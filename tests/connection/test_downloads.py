"""Downloads through a connection: whatever names files, wherever the archive is."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from tests.client.faulty import faulty as faulty_server
from tests.client.faulty import fits_bytes
from tests.client.test_bundling import bundle_of

import skydex
from skydex.client import VERBS, psf
from skydex.client.far import FarDoor
from skydex.client.files import WebFile
from skydex.client.http import Web
from skydex.connection.connection import Connection
from skydex.errors import BadParameterError, NotOfferedError


@pytest.fixture(scope="module")
def demonstration(simulated):
    """A server over the simulated archive."""
    from tests.web.serving import serving

    with serving(simulated) as server:
        yield server


@pytest.fixture
def faulty():
    with faulty_server() as server:
        for number in range(4):
            server.files[f"/f{number}.fits"] = fits_bytes(seed=number)
        yield server


def door_to(faulty, **more):
    """A door whose files are at a server, as `mast:PSF/...`."""

    def file(reference):
        return WebFile(f"{faulty.url}/{reference.rpartition('/')[2]}", called=reference)

    given = {"name": "far", "verbs": frozenset(VERBS), "file": file, "bundle": bundle_of(faulty)}
    return Connection(SimpleNamespace(**(given | more)))


URIS = [f"mast:PSF/f{number}.fits" for number in range(4)]


@pytest.mark.parametrize("given", ["one", "list", "array", "column", "table", "source", "mixture"])
def test_files_are_named_in_any_way(faulty, tmp_path, given):
    archive = door_to(faulty)
    column = MaskedColumn([*URIS, "no"], name="dataURI", mask=[False] * 4 + [True])
    things = {
        "one": URIS[0],
        "list": URIS,
        "array": np.array(URIS),
        "column": column,
        "table": Table([np.arange(5), column], names=["id", "dataURI"]),
        "source": WebFile(f"{faulty.url}/f0.fits"),
        "mixture": [URIS[:2], f"{faulty.url}/f2.fits", Table({"access_url": [f"{faulty.url}/f3.fits"]})],
    }[given]
    manifest = archive.download(things, tmp_path)
    assert len(manifest) == (1 if given in ("one", "source") else 4)
    assert [path.read_bytes() for path in manifest.paths] == [*faulty.files.values()][: len(manifest)]
    assert manifest.table["n_bytes"].unit == "byte"


def test_a_table_without_addresses_is_told(faulty, tmp_path):
    with pytest.raises(BadParameterError, match="there are ra, dec"):
        door_to(faulty).download(Table({"ra": [1.0], "dec": [2.0]}), tmp_path)


def test_nothing_to_fetch_is_no_error(faulty, tmp_path):
    assert len(door_to(faulty).download([], tmp_path)) == 0


def test_a_bundle_gives_the_same(faulty, tmp_path):
    archive = door_to(faulty)
    bundled = archive.download(URIS, tmp_path, bundle=True)
    assert bundled.n_fetched == 4
    assert faulty.counts == {"/bundle.tar": 1}
    assert archive.download(URIS, tmp_path).n_fetched == 0


def test_downloads_go_beside_other_work(faulty, tmp_path):
    async def work():
        return await asyncio.gather(*(door_to(faulty).download_async(uri, tmp_path) for uri in URIS))

    assert sum(manifest.n_fetched for manifest in asyncio.run(work())) == 4


def test_an_archive_without_files_says_so_and_addresses_are_fetched_all_the_same(faulty, tmp_path):
    archive = Connection(FarDoor("tap only", [], Web()))
    with pytest.raises(NotOfferedError, match="tap only has no"):
        archive.download(URIS, tmp_path)
    assert len(archive.download(f"{faulty.url}/f0.fits", tmp_path)) == 1


@pytest.mark.parametrize("bundle", [False, True])
@pytest.mark.parametrize("place", ["near", "far"])
def test_stamps_come_by_their_data_uris_as_from_the_real_service(simulated, request, tmp_path, place, bundle):
    at = simulated if place == "near" else request.getfixturevalue("demonstration").url
    archive = skydex.connect("mast-psf", at=at)
    uris = psf.data_uris(archive.search("UVIS", maxrec=12), "UVIS")
    manifest = archive.download(uris, tmp_path, bundle=bundle)
    assert [path.name for path in manifest.paths] == [psf.file_name_of(uri) for uri in uris]
    assert {fits.getdata(path).shape for path in manifest.paths} <= {(51, 51), (101, 101)}
    assert archive.download(uris, tmp_path).n_fetched == 0


def test_the_login_of_an_archive_goes_to_its_own_server_only(faulty, tmp_path):
    web = SimpleNamespace(login=("eve", "secret"), origins=frozenset({faulty.url}))
    other = faulty.url.replace("127.0.0.1", "localhost")
    door_to(faulty, web=web).download([f"{faulty.url}/f0.fits", f"{other}/f1.fits"], tmp_path)
    sent = {path: "Authorization" in headers for path, headers in faulty.requests}
    assert sent == {"/f0.fits": True, "/f1.fits": False}
