"""What T-SQL means: its rules for `bind`."""

from skydex.query.tsql.aggregates import WINDOWS
from skydex.query.tsql.tsql_rules import GROUPS, TSQL_RULES

__all__ = ["GROUPS", "TSQL_RULES", "WINDOWS"]
