"""Every answer that real services gave, and every VOTable of others, as a table of ours beside astropy's.

`recorded_answers.csv` lists them all: those that are read, with the number of rows and columns, and those that are no
table or are refused, with the reason that the error gives. What is no table is read by the protocol that it belongs to.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import ascii as astropy_ascii
from astropy.io.votable import parse
from astropy.table import QTable, Table
from astropy.units import UnrecognizedUnit

from skydex.client.answers import result_of_answer
from skydex.connection.astropy_columns import unit_of
from skydex.connection.rows import ResultTable, result_table
from skydex.errors import BadAnswerError, RefusedError, SkydexError

VERDICTS = list(csv.DictReader((Path(__file__).parent / "recorded_answers.csv").read_text("utf-8").splitlines()))
READ = [verdict for verdict in VERDICTS if verdict["verdict"] == "read"]
OTHERS = [verdict for verdict in VERDICTS if verdict["verdict"] != "read"]
FOLDERS = ("services", "votable")
MEDIA_TYPES = {".json": "application/json", ".csv": "text/csv"}
"""What a server says of files that do not tell by themselves."""
ASTROPY_FAILS = {
    "votable/astropy/no_field_not_empty_table.xml": "rows without columns",
    "votable/carta/array_types.xml": "arrays of texts",
    "votable/cds_rust/stilts_all_but_k_test.expect.2.vot": "arrays of texts",
    "votable/cds_rust/stilts_all_but_k_test.expect.3.vot": "arrays of texts",
    "votable/cds_rust/stilts_all_but_k_test.expect.vot": "arrays of texts",
    "votable/cds_rust/stilts_all_but_k_test.vot": "arrays of texts",
    "votable/cds_rust/vot_with_empty_prec.vot": 'precision=""',
    "votable/mivot/snippets/test_rich_instance_ko_1_votable.xml": "a later table, which is broken",
}
"""Files that we read and astropy does not, and what it stumbles over."""
ASCII = {
    ".tbl": {"format": "ipac"},
    "tally.out": {"format": "no_header"},
    ".csv": {"format": "csv"},
    ".ecsv": {"format": "ecsv"},
    "alfalfa_cat_small.txt": {"format": "csv"},
    "photometry_csv.txt": {"format": "csv", "comment": "#"},
    "single_spectrum_csv.txt": {"format": "csv", "comment": "#"},
    "xid_sp.txt": {"format": "csv", "comment": "#"},
    ".txt": {"format": "ipac"},
}
"""How astropy is told to read a text; by the first ending that fits."""


def test_every_recorded_answer_has_its_verdict(shared_data: Path) -> None:
    files = (file for folder in FOLDERS for file in (shared_data / folder).rglob("*") if file.is_file())
    assert {str(file.relative_to(shared_data)) for file in files} == {verdict["file"] for verdict in VERDICTS}


def answer(file: Path) -> ResultTable:
    with warnings.catch_warnings(action="error"):
        return result_table(
            result_of_answer([file.read_bytes()], host="there", media_type=MEDIA_TYPES.get(file.suffix, ""))
        )


@pytest.mark.parametrize("verdict", OTHERS, ids=lambda verdict: verdict["file"])
def test_what_is_no_table_is_refused_with_its_reason(verdict: dict[str, str], shared_data: Path) -> None:
    kind = RefusedError if verdict["verdict"] == "refusal" else BadAnswerError
    with pytest.raises(SkydexError) as caught:
        answer(shared_data / verdict["file"])
    assert type(caught.value) is kind
    assert verdict["reason"] in str(caught.value)


@pytest.mark.parametrize("verdict", READ, ids=lambda verdict: verdict["file"])
def test_answer_is_read_as_astropy_reads_it(verdict: dict[str, str], shared_data: Path) -> None:
    ours = answer(shared_data / verdict["file"])
    assert (len(ours), len(ours.colnames)) == (int(verdict["rows"]), int(verdict["columns"]))
    if verdict["file"] in ASTROPY_FAILS:
        return
    theirs, is_old = astropy_table(shared_data / verdict["file"])
    kept = [name for name in theirs.colnames if theirs[name].dtype.kind != "c" and not is_left_out(ours, name)]
    assert [name.removesuffix("_2") for name in ours.colnames] == [name.strip().removesuffix("_2") for name in kept]
    for name, their_name in zip(ours.colnames, kept, strict=True):
        assert same_unit(ours[name], theirs[their_name]), name
        pairs = zip(cells(ours[name]), cells(theirs[their_name]), strict=True)
        assert [pair for pair in pairs if not same(*pair, is_old)] == [], name


def is_left_out(ours: ResultTable, name: str) -> bool:
    """Whether a column cannot be carried; another of the same name may be."""
    return name not in ours.colnames and any(said.startswith(f'Column "{name}" is left out') for said in ours.warnings)


def astropy_table(file: Path) -> tuple[Table, bool]:
    """What astropy reads, and whether it is of a version of VOTable that has no nulls among integers."""
    data = file.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    with warnings.catch_warnings(action="ignore"):
        if b"VOTABLE" in data[:2000].upper():
            document = parse(io.BytesIO(data), verify="ignore", invalid="mask")
            return next(document.iter_tables()).to_table(use_names_over_ids=True), document.version < "1.3"
        if file.suffix == ".json":
            return table_of_json(data), False
        if file.suffix in (".fits", ".parquet"):
            return QTable.read(file), False
        options = next(options for ending, options in ASCII.items() if file.name.endswith(ending))
        return astropy_ascii.read(data.decode().splitlines(), guess=False, **options), False


def table_of_json(data: bytes) -> Table:
    content = json.loads(data)
    names = [column["name"] for column in content["metadata"]]
    values = [np.array(list(column), object) for column in zip(*content["data"], strict=True)]
    table = Table(values, names=names)
    for name, column in zip(names, content["metadata"], strict=True):
        table[name].unit = column["unit"]
    return table


def same_unit(ours: Any, theirs: Any) -> bool:
    """Whether units are the same; one that astropy's table does not know may be understood by us."""
    if theirs.unit is None or not str(theirs.unit):
        return ours.unit is None
    if isinstance(theirs.unit, UnrecognizedUnit):
        return bool(ours.unit == unit_of(str(theirs.unit)))
    return bool(ours.unit == theirs.unit)


def cells(column: Any) -> list[Any]:
    """Values of a column in Python's own types: nothing for what is masked, NaN, or an empty text."""
    mask = getattr(column, "mask", None)
    values = np.ma.MaskedArray(getattr(column, "unmasked", column), mask=mask if np.shape(mask) else False)
    return [plain(value) for value in values]


def plain(value: Any) -> Any:
    if value is None or value is np.ma.masked:
        return None
    if isinstance(value, np.ndarray) and value.ndim:
        found = [plain(element) for element in np.ma.asarray(value).ravel()]
        return found if any(element is not None for element in found) else None
    value = getattr(value, "value", value)
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    value = value.decode() if isinstance(value, bytes) else value
    return None if value == "" or (isinstance(value, float) and math.isnan(value)) else value


def same(ours: Any, theirs: Any, is_old: bool) -> bool:
    if is_old and ours is None and theirs == 0:
        return True  # astropy reads an empty cell of an integer as 0 there; no service means that
    if isinstance(ours, str) and isinstance(theirs, str) and ours != theirs:
        return same_instant(ours, theirs) or ours == theirs.strip()
    if isinstance(theirs, list):
        mine = ours if isinstance(ours, list) else [ours]
        return len(mine) == len(theirs) and all(same(*pair, is_old) for pair in zip(mine, theirs, strict=True))
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours in (
            theirs,
            float(np.float32(theirs)),
        )  # of single precision, which astropy's parser forgets in arrays
    return bool(ours == theirs)


def same_instant(ours: str, theirs: str) -> bool:
    try:
        return bool(np.datetime64(ours) == np.datetime64(theirs.rstrip("Z")))
    except ValueError:
        return False
