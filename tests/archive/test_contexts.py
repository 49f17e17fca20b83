"""Contexts of CasJobs that an archive has by itself."""

from __future__ import annotations

import pytest

from skydex.archive import OFFERS_FILE, Archive, BatchRequest
from skydex.archive.offers import plain_context
from skydex.errors import UnknownContextError


def contexts(archive: Archive) -> list[str]:
    return [offer.context for offer in archive.offers_for(None).contexts]


def test_a_collection_is_a_context_under_its_own_name(archive):
    assert contexts(archive) == ["demo", "other"]
    request = BatchRequest("select count(*) as n from dbo.objects o join Other..notes n on n.objid = o.objid", "DEMO")
    with archive.query(request) as result:
        assert result.to_arrow()["n"].to_pylist() == [2]
    with pytest.raises(UnknownContextError):
        archive.query(BatchRequest("select 1 as one", "nonsense"))


def test_a_collection_that_a_context_shows_has_none_beside_it(directory):
    (directory.path / OFFERS_FILE).write_text('[[casjobs]]\ncontext = "Survey"\nschemas = { dbo = ["demo"] }\n')
    assert contexts(Archive.open(directory.path)) == ["Survey", "other"]


def test_a_collection_whose_name_means_something_else_is_no_context():
    assert [plain_context(name) for name in ("mydb", "MASTER", "2mass", "a b")] == [None] * 4
