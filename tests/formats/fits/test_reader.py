"""FITS in: every kind of column, compressed files, and headers that lie."""

from __future__ import annotations

import bz2
import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits

from skydex.errors import UnreadableFileError
from skydex.formats.fits import read_fits
from skydex.tables import arrow_schema


def table_of(file: Path) -> pa.Table:
    (source,) = read_fits(file, {})
    return pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))


def save(file: Path, *columns: fits.Column, **cards: Any) -> Path:
    hdu = fits.BinTableHDU.from_columns(list(columns))
    hdu.header.update(cards)
    hdu.writeto(file)
    return file


def edited(file: Path, key: str, value: str) -> Path:
    """The file with the value of a card replaced, whatever it says."""
    raw = file.read_bytes()
    start = raw.index(f"{key:<8}=".encode(), 2880)
    file.write_bytes(raw[: start + 10] + f"{value:>20}".encode() + raw[start + 30 :])
    return file


def test_unsigned_integers_are_carried_in_the_next_wider_type(tmp_path: Path) -> None:
    values = {"u2": [0, 65535], "u4": [0, 2**32 - 1], "u8": [0, 2**63 - 1]}
    columns = [
        fits.Column(name, form, bzero=zero, array=np.array(values[name], np.dtype(name)))
        for name, form, zero in (("u2", "I", 2**15), ("u4", "J", 2**31), ("u8", "K", 2**63))
    ]
    table = table_of(save(tmp_path / "t.fits", *columns))
    assert table.to_pydict() == values
    assert [str(kind) for kind in table.schema.types] == ["int32", "int64", "int64"]


def test_unsigned_integers_beyond_63_bits_are_left_out_by_name(tmp_path: Path) -> None:
    big = fits.Column("big", "K", bzero=2**63, array=np.array([1, 2**64 - 1], np.uint64))
    (source,) = read_fits(save(tmp_path / "t.fits", big, fits.Column("n", "J", array=[1, 2])), {})
    assert [column.name for column in source.columns] == ["n"]
    assert source.warnings == ('Column "big" is left out: it holds unsigned integers over 2^63 - 1.',)


def test_scaled_integers_become_doubles_and_nulls_stay_nulls(tmp_path: Path) -> None:
    file = save(tmp_path / "t.fits", fits.Column("m", "I", null=-1, array=np.array([100, -1], np.int16)))
    with fits.open(file, mode="update") as hdus:
        hdus[1].header["TSCAL1"], hdus[1].header["TZERO1"] = 0.5, 10.0
    assert table_of(file).to_pydict() == {"m": [60.0, None]}


def test_bits_become_truth_values_and_complex_numbers_pairs(tmp_path: Path) -> None:
    bits = fits.Column("bits", "5X", array=np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 1]], bool))
    waves = fits.Column("waves", "C", array=np.array([1 + 2j, -3j], np.complex64))
    file = save(tmp_path / "t.fits", bits, waves)
    assert table_of(file).to_pydict() == {
        "bits": [[True, False, True, True, False], [False, False, False, False, True]],
        "waves": [[1.0, 2.0], [0.0, -3.0]],
    }
    assert "pairs of real and imaginary" in read_fits(file, {})[0].warnings[0]


@pytest.mark.parametrize("letter", "PQ")
def test_arrays_on_the_heap_are_read_even_where_they_overlap_or_lie_apart(letter: str, tmp_path: Path) -> None:
    ragged = np.array([[1, 2, 3], [], [4, 5]], dtype=object)
    texts = np.array(["abc", "", "de"], dtype=object)
    file = save(
        tmp_path / "t.fits",
        fits.Column("a", f"{letter}J()", array=ragged),
        fits.Column("t", f"{letter}A()", array=texts),
    )
    assert table_of(file).to_pydict() == {"a": [[1, 2, 3], [], [4, 5]], "t": ["abc", "", "de"]}


def test_texts_end_at_nul_and_lose_the_blanks_behind_only(tmp_path: Path) -> None:
    texts = np.array([b" a b  ", b"c\0def", b"", b"\xe9t\xe9"], "S6")
    assert table_of(save(tmp_path / "t.fits", fits.Column("t", "6A", array=texts)))["t"].to_pylist() == [
        " a b",
        "c",
        None,
        "été",
    ]


def test_metadata_and_facts_come_from_the_header(tmp_path: Path) -> None:
    columns = [fits.Column("ra", "D", unit="deg", array=[1.0]), fits.Column("t", "D", unit="d", array=[2.0])]
    cards = {"TUCD1": "pos.eq.ra", "TCOMM1": "Right ascension", "RADESYS": "ICRS", "TIMESYS": "TDB", "EXTNAME": "OBS"}
    (source,) = read_fits(save(tmp_path / "t.fits", *columns, **cards), {})
    assert (source.name, source.n_rows) == ("OBS", 1)
    ra = source.columns[0]
    assert (ra.unit, ra.ucd, ra.description) == ("deg", "pos.eq.ra", "Right ascension")
    assert source.facts == {"RADESYS": "ICRS", "TIMESYS": "TDB"}


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_compressed_files_read_as_plain_ones(compress: Any, tmp_path: Path) -> None:
    columns = [fits.Column("n", "J", array=np.arange(100_000)), fits.Column("a", "PI()", array=[[1, 2]] * 100_000)]
    plain = save(tmp_path / "t.fits", *columns)
    packed = tmp_path / "t.fits.z"
    packed.write_bytes(compress(plain.read_bytes()))
    assert table_of(packed).equals(table_of(plain))


def test_batches_are_always_cut_at_the_same_rows(tmp_path: Path) -> None:
    file = save(tmp_path / "t.fits", fits.Column("n", "J", array=np.arange(200_000)))
    (source,) = read_fits(file, {})
    sizes = [[batch.num_rows for batch in source.open_batches()] for _ in range(2)]
    assert sizes[0] == sizes[1]
    assert len(sizes[0]) > 1


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("NAXIS2", "999999999999", "the file ends before"),
        ("NAXIS2", "-5", "not a size"),
        ("NAXIS1", "8000000000000000000", "announces"),
        ("NAXIS1", "3", "columns take 8 bytes"),
        ("PCOUNT", "9999999999", "the file ends before"),
        ("TFIELDS", "12345", "TFIELDS"),
        ("TFORM1", "'7Z      '", "TFORM1"),
        ("BITPIX", "7", "BITPIX"),
    ],
)
def test_headers_that_lie_are_clean_errors(key: str, value: str, words: str, tmp_path: Path) -> None:
    file = save(tmp_path / "t.fits", fits.Column("ra", "D", array=np.arange(10.0)))
    with pytest.raises(UnreadableFileError, match=words):
        read_fits(edited(file, key, value), {})


@pytest.mark.parametrize("size", [10, 2880, 5000, 6000])
def test_cut_files_are_clean_errors(size: int, tmp_path: Path) -> None:
    file = save(tmp_path / "t.fits", fits.Column("ra", "D", array=np.arange(1000.0)))
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(UnreadableFileError):
        read_fits(file, {})


def test_cut_gzip_is_a_clean_error(tmp_path: Path) -> None:
    plain = save(tmp_path / "t.fits", fits.Column("ra", "D", array=np.random.default_rng(1).random(5000)))
    packed = tmp_path / "t.fits.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes())[:20_000])
    with pytest.raises(UnreadableFileError, match="damaged or cut"):
        read_fits(packed, {})


def test_heap_pointers_outside_the_heap_are_clean_errors(tmp_path: Path) -> None:
    file = save(tmp_path / "t.fits", fits.Column("a", "PJ()", array=np.array([[1], [2, 3]], dtype=object)))
    raw = bytearray(file.read_bytes())
    start = len(fits.PrimaryHDU().header.tostring()) + len(fits.getheader(io.BytesIO(raw), 1).tostring())
    raw[start : start + 8] = (10**6).to_bytes(4, "big") + (0).to_bytes(4, "big")
    file.write_bytes(raw)
    with pytest.raises(UnreadableFileError, match="outside the heap"):
        table_of(file)


def test_a_header_without_end_is_a_clean_error(tmp_path: Path) -> None:
    file = tmp_path / "t.fits"
    file.write_bytes(b"SIMPLE  =                    T".ljust(80) + b"COMMENT x".ljust(80) * 500)
    with pytest.raises(UnreadableFileError, match="no END"):
        read_fits(file, {})


def test_tile_compressed_tables_are_left_out_by_name(tmp_path: Path) -> None:
    plain, packed = (fits.BinTableHDU.from_columns([fits.Column("x", "J", array=[1, 2])]) for _ in range(2))
    packed.header["ZTABLE"] = True
    file = tmp_path / "two.fits"
    fits.HDUList([fits.PrimaryHDU(), plain, packed]).writeto(file)
    (source,) = read_fits(file, {})
    assert source.warnings == ("Table 2 is tile-compressed and is left out: it cannot be read",)
