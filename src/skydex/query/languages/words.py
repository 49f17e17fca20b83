"""The words of ADQL, and what to say about those of other languages.

Reserved words: appendix A of ADQL 2.1 (IVOA REC 2023-12-15) and of ADQL 2.0 (IVOA REC 2008-10-30). A reserved word is
no name unless it stands in double quotes.
"""

from __future__ import annotations

from skydex.tables import RESERVED, spelled

__all__ = [
    "CLAUSES",
    "FOREIGN_CALLS",
    "FOREIGN_FUNCTIONS",
    "FOREIGN_LITERALS",
    "FOREIGN_SIGNS",
    "FOREIGN_WORDS",
    "RESERVED",
    "SEXAGESIMAL",
    "STATEMENTS",
    "spelled",
]


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


CLAUSES = _words("""
    ALL AND ANY AS ASC BETWEEN BY CROSS DESC DISTINCT ELSE END EXCEPT FROM FULL GROUP HAVING ILIKE IN INNER INTERSECT
    INTO IS JOIN LIKE NATURAL NOT OFFSET ON OR ORDER OUTER SELECT SOME THEN TOP UNION USING VALUES WHEN WHERE WITH
""")
"""Words that carry the grammar: where a value is expected, they tell that something is missing before them."""

STATEMENTS = _words("""
    ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DESCRIBE DETACH DROP
    EXEC EXECUTE EXPLAIN EXPORT GRANT IMPORT INSERT INSTALL KILL LOAD MERGE PIVOT PRAGMA PREPARE RENAME RESET REVOKE
    ROLLBACK SAVEPOINT SET SHOW START SUMMARIZE TRUNCATE UNPIVOT UPDATE USE VACUUM VALUES FROM TABLE
""")
"""Words that begin something other than a query in other dialects."""

_TOP = "ADQL has no {}: write SELECT TOP n ... to limit the number of rows."
_WINDOW = "ADQL has no window functions: aggregate with GROUP BY, or compute it from the downloaded table."
_SUBTOTALS = "ADQL has no subtotals in GROUP BY: join several queries with UNION ALL."
_NOW = "ADQL has no current date: write it as a text, such as '2025-01-31T00:00:00'."
_TRUTH = "ADQL has no TRUE and FALSE: compare with a value, such as flag = 1."
_TIME = "ADQL has no date literals: write CAST('2025-01-31T00:00:00' AS TIMESTAMP)."
_PIVOT = "ADQL cannot pivot tables: select the columns that you need, or pivot the downloaded table."
_PATTERN = "ADQL has no regular expressions: use LIKE with % and _, or gavo_match('^M[0-9]+$', name) = 1."
_STAR = "ADQL cannot change what * selects: write the names of the columns that you need."
_JOINS = "ADQL has no such join: write JOIN, LEFT JOIN, RIGHT JOIN or FULL JOIN with ON."

FOREIGN_WORDS: dict[str, str] = {
    "LIMIT": _TOP.format("LIMIT"),
    "FETCH": _TOP.format("FETCH FIRST"),
    "OVER": _WINDOW,
    "WINDOW": _WINDOW,
    "QUALIFY": "ADQL has no QUALIFY: put the query into FROM (...) AS q and use WHERE.",
    "FILTER": "ADQL has no FILTER: write SUM(CASE WHEN ... THEN 1 ELSE 0 END), or use WHERE.",
    "WITHIN": "ADQL has no ordered aggregates (WITHIN GROUP).",
    "PIVOT": _PIVOT,
    "UNPIVOT": _PIVOT,
    "TABLESAMPLE": "ADQL has no TABLESAMPLE: write WHERE RAND() < 0.01 for one row in a hundred.",
    "LATERAL": "ADQL has no LATERAL: write the query in parentheses, with an alias, and join it with ON.",
    "VALUES": "ADQL has no VALUES: upload a small table and join with it.",
    "INTO": "ADQL only reads: SELECT ... INTO is no part of it.",
    "REGEXP": _PATTERN,
    "RLIKE": _PATTERN,
    "SIMILAR": _PATTERN,
    "GLOB": _PATTERN,
    "ROLLUP": _SUBTOTALS,
    "CUBE": _SUBTOTALS,
    "GROUPING": _SUBTOTALS,
    "COLUMNS": _STAR,
    "EXCLUDE": _STAR,
    "REPLACE": _STAR,
    "RENAME": _STAR,
    "NULLS": "ADQL has no NULLS FIRST or LAST: add a condition such as x IS NOT NULL.",
    "ISNULL": "Write IS NULL, in two words.",
    "NOTNULL": "Write IS NOT NULL, in three words.",
    "UNNEST": "ADQL has no UNNEST: FROM names tables, or queries in parentheses.",
    "ARRAY": "In ADQL no arrays are written: they come from columns, and geometries from POINT, CIRCLE and POLYGON.",
    "MINUS": "The difference of two queries is written EXCEPT in ADQL.",
    "RECURSIVE": "ADQL has no recursive queries.",
    "ANY": "ADQL has no ANY: write x IN (SELECT ...).",
    "SOME": "ADQL has no SOME: write x IN (SELECT ...).",
    "ASOF": _JOINS,
    "SEMI": _JOINS,
    "ANTI": _JOINS,
    "POSITIONAL": _JOINS,
    "APPLY": _JOINS,
    "TRUE": _TRUTH,
    "FALSE": _TRUTH,
    "CURRENT_DATE": _NOW,
    "CURRENT_TIME": _NOW,
    "CURRENT_TIMESTAMP": _NOW,
    "DIV": "Division is written a / b in ADQL.",
    "ESCAPE": "ADQL has no ESCAPE: in LIKE, % and _ always stand for any text and any character.",
    "COLLATE": "ADQL has no COLLATE: compare UPPER(name) or LOWER(name), or use ILIKE.",
    "XOR": "ADQL has no XOR: write (a OR b) AND NOT (a AND b).",
}
"""What other languages say with a word, and how ADQL says it; looked at only where the word cannot be a name."""

FOREIGN_LITERALS: dict[str, str] = {
    **dict.fromkeys(("DATE", "TIME"), _TIME),
    "INTERVAL": "ADQL has no spans of time: ivo_to_mjd(t) makes a number of a time, and days can be added to that.",
}
"""The same for words that begin a literal, which a number or text follows."""

FOREIGN_CALLS = frozenset({"ROLLUP", "CUBE", "GROUPING", "COLUMNS", "UNNEST"})
"""Constructs of other languages that look like a call of a function."""

_CHOICE = "Write CASE WHEN {} THEN ... ELSE ... END."
_NO_NULL = "What stands for null is chosen by COALESCE(x, y)."
_VARIANCE = "AVG(x * x) - POWER(AVG(x), 2)"
_SPREAD = f"A standard deviation is SQRT({_VARIANCE})."
_SCATTER = f"A variance is {_VARIANCE}."
_ORDERED = "Of the quantiles of a group there is median(x); compute others from the downloaded table."
_FIND = "Whether a text holds another is x LIKE '%other%', or ivo_hasword(x, 'word') = 1."
_GATHER = "The texts of a group are joined by ivo_string_agg(text, ',')."
_AS_TEXT = "Text is made by CAST(x AS VARCHAR)."
_AS_NUMBER = "A number is made by CAST(text AS DOUBLE PRECISION)."
_DAYS = "ADQL calculates with days: ivo_to_mjd(t) makes a number of a time."
_DEGREES = "Angles are radians: write {}(RADIANS(x))."
_NEARBY = "What is near a position has DISTANCE(ra1, dec1, ra2, dec2) < radius, all in degrees."

FOREIGN_FUNCTIONS: dict[str, str] = {
    "LN": "The natural logarithm is LOG(x).",
    "LOG2": "A logarithm to base 2 is LOG(x) / LOG(2).",
    "POW": "x to the power of y is POWER(x, y).",
    "SQUARE": "A square is POWER(x, 2).",
    "CBRT": "A cube root is POWER(x, 1. / 3).",
    "SIND": _DEGREES.format("SIN"),
    "COSD": _DEGREES.format("COS"),
    "TAND": _DEGREES.format("TAN"),
    "GREATEST": _CHOICE.format("x > y"),
    "LEAST": _CHOICE.format("x < y"),
    **dict.fromkeys(("IF", "IIF", "DECODE"), _CHOICE.format("condition")),
    **dict.fromkeys(("IFNULL", "ISNULL", "NVL"), _NO_NULL),
    **dict.fromkeys(("STDDEV", "STDDEV_POP", "STDDEV_SAMP", "STDEV", "STDEVP", "STD"), _SPREAD),
    **dict.fromkeys(("VARIANCE", "VAR", "VARP", "VAR_POP", "VAR_SAMP"), _SCATTER),
    **dict.fromkeys(("MODE", "QUANTILE", "PERCENTILE", "PERCENTILE_CONT", "PERCENTILE_DISC"), _ORDERED),
    "CONCAT": "Texts are joined with ||.",
    "LEFT": "The first n characters are SUBSTRING(text, 1, n).",
    "RIGHT": "The last n characters are SUBSTRING(text, CHAR_LENGTH(text) - n + 1).",
    **dict.fromkeys(("STRPOS", "INSTR", "CHARINDEX", "POSITION"), _FIND),
    **dict.fromkeys(("REGEXP_LIKE", "REGEXP_MATCHES", "REGEXP_REPLACE", "REGEXP_EXTRACT"), _PATTERN),
    **dict.fromkeys(("STRING_AGG", "GROUP_CONCAT", "LISTAGG", "ARRAY_AGG"), _GATHER),
    **dict.fromkeys(("STR", "TO_CHAR"), _AS_TEXT),
    **dict.fromkeys(("TO_NUMBER", "TO_DOUBLE"), _AS_NUMBER),
    **dict.fromkeys(("NOW", "GETDATE", "SYSDATE", "TODAY"), _NOW),
    **dict.fromkeys(("DATEDIFF", "DATEADD", "DATE_PART", "DATE_DIFF", "DATE_ADD", "YEAR", "MONTH", "DAY"), _DAYS),
    **dict.fromkeys(("Q3C_RADIAL_QUERY", "Q3C_JOIN", "Q3C_DIST"), _NEARBY),
}
"""Functions of other languages, and how ADQL has it."""

SEXAGESIMAL = (
    "Hours, minutes and seconds are written ivo_hms_to_degrees('12:48:00'), degrees ivo_dms_to_degrees('-12:48:00')."
)
"""What to say about an angle such as 12:48:00 where a number is expected."""

_QUOTES = "This typographic quotation mark came from a word processor: texts stand in '...', names in \"...\"."
_BITS = "ADQL has no operators on bits: write BIT_{}."
_SHIFT = "ADQL does not shift bits: multiply with a power of two, or divide by one."
_POWER = "ADQL has no such operator: write POWER(a, b)"
_BRACKETS = (
    "ADQL has no brackets, and does not look into arrays: names with special characters stand in double quotes, "
    'as in "my name".'
)
_PARAMETER = "ADQL has no parameters: write the value itself."
_COMMENT = "Comments in ADQL begin with -- and end with the line."

FOREIGN_SIGNS: dict[str, str] = {
    "==": "Equality is written with one = in ADQL.",
    "=>": "At least is written >= in ADQL.",
    "=<": "At most is written <= in ADQL.",
    "->": "ADQL has no sign -> (no lambdas, no access to parts of a value).",
    "**": f"{_POWER}.",
    "^": f"{_POWER}, or BIT_XOR(a, b) for bits.",
    "//": "Division is written a / b in ADQL; FLOOR(a / b) cuts the fraction off.",
    "<<": _SHIFT,
    ">>": _SHIFT,
    "&": _BITS.format("AND(a, b)"),
    "|": f"{_BITS.format('OR(a, b)')} Texts are joined with ||.",
    "~": f"{_BITS.format('NOT(a)')} {_PATTERN}",
    "/*": _COMMENT,
    "*/": _COMMENT,
    "#": _COMMENT,
    "::": "ADQL has no :: casts: write CAST(value AS type).",
    ":=": "ADQL has no := assignments.",
    ":": _PARAMETER,
    "?": _PARAMETER,
    "$": _PARAMETER,
    "@": _PARAMETER,
    "%": "ADQL has no % operator: write MOD(a, b). A pattern for LIKE stands in quotes: '%X'.",
    "[": _BRACKETS,
    "]": _BRACKETS,
    "{": "ADQL has no braces; a template must be filled in before it is sent.",
    "}": "ADQL has no braces; a template must be filled in before it is sent.",
    "`": 'Names with special characters stand in double quotes in ADQL, as in "my name".',
    "!": "Negation is written NOT, inequality <> or !=.",
    "\\": "ADQL has no backslash outside of quotes.",
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2032\u2033\u00b4", _QUOTES),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "This dash is not a minus sign: write -."),
    "\u2264": "At most is written <= in ADQL.",
    "\u2265": "At least is written >= in ADQL.",
    "\u2260": "Inequality is written <> or != in ADQL.",
    "\u00d7": "Multiplication is written * in ADQL.",
}
"""Signs that no ADQL query contains outside of quotes, and how ADQL says it."""
