from importlib import resources

import pyarrow as pa
import pytest

from skydex.demo.columns import read_columns
from skydex.demo.publications import read_printed, read_source
from skydex.tables import Datatype

PRINTED = sorted(
    file.name.removesuffix(".csv")
    for file in resources.files("skydex.demo").joinpath("printed").iterdir()
    if file.name.endswith(".csv")
)


def test_columns_of_a_table_come_from_its_data_file():
    columns = read_columns("hsc/detailedCatalog")
    assert [column.name for column in columns[:3]] == ["CatID", "MatchID", "MemID"]
    assert len(columns) == 39
    ra = next(column for column in columns if column.name == "MatchRA")
    assert (ra.datatype, ra.unit, ra.ucd) == (Datatype.DOUBLE, "deg", "pos.eq.ra;meta.main")
    assert all(column.description for column in columns)


@pytest.mark.parametrize("name", PRINTED)
def test_printed_rows_say_where_they_were_printed(name):
    assert len(read_source(name)) > 10
    assert read_printed(name).num_rows > 0


def test_printed_rows_are_numbers_where_they_can_be():
    nova = read_printed("hcv_nova")
    assert nova.num_rows == 21
    assert nova.schema.field("MatchID").type == pa.int64()
    assert nova.schema.field("MagErr").type == pa.float64()
