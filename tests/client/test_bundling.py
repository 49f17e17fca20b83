"""Bundles: the same files as one by one, with one request."""

from __future__ import annotations

import pytest
from tests.client.faulty import fits_bytes
from tests.client.test_unpacking import tar_of

from skydex.client.files import WebFile
from skydex.client.transfers import MANIFEST, TransferLimits, fetch_all, fetch_bundled
from skydex.errors import BadAnswerError, IncompleteError

QUICK = TransferLimits(pause_s=0.01)


def put(faulty, n_files):
    for number in range(n_files):
        faulty.files[f"/f{number}.fits"] = fits_bytes(5760, seed=number)
    return [WebFile(f"{faulty.url}/f{number}.fits", called=f"mast:PSF/f{number}.fits") for number in range(n_files)]


def bundle_of(faulty, *, without=(), **spoiled):
    """What makes bundles: of all files on the server but some, and some of them spoiled."""

    def bundle(references):
        faulty.asked = references
        paths = [f"/{reference.rpartition('/')[2]}" for reference in references]
        held = {f"MAST_2024{path}": faulty.files[path] for path in paths if path not in without}
        held |= {f"MAST_2024/{name}.fits": content for name, content in spoiled.items()}
        faulty.files["/bundle.tar"] = tar_of(files={**held, "MAST_2024/MANIFEST.HTML": b"<html>"})
        return WebFile(f"{faulty.url}/bundle.tar", form=tuple(("uri", one) for one in references))

    return bundle


def test_a_bundle_leaves_what_single_files_would(faulty, tmp_path):
    sources = put(faulty, 20)
    bundled = fetch_bundled(sources, tmp_path / "a", bundle_of(faulty))
    single = fetch_all(sources, tmp_path / "b")
    assert faulty.counts["/bundle.tar"] == 1
    assert sum(faulty.counts.values()) == 21
    assert bundled.n_fetched == 20
    assert [(f.name, f.reference, f.sha256) for f in bundled] == [(f.name, f.reference, f.sha256) for f in single]
    assert {path.name for path in (tmp_path / "a").iterdir()} == {MANIFEST, *(f.name for f in single)}


def test_only_what_is_missing_is_bundled(faulty, tmp_path):
    sources = put(faulty, 6)
    fetch_all(sources[:3], tmp_path)
    fetch_bundled(sources, tmp_path, bundle_of(faulty))
    assert faulty.asked == [source.reference for source in sources[3:]]
    faulty.requests.clear()
    assert fetch_bundled(sources, tmp_path, bundle_of(faulty)).n_fetched == 0
    assert not faulty.requests


def test_what_a_bundle_lacks_comes_by_itself(faulty, tmp_path):
    sources = put(faulty, 5)
    manifest = fetch_bundled(sources, tmp_path, bundle_of(faulty, without=("/f2.fits",), f3=b"<html>no</html>"))
    assert manifest.n_fetched == 5
    assert [path.read_bytes() for path in manifest.paths] == [faulty.files[f"/f{n}.fits"] for n in range(5)]
    assert faulty.counts["/f2.fits"] == faulty.counts["/f3.fits"] == 1


def test_a_service_that_refuses_a_bundle_is_asked_for_single_files(faulty, tmp_path):
    sources = put(faulty, 3)
    faulty.faults["/bundle.tar"] = [413]
    assert len(fetch_bundled(sources, tmp_path, bundle_of(faulty), limits=QUICK)) == 3


def test_what_no_way_brings_is_told(faulty, tmp_path):
    sources = put(faulty, 3)
    del faulty.files["/f1.fits"]
    with pytest.raises(IncompleteError, match="1 of 3 files are missing"):
        fetch_bundled(sources, tmp_path, bundle_of(faulty, without=("/f1.fits",)), limits=QUICK)


def test_a_damaged_bundle_leaves_nothing(faulty, tmp_path):
    sources = put(faulty, 3)
    make = bundle_of(faulty)

    def damaged(references):
        source = make(references)
        faulty.files["/bundle.tar"] = faulty.files["/bundle.tar"][:9000]
        return source

    with pytest.raises(BadAnswerError, match="damaged, or not whole"):
        fetch_bundled(sources, tmp_path, damaged)
    assert list(tmp_path.iterdir()) == []
