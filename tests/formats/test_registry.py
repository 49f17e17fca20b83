"""How a format is found."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skydex.errors import UnreadableFileError, UnsupportedFormatError
from skydex.formats import Format, Registry, format_of_file, format_of_suffix, get_format, readable, writable

VOTABLE = b'<?xml version="1.0"?>\n<VOTABLE version="1.4"></VOTABLE>'


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("votable", "votable"),
        ("VOTable", "votable"),
        ("application/x-votable+xml", "votable"),
        ("Application/X-VOTable+XML", "votable"),
        ("text/xml", "votable"),
        ("application/x-votable+xml;serialization=TABLEDATA", "votable/td"),
        ("application/x-votable+xml; serialization=tabledata", "votable/td"),
        ('application/x-votable+xml;serialization="BINARY2"', "votable"),
        ("application/x-votable+xml;serialization=binary", "votable/b"),
        ("application/x-votable+xml;content=datalink", "votable"),
        ("application/x-votable+xml;content=datalink;serialization=TABLEDATA", "votable/td"),
        ("application/x-votable xml", "votable"),
        ("votable/td", "votable/td"),
        ("csv", "csv"),
        ("text/csv;header=present", "csv"),
        ("application/fits", "fits"),
        ("application/vnd.apache.parquet", "parquet"),
        ("application/vnd.apache.arrow.stream", "arrow"),
    ],
)
def test_formats_have_names_and_media_types(asked, name):
    assert get_format(asked).name == name


@pytest.mark.parametrize("asked", ["pdf", "", "application/x-votable+xml;serialization=FITS", "text/css"])
def test_what_is_not_offered_is_an_error_that_lists_what_is(asked):
    with pytest.raises(UnsupportedFormatError, match="votable"):
        get_format(asked)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("x.vot", "votable"),
        ("X.VOT.GZ", "votable"),
        ("a.b.csv.gz", "csv"),
        ("a.fits.gz", "fits"),
        ("a.parquet", "parquet"),
        ("a.arrow", "arrow"),
        ("a.tsv.bz2", "tsv"),
    ],
)
def test_file_names_ask_for_formats(file, name):
    assert format_of_suffix(file).name == name


def test_a_name_that_asks_for_nothing_known_is_an_error():
    with pytest.raises(UnsupportedFormatError, match=r"\.vot"):
        format_of_suffix("thesis.docx")


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["x.csv", "x", "x.fits", "x.vot", "x.dat"])
def test_content_outweighs_the_suffix(tmp_path, name, compress):
    file = tmp_path / name
    file.write_bytes(compress(VOTABLE))
    assert format_of_file(file).name == "votable"


def test_a_directory_is_parquet(tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    assert format_of_file(tmp_path).name == "parquet"


def test_a_file_that_nothing_knows_is_an_error(tmp_path):
    file = tmp_path / "x.unheard_of"
    file.write_bytes(b"\x00\x01\x02")
    with pytest.raises(UnreadableFileError):
        format_of_file(file)


def test_names_and_media_types_are_each_of_one_format():
    names = [name.lower() for kind in writable() for name in (kind.name, kind.media_type, *kind.aliases)]
    assert len(set(names)) == len(names)


def test_every_format_reads_or_writes():
    assert all(kind.read or kind.write for kind in Registry([*readable(), *writable()]).all)


def test_outside_packages_bring_formats(monkeypatch):
    brought = Format(name="asdf", media_type="application/x-asdf", suffixes=(".asdf",))

    class Point:
        def load(self) -> Format:
            return brought

    monkeypatch.setattr("skydex.formats.registry.entry_points", lambda group: [Point()])
    assert Registry(()).get_format("ASDF") is brought


def test_importing_formats_does_not_import_astropy():
    code = "import skydex.formats, sys; sys.exit(any(name.startswith('astropy') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
