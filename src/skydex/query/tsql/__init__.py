"""What T-SQL means: its rules for `bind`."""

from skydex.query.tsql.tsql_rules import TSQL_RULES

__all__ = ["TSQL_RULES"]
