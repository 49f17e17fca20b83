"""Functions in whole queries: in every clause, over uploads and TAP_SCHEMA, and points that they make as geometries."""

from __future__ import annotations

import io

import cdshealpix
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io.votable import from_table, parse, writeto
from astropy.table import MaskedColumn, Table

from skydex.archive import Archive, QueryRequest, Upload

M31 = SkyCoord(10.6847, 41.2687, unit="deg")


@pytest.fixture(scope="module")
def targets() -> Table:
    """Four places, the second without a motion, the last without anything."""
    table = Table()
    table["id"] = np.array([1, 2, 3, 4], "i8")
    table["ra"] = MaskedColumn([10.684708, 10.0, 359.0, 0.0], mask=[0, 0, 0, 1], unit=u.deg)
    table["dec"] = MaskedColumn([41.26875, 20.0, -1.0, 0.0], mask=[0, 0, 0, 1], unit=u.deg)
    table["pm"] = MaskedColumn([3600.0, 0.0, 7200.0, 0.0], mask=[0, 1, 0, 1], unit=u.mas / u.yr)
    table["words"] = ["red#Spiral galaxy", "Aleph", "spiral#red", "-"]
    table["low"] = [0.0, 5.0, 2.0, np.nan]
    return table


@pytest.fixture
def ask(archive: Archive, targets: Table, tmp_path):
    """Rows of a query that may read `TAP_UPLOAD.u`, as astropy reads the answer."""
    file = tmp_path / "u.vot"
    writeto(from_table(targets), str(file))

    def ask(text: str) -> Table:
        answer = archive.answer(QueryRequest(text, uploads=(Upload("u", str(file)),)), "votable")
        return parse(io.BytesIO(b"".join(answer.chunks))).get_first_table().to_table()

    return ask


def cells(order: int, targets: Table) -> list[int]:
    return cdshealpix.lonlat_to_healpix(targets["ra"][:3].quantity, targets["dec"][:3].quantity, depth=order).tolist()


def test_in_the_list_with_nulls(ask, targets):
    table = ask(
        "SELECT id, ivo_healpix_index(6, ra, dec) AS cell, ivo_hasword(words, 'galaxy') AS w, "
        "ivo_hashlist_has(words, 'RED') AS h, ivo_nocasematch(words, 'A%') AS n, IN_UNIT(pm, 'arcsec/yr') AS pm, "
        "ivo_interval_overlaps(low, low + 1, 2, 3) AS o FROM TAP_UPLOAD.u ORDER BY id"
    )
    assert table["cell"][:3].tolist() == cells(6, targets)
    assert table["cell"].mask.tolist() == [False, False, False, True]
    assert [table[name].tolist() for name in ("w", "h", "n")] == [[1, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0]]
    assert table["pm"].unit == u.arcsec / u.yr
    assert table["pm"].tolist() == [pytest.approx(3.6), None, pytest.approx(7.2), None]
    assert table["o"].tolist() == [0, 0, 1, None]


def test_in_conditions_groups_and_orders(ask, targets):
    found = ask("SELECT id FROM TAP_UPLOAD.u WHERE 1 = ivo_hashlist_has(words, 'red') ORDER BY id")
    assert found["id"].tolist() == [1, 3]
    counted = ask(
        "SELECT ivo_hasword(words, 'red') AS r, COUNT(*) AS n, ivo_string_agg(words, '; ') AS all_words, "
        "ivo_histogram(low, 0, 4, 2) AS h FROM TAP_UPLOAD.u GROUP BY ivo_hasword(words, 'red') "
        "HAVING COUNT(ivo_healpix_index(0, ra, dec)) > 0 ORDER BY ivo_hasword(words, 'red') DESC"
    )
    assert counted["r"].tolist() == [1, 0]
    assert counted["n"].tolist() == [2, 2]
    assert counted["all_words"][0] == "red#Spiral galaxy; spiral#red"
    assert [list(bins) for bins in counted["h"]] == [[0, 1, 1, 0], [1, 0, 0, 1]]
    ordered = ask("SELECT id FROM TAP_UPLOAD.u ORDER BY ivo_healpix_index(9, ra, dec)")["id"].tolist()
    assert ordered == [targets["id"][i] for i in np.argsort(cells(9, targets))] + [4]


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ("ivo_epoch_prop_pos(ra, dec, NULL, pm, 0, 0, 2000, 2001)", [0.0, 0.0, 0.0, None]),
        ("ivo_healpix_center(12, ivo_healpix_index(12, ra, dec))", [0.0, 0.0, 0.0, None]),
        (
            "gavo_transform('GALACTIC', 'ICRS', ivo_transform('ICRS', 'GALACTIC', POINT(ra, dec)))",
            [0.0, 0.0, 0.0, None],
        ),
        ("ivo_simbadpoint('M 31')", [0.0, None, None, None]),
    ],
)
def test_points_that_functions_make_are_geometries(point, expected, ask, targets):
    """Points are put out, measured from, and circles and tests are made of them."""
    table = ask(
        f"SELECT {point} AS p, DISTANCE({point}, POINT(ra, dec)) AS d, "
        f"CONTAINS(POINT(ra, dec), CIRCLE({point}, 0.02)) AS c, "
        f"COORD1({point}) AS x, COORD2({point}) AS y FROM TAP_UPLOAD.u ORDER BY id"
    )
    places = SkyCoord(targets["ra"][:3], targets["dec"][:3], unit="deg")
    made = SkyCoord([row["p"] for row in table[:3]], unit="deg")
    np.testing.assert_allclose(table["d"][:3].tolist(), made.separation(places).deg, atol=1e-12)
    assert table["c"].tolist()[:3] == [int(separation <= 0.02) for separation in made.separation(places).deg]
    assert [None if d is None else pytest.approx(d, abs=0.02) for d in expected[:1]] == table["d"].tolist()[:1]
    np.testing.assert_allclose(np.array(table["p"][:3].tolist()).T, [table["x"][:3].tolist(), table["y"][:3].tolist()])
    near = ask(f"SELECT id FROM TAP_UPLOAD.u WHERE 1 = CONTAINS({point}, CIRCLE({M31.ra.deg}, {M31.dec.deg}, 0.05))")
    assert near["id"].tolist() == ([1, 2, 3, 4] if "simbad" in point else [1])


def test_in_joins_of_uploads_with_tables(ask, objects, targets):
    table = ask(
        "SELECT o.objid, u.id FROM demo.objects AS o JOIN TAP_UPLOAD.u AS u "
        "ON ivo_healpix_index(5, o.ra, o.dec) = ivo_healpix_index(5, u.ra, u.dec)"
    )
    own = cdshealpix.lonlat_to_healpix(objects["ra"].to_numpy() * u.deg, objects["dec"].to_numpy() * u.deg, depth=5)
    assert len(table) == int(np.isin(own, cells(5, targets)).sum()) > 0
    moved = ask(
        "SELECT o.objid FROM demo.objects AS o JOIN TAP_UPLOAD.u AS u "
        "ON DISTANCE(POINT(o.ra, o.dec), ivo_epoch_prop_pos(u.ra, u.dec, NULL, u.pm, 0, 0, 2000, 2100)) < 0.2"
    )
    places = SkyCoord(objects["ra"].to_numpy(), objects["dec"].to_numpy(), unit="deg")
    assert len(moved) == int((places.separation(SkyCoord(10, 20, unit="deg")).deg < 0.2).sum()) > 0


def test_over_tap_schema(ask):
    names = ask(
        "SELECT LOWER(column_name) AS c FROM TAP_SCHEMA.columns WHERE 1 = ivo_hasword(description, 'object') "
        "AND 1 = ivo_nocasematch(table_name, 'DEMO.%')"
    )
    assert names["c"].tolist() == ["objid"]
