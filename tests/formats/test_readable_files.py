"""Every table file of the real data is read with the values that astropy reads, or refused with a reason.

`readable_files.csv` lists them all with their verdicts; a new file must be entered there, a changed verdict too.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import ascii as astropy_ascii
from astropy.io import fits
from astropy.table import Table

from skydex.errors import UnreadableFileError
from skydex.formats import format_of_file
from skydex.formats.compressed import open_decompressed
from skydex.formats.delimited.sniffing import is_null

VERDICTS = list(csv.DictReader((Path(__file__).parent / "readable_files.csv").read_text("utf-8").splitlines()))
FOLDERS = ("catalogues", "fits_tables", "ascii", "hats/import_formats")
OF_OTHERS = (".parquet", ".vot", ".vot.gz")

BLANKS = {"format": "no_header", "delimiter": r"\s", "comment": "#"}
BARS = {"format": "basic", "delimiter": "|"}
ASTROPY = {
    "ascii/apostrophe.tab": {"format": "tab", "quotechar": "\x01"},
    "ascii/apostrophe.rdb": {"format": "rdb"},
    "ascii/bars_at_ends.txt": BARS,
    "ascii/nls1_stackinfo.dbout": BARS | {"data_start": 2},
    "ascii/commented_header2.dat": {"format": "commented_header", "header_start": -1},
    "ascii/fill_values.txt": {"format": "csv"},
    "ascii/fixed_width_2_line.txt": {"format": "fixed_width_two_line"},
    "ascii/history_mesa.data": {"format": "mesa"},
    "ascii/profile_mesa.data": {"format": "mesa"},
    "ascii/html.html": {"format": "html"},
    "ascii/latex1.tex": {"format": "latex"},
    "ascii/latex3.tex": {"format": "latex"},
    "ascii/simple.txt": {"format": "basic", "quotechar": "'"},
    "ascii/simple2.txt": BARS,
    "ascii/simple3.txt": BARS,
    "ascii/simple4.txt": {"format": "no_header", "delimiter": "|"},
    "ascii/space_delim_blank_lines.txt": {"format": "basic"},
    "ascii/test5.dat": {"format": "basic", "header_start": 1, "data_start": 3},
    "ascii/cds_mrt_dashes.txt": {"format": "mrt"},
    "ascii/no_data_cds.dat": {"format": "mrt"},
    "ascii/cds/cds/glob/lmxbrefs.dat": {"format": "cds", "readme": "ReadMe"},
    "ascii/cds/cds/multi/lhs2065.dat": {"format": "cds", "readme": "ReadMe"},
    "ascii/cds/cds/multi/lp944-20.dat": {"format": "cds", "readme": "ReadMe"},
    "ascii/cds/cds/null/table.dat": {"format": "cds", "readme": "ReadMe"},
    "catalogues/csc/TD_MRT.dat": {"format": "mrt"},
    "hats/import_formats/pipe_delimited.csv": {"format": "no_header", "delimiter": "|"},
    "hats/import_formats/gaia_minimum.csv": {"format": "csv", "comment": "#"},
}
"""How astropy is told to read a file, where its ending does not say it."""
OUTER_BARS = ("ascii/bars_at_ends.txt", "ascii/nls1_stackinfo.dbout")
"""Astropy takes what is outside of the outer bars for empty columns."""
BY_PATTERN = {
    r"\.ecsv$": {"format": "ecsv"},
    r"\.csv$": {"format": "csv"},
    r"ipac\.dat": {"format": "ipac"},
    r"daophot": {"format": "daophot"},
    r"sextractor": {"format": "sextractor"},
    r"\.rdb": {"format": "rdb"},
    r"\.tsv\.gz$": {
        "format": "no_header",
        "delimiter": "\t",
        "quotechar": "\x01",
        "fill_values": [("\\N", "0"), ("", "0")],
    },
    r"": BLANKS,
}


def test_every_file_has_its_verdict(shared_data: Path) -> None:
    present = {
        str(file.relative_to(shared_data))
        for folder in FOLDERS
        for file in (shared_data / folder).rglob("*")
        if file.is_file() and not file.name.endswith(OF_OTHERS)
    }
    assert present == {verdict["file"] for verdict in VERDICTS}


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict["file"])
def test_file_is_read_as_astropy_reads_it_or_refused(verdict: dict[str, str], shared_data: Path) -> None:
    file = shared_data / verdict["file"]
    if verdict["verdict"] == "refused":
        with pytest.raises(UnreadableFileError, match=re.escape(verdict["reason"])):
            format_of_file(file).read(file, {})
        return
    kind = format_of_file(file)
    assert kind.name == verdict["format"]
    sources = kind.read(file, {})
    tables = [pa.Table.from_batches(source.open_batches(), _schema(source)) for source in sources]
    assert "+".join(str(table.num_rows) for table in tables) == verdict["rows"]
    assert "+".join(str(table.num_columns) for table in tables) == verdict["columns"]
    assert all(source.n_rows in (None, table.num_rows) for source, table in zip(sources, tables, strict=True))
    for table, truth in zip(tables, _astropy_tables(file, verdict["file"]), strict=True):
        left_out = [name for name in truth if name not in table.column_names] if kind.name == "fits" else []
        assert len(table.column_names) == len(truth) - len(left_out)
        for place, (name, theirs) in enumerate((n, t) for n, t in truth.items() if n not in left_out):
            problem = _difference(table.column(place), theirs)
            assert problem is None, f"{name}: {problem}"


def _schema(source: Any) -> pa.Schema:
    from skydex.tables import arrow_schema

    return arrow_schema(source.columns)


def _astropy_tables(file: Path, name: str) -> list[dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if re.search(r"\.fits?$", name):
            return _fits_tables(file)
        options = dict(ASTROPY.get(name) or next(kw for pattern, kw in BY_PATTERN.items() if re.search(pattern, name)))
        content: Any = str(file)
        if "readme" in options:
            options["readme"] = str(file.parent / options["readme"])
        elif name.endswith(".tsv.gz"):
            text = gzip.decompress(file.read_bytes()).decode("latin-1")
            content = text.replace("\\\t", "\\t").split("\n")
        elif name.endswith(".zip"):
            content = zipfile.ZipFile(file).read("catalog.csv").decode().splitlines()
            options = {"format": "csv"}
        elif re.search(r"\.(bz2|xz)$", name):
            with open_decompressed(file) as stream:
                content = stream.read().decode().splitlines()
        table: Table = astropy_ascii.read(content, guess=False, **options)
        of_bars = re.compile(r"col\d+|_\d*|rad_1" if name in OUTER_BARS else "-")
        kept = [column for column in table.colnames if not of_bars.fullmatch(column)]
        return [{column: None if _are_texts_of_truth(table, column) else table[column] for column in kept}]


def _are_texts_of_truth(table: Table, column: str) -> bool:
    """Gaia's arrays of `"False"`, which astropy takes for true; `test_ecsv` has them."""
    return table.meta.get("RELEASE") == "Gaia DR3" and "_flag_" in column


def _fits_tables(file: Path) -> list[dict[str, Any]]:
    with fits.open(file, memmap=False) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        tables = [hdu for hdu in tables if not isinstance(hdu, fits.CompImageHDU)]
        return [{column.name: _field(hdu, column) for column in hdu.columns} for hdu in tables]


def _field(hdu: Any, column: Any) -> Any:
    try:
        values = hdu.data.field(column.name)
    except (ValueError, TypeError):  # astropy 8.0 cannot apply some offsets
        return None
    if column.null is not None and np.asarray(values).dtype.kind in "iu":
        return np.ma.masked_equal(values, column.null) if isinstance(column.null, int) else values
    return values


def _difference(ours: pa.ChunkedArray, theirs: Any) -> str | None:
    """The first value in which two columns differ."""
    if theirs is None:
        return None
    if _equal_numbers(ours, theirs):
        return None
    mask = np.ma.getmaskarray(np.ma.asarray(theirs)) if np.asarray(theirs).dtype != object else None
    for row, (one, other) in enumerate(zip(ours.to_pylist(), np.ma.getdata(theirs), strict=True)):
        missing = bool(np.all(mask[row])) if mask is not None else other is np.ma.masked
        if not _agree(one, None if missing else other):
            return f"row {row}: {one!r} is not {other!r}"
    return None


def _equal_numbers(ours: pa.ChunkedArray, theirs: Any) -> bool:
    """Whether two columns of numbers are the same, bit for bit, and null at the same rows."""
    if not (pa.types.is_floating(ours.type) or pa.types.is_integer(ours.type)) or np.ndim(theirs) != 1:
        return False
    if np.ma.asarray(theirs).dtype.kind not in "iuf" or (ours.null_count and pa.types.is_integer(ours.type)):
        return False
    both = (ours.to_numpy(), np.ma.filled(np.ma.asarray(theirs).astype(ours.to_numpy().dtype), np.nan))
    return bool(np.array_equal(*both, equal_nan=ours.to_numpy().dtype.kind == "f"))


def _agree(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return _same_arrays(one, other)
    if (
        isinstance(other, np.ndarray) and other.dtype.kind in "UO"
    ):  # arrays of texts, carried as JSON; astropy's null is the text "None"
        texts = [] if one is None else json.loads(one)
        return [text or "" for text in texts] == ["" if text == "None" else str(text or "") for text in other.tolist()]
    other = other.item() if isinstance(other, np.ndarray | np.generic) and np.size(other) == 1 else other
    other = other.decode("latin-1") if isinstance(other, bytes) else other
    if one is None and isinstance(other, np.ndarray):
        return other.size == 0 or bool(np.ma.getmaskarray(other).all())
    if one is None:
        return other is None or other is False or other == 0 or other != other or is_null(str(other)) or other == "N/A"
    if isinstance(one, bool):
        return str(other).strip().lower() == str(one).lower()
    if isinstance(other, str) or other is None:
        return str(one).strip() == (other or "").strip()
    if isinstance(one, str):  # labels with leading zeros, which astropy takes for numbers
        return json.loads(one) == other if isinstance(other, list) else float(one) == float(other)
    return one == other or (one != one and other != other) or abs(one - other) <= 1e-6 * abs(other)


def _same_arrays(one: list[Any], other: Any) -> bool:
    if other is None:
        return all(value is None for value in one)
    theirs = np.ma.asarray(other if not isinstance(other, str) else [])
    if theirs.dtype.kind == "c":
        theirs = np.stack([theirs.real, theirs.imag], axis=-1)
    flat = [None if value is np.ma.masked else value for value in theirs.ravel()]
    return len(one) == len(flat) and all(map(_agree, one, flat))
