"""Services described beside a table, as pyvo and STILTS find them."""

from __future__ import annotations

import io
import warnings

import pyarrow as pa
import pytest
from astropy.io.votable import parse

from skydex.formats.votable import Serialization, write_votable
from skydex.tables import Column, Datatype, InputParameter, Result, ServiceDescriptor, arrow_schema

DID = Column("obs publisher did", Datatype.CHAR, arraysize="*", ucd="meta.ref.ivoid")
CUTOUT = ServiceDescriptor(
    "http://localhost/soda/sync?a=1&b=2",
    (
        InputParameter("ID", ucd="meta.id;meta.main", column=DID.name),
        InputParameter("KIND", value='a "word"', options=("x", "<y>")),
        InputParameter("BAND", "double", "2", "m", "em.wl;stat.interval", "interval", least="1e-7", most="2e-7"),
    ),
    "ivo://ivoa.net/std/SODA#sync-1.0",
    "cut",
    "Cuts & gives",
)


@pytest.mark.parametrize("serialization", list(Serialization))
def test_a_service_is_described_beside_the_table(serialization):
    schema = arrow_schema((DID,))
    rows = pa.RecordBatch.from_arrays([pa.array(["ivo://x?1"])], schema=schema)
    result = Result((DID,), iter([rows]), services=(CUTOUT,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = parse(io.BytesIO(b"".join(write_votable(result, serialization))))
    table, described = document.resources
    field = table.tables[0].fields[0]
    assert (described.type, described.utype, described.ID) == ("meta", "adhoc:service", "cut")
    assert {param.name: param.value for param in described.params}["accessURL"] == CUTOUT.access_url
    assert described.description == "Cuts & gives"
    did, kind, band = described.groups[0].entries
    assert (did.name, did.ref, did.value) == ("ID", field.ID, "")
    assert (kind.value, [value for _, value in kind.values.options]) == ('a "word"', ["x", "<y>"])
    assert band.xtype == "interval"
    assert (band.values.min, band.values.max) == (1e-7, 2e-7)
