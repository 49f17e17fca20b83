"""Columns of 0 and 1 that a context of CasJobs calls bits."""

from __future__ import annotations

from skydex.archive.offers import ContextOffer
from skydex.archive.views import view_of_offer
from skydex.query import Relation
from skydex.tables import BIT, Column, Datatype, Table


def test_a_context_says_which_of_its_numbers_are_bits():
    columns = (Column("MatchID", Datatype.LONG), Column("FilterDetFlag", Datatype.UNSIGNED_BYTE))
    relations = [Relation(Table("hcv.HCVfilter", columns), None), Relation(Table("hcv.Groups", columns), None)]
    offer = ContextOffer("HSCv3", schemas={"dbo": ("hcv",)}, bits=("hcvfilter.filterdetflag",))
    namespace = view_of_offer(offer, relations).namespace
    assert [column.xtype for column in namespace.get("dbo.HCVfilter").table.columns] == [None, BIT]
    assert [column.xtype for column in namespace.get("dbo.Groups").table.columns] == [None, None]
