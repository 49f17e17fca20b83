"""R07: any text gets an answer or an error of its own kind; what the binder accepts, the engine can run."""

from __future__ import annotations

import random
import re
import time

import pytest

from skydex.archive import Deadline, QueryRequest
from skydex.errors import LimitError, RequestError

QUERIES = [
    "SELECT TOP 5 o.objid, o.mag, n.note FROM demo.objects AS o LEFT JOIN other.notes AS n ON o.objid = n.objid "
    "WHERE o.mag BETWEEN 18 AND 20 ORDER BY o.mag DESC",
    "SELECT ROUND(mag, 1) AS bin, COUNT(*) AS n, AVG(ra) FROM objects GROUP BY bin HAVING COUNT(*) > 2 ORDER BY n",
    "SELECT objid FROM objects WHERE 1=CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 10.5, 20.5, .2)) AND mag < 21",
    "SELECT DISTINCT remark FROM objects WHERE remark LIKE 'remark %' AND NOT (mag IS NULL OR mag > 25)",
    "SELECT objid FROM objects WHERE objid IN (SELECT objid FROM notes) UNION SELECT objid FROM notes ORDER BY 1",
    "WITH bright AS (SELECT * FROM objects WHERE mag < 19) SELECT b.objid, SQRT(b.mag) FROM bright AS b OFFSET 2",
    "SELECT CASE WHEN mag < 20 THEN 'bright' ELSE 'faint' END AS kind, MAX(mag) - MIN(mag) FROM objects GROUP BY kind",
    "SELECT a.objid FROM objects AS a JOIN objects AS b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < 0.01 WHERE a.mag < 18",
    "SELECT COUNT(DISTINCT remark), UPPER(MIN(remark)) || 'x', MOD(MAX(objid), 7) FROM objects",
    "SELECT objid, (SELECT COUNT(*) FROM notes AS n WHERE n.objid = o.objid) FROM objects AS o WHERE EXISTS "
    "(SELECT 1 FROM notes AS n WHERE n.objid = o.objid)",
    "SELECT table_name, column_name FROM TAP_SCHEMA.columns NATURAL JOIN TAP_SCHEMA.tables WHERE std = 1",
    "SELECT ra FROM objects WHERE INTERSECTS(CIRCLE(ra, dec, 0.1), CIRCLE(10.5, 20.5, 0.1)) = 1 AND "
    "CONTAINS(POINT(ra, dec), POLYGON(10, 20, 11, 20, 11, 21)) = 1",
    "SELECT ra FROM objects WHERE 1 = CONTAINS(POINT(ra, dec), BOX(10.5, 20.5, 0.5, 0.5)) OR ra > 10.9 AND dec < 20.1",
]
_TOKEN = re.compile(r"'[^']*'|[\w.]+|\S")


_ALIKE = [
    ["ra", "dec", "mag", "objid", "remark", "note", "o.mag", "n.note", "b.objid", "table_name", "flux"],
    ["0", "1", "-1", "10.5", "20.5", ".2", "1e300", "9223372036854775807", "NULL", "'x'", "'2020-01-01'"],
    ["AVG", "MIN", "COUNT", "SUM", "SQRT", "UPPER", "ROUND", "ABS", "LOG", "MOD", "COALESCE", "EXP", "TRUNCATE"],
    ["=", "<", ">", "<>", "<=", ">=", "LIKE"],
    ["+", "-", "*", "/", "||"],
    ["AND", "OR"],
    ["UNION", "EXCEPT", "INTERSECT"],
    ["objects", "notes", "bright", "TAP_SCHEMA.columns"],
    ["POINT", "CIRCLE", "BOX", "POLYGON"],
    ["CONTAINS", "INTERSECTS", "DISTANCE"],
]
"""Tokens that may take each other's place and leave a query that still parses."""


def mutated(chance: random.Random) -> str:
    """A sample query with one to three tokens dropped, doubled, swapped, or taken from elsewhere; mostly its like."""
    tokens = _TOKEN.findall(chance.choice(QUERIES))
    for _ in range(chance.randint(1, 3)):
        if chance.random() < 0.8:
            _exchange(tokens, chance)
            continue
        deed = chance.choice(["drop", "double", "swap"])
        at, there = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        if deed == "drop":
            tokens[at] = ""
        elif deed == "double":
            tokens.insert(at, tokens[there])
        else:
            tokens[at], tokens[there] = tokens[there], tokens[at]
    return " ".join(tokens)


def _exchange(tokens: list[str], chance: random.Random) -> None:
    """Put another token of the same kind in the place of one."""
    places = [(at, kind) for at, token in enumerate(tokens) for kind in _ALIKE if token in kind]
    if places:
        at, kind = chance.choice(places)
        tokens[at] = chance.choice(kind)


@pytest.mark.parametrize("text", QUERIES)
def test_the_samples_themselves_are_answered(archive, text):
    assert archive.query(QueryRequest(text)).to_arrow().num_columns >= 1


@pytest.mark.parametrize("seed", range(8))
def test_a_mutated_query_is_answered_or_refused_and_never_breaks(archive, seed):
    chance = random.Random(seed)
    for _ in range(100):
        text = mutated(chance)
        start = time.monotonic()
        try:
            archive.query(QueryRequest(text, max_rows=10), Deadline.after(3)).to_arrow()
        except (RequestError, LimitError):
            pass
        except Exception as error:
            pytest.fail(f"{text!r} raised {error!r} from {error.__cause__!r}")
        assert time.monotonic() - start < 3 + 15
