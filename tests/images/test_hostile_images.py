"""R17: files that lie about themselves are refused with a reason, before anything is allocated for them."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from skydex.errors import DamagedDataError, NoPositionError, SkydexError, UnreadableFileError
from skydex.images import Box, Image, ImageLimits, cut, index_fits, open_pixels, survey_fits, to_fits
from skydex.images.fits_files import Access


def card(keyword: str, value: object) -> bytes:
    return f"{keyword:<8}= {value!s:>20}".ljust(80).encode()


def header(*cards: tuple[str, object], end: bool = True) -> bytes:
    text = b"".join(card(*one) for one in cards) + (b"END".ljust(80) if end else b"")
    return text + b" " * (-len(text) % 2880)


def image(*axes: object, bitpix: object = 16, more: tuple[tuple[str, object], ...] = ()) -> bytes:
    sides = tuple((f"NAXIS{n}", side) for n, side in enumerate(axes, start=1))
    return header(("SIMPLE", "T"), ("BITPIX", bitpix), ("NAXIS", len(axes)), *sides, *more)


LIES = {
    "no FITS file": (b"<html>" * 1000, "does not begin with SIMPLE"),
    "nothing": (b"", "does not begin with SIMPLE"),
    "huge sides": (image(10**8, 10**8), "truncated"),
    "sides beyond any file": (image(10**17, 10**17), "larger than any file"),
    "sides that are no numbers": (image("9" * 60, 10), "NAXIS1 is missing, or no whole number"),
    "negative side": (image(-5, 10), "NAXISn is negative"),
    "missing side": (header(("SIMPLE", "T"), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", 5)), "NAXIS2 is missing"),
    "many axes": (header(("SIMPLE", "T"), ("BITPIX", 8), ("NAXIS", 10**6)), "NAXIS is 1000000"),
    "strange type": (image(5, 5, bitpix=7), "BITPIX is 7"),
    "no END": (header(("SIMPLE", "T"), ("BITPIX", 8), ("NAXIS", 0), end=False), "no END: the file is truncated"),
    "a header without end": (b"SIMPLE  = ".ljust(2880) + b"COMMENT ".ljust(80) * 300_000, "no END within 16 MB"),
    "truncated": (image(100, 100) + bytes(15_000), "truncated"),
    "negative groups": (image(5, 5, more=(("GCOUNT", -1),)) + bytes(2880), "GCOUNT is negative"),
}


@pytest.mark.parametrize("lie", LIES)
def test_r17_files_that_lie_are_refused_with_a_reason(tmp_path, lie):
    content, reason = LIES[lie]
    path = tmp_path / "it.fits"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(UnreadableFileError, match=reason) as caught:
        index_fits(path)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert str(tmp_path) not in str(caught.value)


def test_r17_what_comes_before_the_damage_is_still_good(tmp_path):
    path = tmp_path / "it.fits"
    good, bad = np.arange(100, dtype="i2").reshape(10, 10), np.zeros((200, 200), "f4")
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(good, name="SCI"), fits.ImageHDU(bad, name="ERR")]).writeto(path)
    path.write_bytes(path.read_bytes()[:-30_000])
    survey = survey_fits(path)
    assert [found.extension for found in survey.images] == ["SCI"]
    assert survey.refusals == ("HDU 2 ends before its data do: the file is truncated, or its header is wrong",)


def test_r17_a_packed_bomb_is_stopped_at_the_limit(tmp_path):
    path = tmp_path / "bomb.fits.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(image(30_000, 5_000))
        for _ in range(300):
            file.write(bytes(1_000_000))
    assert path.stat().st_size < 500_000
    tracemalloc.start()
    with pytest.raises(UnreadableFileError, match="unpacks to more than 100 MB, which is the limit"):
        index_fits(path, limits=ImageLimits(unpacked_mb=100))
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_r17_damaged_packed_files_are_refused(tmp_path):
    path = tmp_path / "it.fits.gz"
    packed = gzip.compress(image(100, 100) + random.Random(5).randbytes(20160))
    for damaged in (packed[:-2000], packed[:3000] + b"xxxx" + packed[3004:]):
        path.write_bytes(damaged)
        with pytest.raises(UnreadableFileError, match="damaged"):
            index_fits(path)


def tiled(path: Path, **values: object) -> None:
    fits.CompImageHDU(np.arange(10_000, dtype="i4").reshape(100, 100)).writeto(path, overwrite=True)
    raw = path.read_bytes()
    for keyword, value in values.items():
        at = raw.index(f"{keyword:<8}=".encode())
        raw = raw[:at] + card(keyword, value) + raw[at + 80 :]
    path.write_bytes(raw)


TILE_LIES = {
    "one tile of everything": ({"ZNAXIS1": 40_000, "ZNAXIS2": 40_000, "ZTILE1": 40_000, "ZTILE2": 40_000}, "its tiles"),
    "sides beyond any": ({"ZNAXIS1": 10**9}, "the limit is 10,000,000 each way"),
    "more tiles than rows": ({"ZNAXIS2": 5000}, "does not fit its tiles"),
    "no tile": ({"ZTILE1": 0}, "ZTILEn is not positive"),
    "a negative tile": ({"ZTILE2": -1}, "ZTILEn is not positive"),
    "strange algorithm": ({"ZCMPTYPE": "'LZMA'"}, "compressed by LZMA"),
    "strange type": ({"ZBITPIX": 13}, "ZBITPIX is 13"),
    "strange column": ({"TFORM1": "'1QQ(9)'"}, "does not fit its tiles|makes no sense"),
    "block of everything": ({"ZVAL1": 10**9}, "BLOCKSIZE or BYTEPIX"),
}


@pytest.mark.parametrize("lie", TILE_LIES)
def test_r17_tiles_that_lie_are_refused_with_a_reason(tmp_path, lie):
    values, reason = TILE_LIES[lie]
    path = tmp_path / "it.fits"
    tiled(path, **values)
    with pytest.raises(UnreadableFileError, match=reason):
        index_fits(path)


def test_r17_a_file_that_changes_after_it_was_registered_is_noticed(tmp_path):
    path = tmp_path / "it.fits"
    data = np.arange(10_000, dtype="i4").reshape(100, 100)
    fits.PrimaryHDU(data).writeto(path)
    access = index_fits(path)[0].access
    pixels = open_pixels("fits", str(path), access)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(DamagedDataError, match="ingest it again"):
        pixels.read(0, 100, 0, 100)
    with pytest.raises(DamagedDataError, match="ingest it again"):
        open_pixels("fits", str(path), access)
    fits.PrimaryHDU(data, fits.Header({"OBJECT": "another"})).writeto(path, overwrite=True)
    with pytest.raises(DamagedDataError, match="ingest it again"):
        open_pixels("fits", str(path), access)
    path.unlink()
    with pytest.raises(DamagedDataError, match="cannot be read any more") as caught:
        pixels.read(0, 1, 0, 1)
    assert str(path) not in str(caught.value)


@pytest.mark.parametrize("algorithm", ["RICE_1", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1", "NOCOMPRESS"])
def test_r17_damaged_tiles_are_errors_or_numbers_and_nothing_worse(tmp_path, algorithm):
    path, rng = tmp_path / "it.fits", random.Random(algorithm)
    fits.CompImageHDU(np.random.default_rng(1).integers(0, 900, (60, 80), "i4"), compression_type=algorithm).writeto(
        path
    )
    raw = path.read_bytes()
    with fits.open(path) as hdus:
        begin = hdus[1]._bintable._data_offset
    for _ in range(60):
        damaged = bytearray(raw)
        for _ in range(rng.choice((1, 3, 40))):
            damaged[rng.randrange(begin, len(raw))] = rng.randrange(256)
        path.write_bytes(damaged)
        with suppress(DamagedDataError):
            assert cut(Image("it", open_pixels("fits", str(path), b"")), Box(0, 0, 80, 60)).data.shape == (60, 80)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore")
def test_r17_mutated_headers_raise_only_declared_errors(tmp_path, seed):
    mutate(tmp_path, random.Random(seed), 60)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_r17_many_mutated_headers_raise_only_declared_errors(tmp_path):
    mutate(tmp_path, random.Random(99), 5_000)


def mutate(directory: Path, rng: random.Random, n_rounds: int) -> None:
    """Change some bytes or words of headers, and do with the file what is done with images."""
    source, path = directory / "good.fits", directory / "it.fits"
    words = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CRPIX1": 5.0, "CRVAL1": 10.0, "CRVAL2": 20.0}
    words |= {"CRPIX2": 5.0, "CDELT1": -1e-4, "CDELT2": 1e-4, "A_ORDER": 2, "A_2_0": 1e-5, "B_ORDER": 2, "BZERO": 1.5}
    good = np.arange(400, dtype="i2").reshape(20, 20)
    hdus = [fits.PrimaryHDU(good, fits.Header(words)), fits.CompImageHDU(good, fits.Header(words), name="C")]
    fits.HDUList([*hdus, fits.ImageHDU(good.astype("f4"))]).writeto(source)
    raw = source.read_bytes()
    for _ in range(n_rounds):
        changed = bytearray(raw)
        for _ in range(rng.choice((1, 2, 8))):
            at = rng.randrange(len(raw) // 80) * 80
            part = rng.choice((at, at + 10, at + 25, at + 29, at + rng.randrange(80)))
            word = rng.choice(
                (b"-", b"9" * 18, b"NaN", b"1E999", b"'", b"0", b"\x00", b"\xff", b"T", b" " * 20, b"/", b"=")
            )
            changed[part : part + len(word)] = word
        path.write_bytes(changed[: len(raw)])
        try:
            found = survey_fits(path).images
        except UnreadableFileError:
            continue
        for one in found:
            try:
                opened = Image("it", open_pixels("fits", str(path), one.access))
                assert to_fits(cut(opened, Box.centred(3, 4, 9, 9)))
                opened.pixels_of(10, 20)
            except (SkydexError, NoPositionError):
                pass


def test_r17_a_large_sparse_image_is_cut_with_little_memory(tmp_path):
    path = tmp_path / "large.fits"
    with path.open("wb") as file:
        file.write(image(50_000, 50_000, bitpix=-32))
        file.truncate(2880 + 10_000_000_000 + 2880)
    tracemalloc.start()
    opened = Image("large", open_pixels("fits", str(path), index_fits(path)[0].access))
    assert cut(opened, Box(49_000, 49_000, 256, 256)).data.sum() == 0
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_r17_a_bomb_in_a_tile_is_stopped(tmp_path):
    path = tmp_path / "it.fits"
    fits.CompImageHDU(np.zeros((4, 40), "i4"), compression_type="GZIP_1", tile_shape=(4, 40)).writeto(path)
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = bomb.compress(bytes(3_000_000)) + bomb.flush()
    raw = path.read_bytes()
    with fits.open(path) as hdus:
        table = hdus[1]._bintable
        begin, heap = table._data_offset, table._data_offset + table._theap
    at = raw.index(b"PCOUNT  =")
    raw = raw[:at] + card("PCOUNT", len(packed)) + raw[at + 80 : begin]
    path.write_bytes(raw + np.array([len(packed), 0], ">i4").tobytes() + bytes(heap - begin - 8) + packed + bytes(2880))
    with pytest.raises(DamagedDataError):
        cut(Image("it", open_pixels("fits", str(path), b"")), Box(0, 0, 4, 4))


def test_r17_an_image_is_opened_with_the_limits_it_was_registered_with(tmp_path):
    path = tmp_path / "it.fits"
    fits.CompImageHDU(np.zeros((1100, 1000), "i2"), tile_shape=(1100, 1000)).writeto(path)
    (found,) = index_fits(path, limits=ImageLimits(tile_mpix=2))
    assert Access.from_bytes(found.access).limits == ImageLimits(tile_mpix=2)
    noted = found.access.replace(b'"tile_mpix":2', b'"tile_mpix":1')
    assert open_pixels("fits", str(path), found.access).read(0, 1, 0, 1) == 0
    with pytest.raises(DamagedDataError):
        open_pixels("fits", str(path), noted)


TYPES = (("CTYPE1", "'RA---TAN'"), ("CTYPE2", "'DEC--TAN'"))
TAN = (*TYPES, ("CRVAL1", 10), ("CRVAL2", 20), ("CD1_1", -1e-4), ("CD2_2", 1e-4))


@pytest.mark.parametrize("keyword", ["WCSAXES", "WCSAXESB"])
def test_r17_a_wcs_of_very_many_axes_does_not_reach_the_library_which_would_end_the_process(tmp_path, keyword):
    path = tmp_path / "it.fits"
    path.write_bytes(image(10, 10, more=(*TAN, (keyword, 100_000_000))) + bytes(2880))
    (found,) = index_fits(path)
    opened = Image("it", open_pixels("fits", str(path), found.access))
    with pytest.raises(NoPositionError):
        opened.pixels_of(10.0, 20.0)


@pytest.mark.parametrize("keyword", ["BLANK", "BSCALE", "BZERO", "CRPIX1", "LTV1"])
def test_r17_a_number_beyond_all_numbers_is_none(tmp_path, keyword):
    path = tmp_path / "it.fits"
    path.write_bytes(image(10, 10, more=(*TAN, (keyword, "1E400"))) + bytes(2880))
    (found,) = index_fits(path)
    opened = Image("it", open_pixels("fits", str(path), found.access))
    assert (cut(opened, Box(2, 2, 5, 5)).data == 0).all()


def test_r17_headers_without_end_in_a_small_packed_file_are_stopped(tmp_path):
    path = tmp_path / "it.fits.gz"
    padding = b"COMMENT ".ljust(80) * 150_000
    more = header(("XTENSION", "'IMAGE   '"), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", 1), ("NAXIS2", 1))
    more = more.rstrip()[:-3].rstrip().ljust(400) + padding + b"END".ljust(80)
    more += b" " * (-len(more) % 2880)
    with gzip.open(path, "wb", 1) as file:
        file.write(image(10, 10) + bytes(2880))
        for _ in range(8):
            file.write(more + bytes(2880))
    survey = survey_fits(path)
    assert "64 MB" in survey.refusals[-1]
    assert len(survey.images) == 6
