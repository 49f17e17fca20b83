"""Queries that nobody meant: real ones, made to fit the tables of the tests, then spoilt with a seeded hand."""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from sqlglot import exp

from skydex.errors import SkydexError
from skydex.query.languages import parse_adql

TABLES = ("sky.stars", "sky.friends", "TAP_SCHEMA.columns")
LIKENESSES = {
    "ra": r"ra$|ra_?j2000|raj|lon|^l$|^ra",
    "dec": r"de$|dec|dej|lat|^b$",
    "gmag": r"mag|flux|^[ugrizyjhk]$|color|bp|rp",
    "name": r"name|type|class|filter|band|ucd|desc|title|table|survey|flag",
    "star_id": r"id$|^id|_id|num|key|plate",
}
"""What a column of ours stands for in the queries of others."""
OTHERS = ("n_obs", "gmag", "star_id")
KIN = (
    ("ra", "dec", "gmag", "star_id", "n_obs", "name", "column_name", "*"),
    ("0", "1", "-1", "10.5", ".2", "1e300", "9223372036854775807", "NULL", "'x'", "'2020-01-01'", "0xFF", "1e999"),
    ("AVG", "MIN", "COUNT", "SUM", "SQRT", "UPPER", "ROUND", "ABS", "LOG", "MOD", "COALESCE", "EXP", "TRUNCATE"),
    ("=", "<", ">", "<>", "<=", ">=", "LIKE", "IN"),
    ("+", "-", "*", "/", "||", ","),
    ("AND", "OR", "AND NOT"),
    ("UNION", "EXCEPT", "INTERSECT", "JOIN", "NATURAL JOIN", "LEFT JOIN", "CROSS JOIN"),
    TABLES,
    ("POINT", "CIRCLE", "BOX", "POLYGON"),
    ("CONTAINS", "INTERSECTS", "DISTANCE"),
)
"""Tokens that may take each other's place and leave something that still reads as a query."""
SPICE = (
    *"(),.;=<>+-*/[]{}?@#%&`'\"\\\x00\u201c\u00e9\u2028\U0001f52d",
    *("::", "->", "$1", ":x", "''", '""', "--", "/*", "*/", "-- '\n", "/* ; */", "9" * 400, "\r\n", "\ufeff"),
    *("SELECT", "FROM", "WHERE", "GROUP BY 1", "HAVING", "ORDER BY 1", "ALL", "DISTINCT", "TOP 3", "OFFSET 1", "WITH"),
    *("AS", "NOT", "IS NULL", "BETWEEN", "EXISTS", "CASE", "WHEN", "ELSE", "END", "CAST(", "ON", "USING", "OVER ("),
    *("COUNT(*)", "POINT(1, 2)", "(SELECT 1)", "(SELECT", "INTO", "DROP TABLE x", "read_parquet('/etc/passwd')"),
)
MOST_CHARACTERS = 3_000
_TOKEN = re.compile(r"\s*('[^']*'|[\w.]+|\S)")


def fitting_queries(shared_data: Path) -> list[str]:
    """The queries of the corpus that are ADQL, about our own tables and columns."""
    lines = (shared_data / "adql" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    texts = dict.fromkeys(record["query"] for record in map(json.loads, lines) if "adql" in record["dialect"])
    return [fitted for text in texts if len(text) < MOST_CHARACTERS for fitted in _fitted(text)]


def mutants(texts: list[str], seed: int) -> Iterator[str]:
    """Endlessly many spoilt queries, the same for the same seed."""
    chance = random.Random(seed)
    while True:
        tokens = _TOKEN.findall(chance.choice(texts))
        for _ in range(chance.randint(1, 2)):
            _spoil(tokens, chance, texts)
        yield " ".join(tokens)


def _fitted(text: str) -> Iterator[str]:
    """A query with our tables and columns in place of its own; nothing if it cannot be read."""
    try:
        query = parse_adql(text)
    except SkydexError:
        return
    places = [(node, name) for node in query.find_all(exp.Table, exp.Column) for name in _fitting(node)]
    for node, name in sorted(places, key=lambda place: -place[0].meta["start"]):
        text = text[: node.meta["start"]] + name + text[node.meta["end"] + 1 :]
    yield text


def _fitting(node: exp.Table | exp.Column) -> Iterator[str]:
    """What stands in the place of a table, with an alias if it had none, or of a column."""
    if "start" not in node.meta or isinstance(node.this, exp.Star):
        return
    if isinstance(node, exp.Table):
        table = TABLES[zlib.crc32(node.name.encode()) % 20 // 9]  # nearly all are stars and detections
        yield table if node.alias else f"{table} AS {node.name}" if node.name.isidentifier() else table
        return
    alike = [ours for ours, pattern in LIKENESSES.items() if re.search(pattern, node.name, re.IGNORECASE)]
    ours = alike[0] if alike else OTHERS[len(node.name) % len(OTHERS)]
    yield f"{node.table}.{ours}" if node.table.isidentifier() else ours


def _spoil(tokens: list[str], chance: random.Random, texts: list[str]) -> None:
    """Change something, most often one token for another of its kind."""
    if chance.random() < 0.75:
        _exchange(tokens, chance)
        return
    at, there = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    match chance.randrange(9):
        case 0:
            tokens[at] = ""
        case 1:
            tokens.insert(at, tokens[there])
        case 2:
            tokens[at], tokens[there] = tokens[there], tokens[at]
        case 3:
            tokens.insert(at, chance.choice(SPICE))
        case 4:
            depth = chance.choice((1, 5, 50, 199, 1_000))
            tokens[at] = "(" * depth + tokens[at] + ")" * depth
        case 5:
            tokens[at] = f"IN ({', '.join(map(str, range(chance.choice((10, 1_000, 25_000)))))})"
        case 6:
            depth = chance.choice((1, 5, 30))
            tokens[at] = "(SELECT MAX(gmag) FROM sky.stars WHERE gmag < " * depth + tokens[at] + ")" * depth
        case 7:
            tokens[at:at] = tokens[at : at + chance.randint(1, 10)] * chance.choice((1, 5, 50))
        case 8:
            other = _TOKEN.findall(chance.choice(texts))
            tokens[at:] = other[chance.randrange(len(other)) :]


def _exchange(tokens: list[str], chance: random.Random) -> None:
    """Put another token of the same kind in the place of one."""
    places = [(at, kin) for at, token in enumerate(tokens) for kin in KIN if token.upper() in map(str.upper, kin)]
    if places:
        at, kin = chance.choice(places)
        tokens[at] = chance.choice(kin)
