"""From text, or a cone, to a plan."""

from skydex.query import build
from skydex.query.bind import BoundQuery, bind
from skydex.query.build import table_query
from skydex.query.firsts import FirstRows, order_keys
from skydex.query.languages import get_language
from skydex.query.namespace import Namespace, Others, Relation
from skydex.query.plan import Plan, Scan, is_scannable, make_plan, within
from skydex.query.region_texts import parse_regions
from skydex.query.rules import ADQL_RULES, Rules
from skydex.query.sky_joins import SkyJoin
from skydex.query.tallies import Measure, Tally
from skydex.query.tsql import TSQL_RULES

__all__ = [
    "ADQL_RULES",
    "TSQL_RULES",
    "BoundQuery",
    "FirstRows",
    "Measure",
    "Namespace",
    "Others",
    "Plan",
    "Relation",
    "Rules",
    "Scan",
    "SkyJoin",
    "Tally",
    "bind",
    "build",
    "get_language",
    "is_scannable",
    "make_plan",
    "order_keys",
    "parse_regions",
    "table_query",
    "within",
]
