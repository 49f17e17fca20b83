import numpy as np
import pytest

from skydex.archive import Archive, QueryRequest
from skydex.demo import SIZES, building
from skydex.demo.building import build_demo
from skydex.demo.chance import stream
from skydex.demo.simulation import Printed, SimulatedTable, batch_of
from skydex.demo.size import parse_size
from skydex.errors import BadParameterError
from skydex.tables import Column, Datatype

COLUMNS = (
    Column("id", Datatype.LONG, ucd="meta.id;meta.main"),
    Column("ra", Datatype.DOUBLE, unit="deg"),
    Column("dec", Datatype.DOUBLE, unit="deg"),
    Column("mag", Datatype.FLOAT, unit="mag", ucd="phot.mag"),
)


def stars(size, seed):
    rng, n_rows = stream(seed, "stars"), size.count(1000)
    values = {"id": np.arange(n_rows), "ra": rng.uniform(0, 360, n_rows), "dec": rng.uniform(-90, 90, n_rows)}
    rows = [batch_of(COLUMNS, values, n_rows)]
    yield SimulatedTable(
        "x.stars", "Stars.", COLUMNS, iter(rows), printed=(Printed("id", [3, 5], "Nobody 1920", ("id", "mag")),)
    )
    yield SimulatedTable("truth.stars", "What they are.", COLUMNS, iter(rows))


@pytest.fixture
def built(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "COLLECTIONS", {"x": stars})
    build_demo(tmp_path / "archive", size=SIZES["tiny"], seed=2)
    return tmp_path / "archive"


def test_simulated_table_says_what_made_it_and_which_rows_are_real(built):
    archive = Archive.open(built)
    table = next(table for table in archive.tables() if table.name == "x.stars")
    assert table.description.startswith("SIMULATED by skydex")
    assert "seed 2" in table.description
    assert "but for 2 rows that publications printed" in table.description
    printed = archive.query(
        QueryRequest("SELECT id_value, source, columns FROM demo.printed_rows WHERE table_name = 'x.stars'")
    )
    rows = printed.to_arrow().to_pydict()
    assert rows == {"id_value": ["3", "5"], "source": ["Nobody 1920"] * 2, "columns": ["id mag"] * 2}


def test_table_of_which_all_rows_are_real_is_not_called_simulated(built):
    table = next(table for table in Archive.open(built).tables() if table.name == "demo.printed_rows")
    assert table.description.startswith("NOT SIMULATED")


def test_truth_is_kept_but_not_published(built):
    assert (built / "truth" / "stars.parquet").is_file()
    assert not [table for table in Archive.open(built).tables() if table.schema_name == "truth"]


def test_parts_of_the_sky_have_streams_of_their_own():
    first, again, other = (stream(1, *names).random() for names in (("a", 1), ("a", 1), ("a", 2)))
    assert first == again != other


@pytest.mark.parametrize(("text", "n_rows"), [("seed", 407_806), ("DEMO", 40_781), ("2e6", 2_000_000)])
def test_sizes_have_names_or_numbers(text, n_rows):
    assert parse_size(text).count(407_806) == n_rows


@pytest.mark.parametrize("text", ["large", "0", "nan", "-3", ""])
def test_anything_else_is_no_size(text):
    with pytest.raises(BadParameterError, match="tiny, demo, seed"):
        parse_size(text)
