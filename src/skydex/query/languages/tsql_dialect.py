"""What sqlglot reads T-SQL with: its own dialect, but every call of a function stays as it is written.

Operators bind as Transact-SQL has it (SQL Server 2022, "Operator precedence"). sqlglot knows many functions by their
meaning in other databases and gives calls of them other names and arguments; what a function means is the binder's
affair.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot.dialects.tsql import TSQL
from sqlglot.tokens import TokenType

__all__ = ["DIALECT"]

_WITH_OWN_GRAMMAR = ("CAST", "TRY_CAST", "TRIM")
"""Calls whose parentheses hold more than a list of values."""


class _AsWritten(TSQL):  # type: ignore[misc]  # sqlglot ships no types
    class Tokenizer(TSQL.Tokenizer):  # type: ignore[misc]
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            **TSQL.Tokenizer.KEYWORDS,
            "!<": TokenType.GTE,
            "!>": TokenType.LTE,
            "FLOAT": TokenType.DOUBLE,  # to sqlglot it is the same as REAL
        }

    class Parser(TSQL.Parser):  # type: ignore[misc]
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: TSQL.Parser.FUNCTION_PARSERS[name] for name in _WITH_OWN_GRAMMAR
        }
        TERM: ClassVar[dict[TokenType, Any]] = {**TSQL.Parser.TERM, **TSQL.Parser.BITWISE}
        BITWISE: ClassVar[dict[TokenType, Any]] = {}  # in T-SQL they bind as tightly as + and -
        NO_PAREN_FUNCTIONS: ClassVar[dict[TokenType, Any]] = {
            TokenType.CURRENT_TIMESTAMP: TSQL.Parser.NO_PAREN_FUNCTIONS[TokenType.CURRENT_TIMESTAMP]
        }


DIALECT = _AsWritten()
"""T-SQL, as SQL Server 2022 has it."""
