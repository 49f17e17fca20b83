"""Random queries of a small grammar, which mean the same in ADQL and in SQLite's SQL."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

TABLES = {
    "t1": {"k": "whole", "n": "whole", "x": "real", "s": "text"},
    "t2": {"k": "whole", "m": "whole", "y": "real", "s": "text"},
    "t3": {"k": "whole", "n": "whole", "z": "real"},
}
_KINDS = ("whole", "real", "text")
_PLAIN = {"whole": ("-3", "-1", "0", "1", "2", "5"), "real": ("-1.5", "0.5", "2.0"), "text": ("'a'", "'bc'", "''")}
_JOINS = ("JOIN", "INNER JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT OUTER JOIN")
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
_OPERATIONS = ("UNION", "UNION ALL", "EXCEPT", "INTERSECT")


@dataclass
class Writer:
    """Writes queries; the same for the same seed."""

    chance: random.Random
    _n_names: int = 0
    _outer: list[tuple[str, str]] = field(default_factory=list)

    def query(self, depth: int = 2) -> str:
        """A SELECT or a set operation."""
        kind = self.chance.random()
        if depth and kind < 0.2:
            types = [self.chance.choice(_KINDS) for _ in range(self.chance.randint(1, 2))]
            left, right = self.select(depth - 1, types), self.select(depth - 1, types)
            return f"{left} {self.chance.choice(_OPERATIONS)} {right}"
        if depth and kind < 0.3:
            name = self._name("w")
            inner = self.select(depth - 1, ["whole", "text"])
            return f"WITH {name} AS ({inner}) SELECT a.c0, b.c1 FROM {name} AS a JOIN {name} AS b ON a.c0 = b.c0"
        return self.select(depth, None)

    def select(self, depth: int, types: list[str] | None) -> str:
        """One SELECT, of columns of given types or of any."""
        from_, columns = self._from(depth)
        where = f" WHERE {self._condition(columns, depth)}" if self.chance.random() < 0.6 else ""
        types = types or [self.chance.choice(_KINDS) for _ in range(self.chance.randint(1, 3))]
        if self.chance.random() < 0.35:
            return self._grouped(from_, where, columns, types)
        distinct = "DISTINCT " if self.chance.random() < 0.2 else ""
        items = [f"{self._value(kind, columns, 2, depth)} AS c{i}" for i, kind in enumerate(types)]
        return f"SELECT {distinct}{', '.join(items)} FROM {from_}{where}"

    def _grouped(self, from_: str, where: str, columns: list[tuple[str, str]], types: list[str]) -> str:
        keys = self.chance.sample(columns, min(len(columns), self.chance.randint(0, 2)))
        items = [f"{self._of_group(kind, keys, columns)} AS c{i}" for i, kind in enumerate(types)]
        group = f" GROUP BY {', '.join(name for name, _ in keys)}" if keys else ""
        having = ""
        if keys and self.chance.random() < 0.5:
            aggregate = self._of_group("whole", [], columns)
            having = f" HAVING {aggregate} {self.chance.choice(_COMPARISONS)} {self.chance.randint(0, 4)}"
        return f"SELECT {', '.join(items)} FROM {from_}{where}{group}{having}"

    def _of_group(self, kind: str, keys: list[tuple[str, str]], columns: list[tuple[str, str]]) -> str:
        fitting = [name for name, its in keys if its == kind]
        if fitting and self.chance.random() < 0.5:
            return self.chance.choice(fitting)
        calls = ["MIN({})", "MAX({})"]
        if kind == "whole":
            calls += ["COUNT(*)", "COUNT({})", "COUNT(DISTINCT {})", "SUM({})"]
        if kind == "real":
            calls += ["AVG({})", "SUM({})"]
        return self.chance.choice(calls).format(self._value(kind, columns, 1, 0))

    def _from(self, depth: int) -> tuple[str, list[tuple[str, str]]]:
        """A FROM clause and the columns that it offers."""
        text, columns = self._table(depth)
        for _ in range(self.chance.choice((0, 0, 1, 1, 2))):
            kind = self.chance.random()
            if kind < 0.15:
                other, more = self._table(depth)
                text, columns = f"{text} CROSS JOIN {other}", columns + more
            else:
                other, more = self._table(depth)
                both = columns + more
                on = self._condition(both, 0) if self.chance.random() < 0.5 else self._same(columns, more)
                text, columns = f"{text} {self.chance.choice(_JOINS)} {other} ON {on}", both
        if text in TABLES and self.chance.random() < 0.5:
            return self._merged()
        return text, columns

    def _merged(self) -> tuple[str, list[tuple[str, str]]]:
        """A join by USING or NATURAL, whose common columns have one bare name."""
        left, right = self.chance.sample(sorted(TABLES), 2)
        common = [name for name in TABLES[left] if name in TABLES[right]]
        side = self.chance.choice(("", "LEFT ", "RIGHT ", "FULL "))
        if self.chance.random() < 0.5:
            common = common[:1]
            text = f"{left} {side}JOIN {right} USING ({common[0]})"
        else:
            text = f"{left} NATURAL {side}JOIN {right}"
        columns = [(name, kind) for name, kind in (TABLES[left] | TABLES[right]).items() if name in common]
        for table in (left, right):
            columns += [(f"{table}.{name}", kind) for name, kind in TABLES[table].items() if name not in common]
        return text, columns

    def _table(self, depth: int) -> tuple[str, list[tuple[str, str]]]:
        alias = self._name("a")
        if depth and self.chance.random() < 0.25:
            types = [self.chance.choice(_KINDS) for _ in range(2)]
            inner = self._alone(lambda: self.select(depth - 1, types))
            return f"({inner}) AS {alias}", [(f"{alias}.c{i}", kind) for i, kind in enumerate(types)]
        table = self.chance.choice(sorted(TABLES))
        return f"{table} AS {alias}", [(f"{alias}.{name}", kind) for name, kind in TABLES[table].items()]

    def _same(self, left: list[tuple[str, str]], right: list[tuple[str, str]]) -> str:
        pairs = [(a, b) for a, kind in left for b, other in right if kind == other]
        a, b = self.chance.choice(pairs) if pairs else ("1", "1")
        return f"{a} = {b}"

    def _condition(self, columns: list[tuple[str, str]], depth: int) -> str:
        """A test, whose operands are small."""
        kind = self.chance.random()
        number = self._number(columns, 1)
        if kind < 0.3:
            return f"{number} {self.chance.choice(_COMPARISONS)} {self._number(columns, 1)}"
        if kind < 0.4:
            return f"{self._value('text', columns, 1, 0)} {self.chance.choice(_COMPARISONS)} 'b'"
        if kind < 0.5:
            word = self.chance.choice(("IS NULL", "IS NOT NULL"))
            return f"{self.chance.choice(columns)[0]} {word}"
        if kind < 0.6:
            word = self.chance.choice(("", "NOT "))
            return f"{number} {word}BETWEEN {self.chance.randint(-2, 2)} AND {self.chance.randint(0, 5)}"
        if kind < 0.68:
            word = self.chance.choice(("", "NOT "))
            return f"{number} {word}IN (1, {self.chance.randint(0, 3)}, {self._number(columns, 0)})"
        if kind < 0.74:
            pattern = self.chance.choice(("%", "a%", "_", "%b", "B%", "%a%"))
            return f"{self._value('text', columns, 0, 0)} {self.chance.choice(('', 'NOT '))}LIKE '{pattern}'"
        if kind < 0.84 and depth:
            return self._subquery_test(number, columns, depth)
        both = self._condition(columns, depth), self._condition(columns, depth)
        if kind < 0.9:
            return f"NOT ({both[0]})"
        return f"({both[0]} {self.chance.choice(('AND', 'OR'))} {both[1]})"

    def _subquery_test(self, number: str, columns: list[tuple[str, str]], depth: int) -> str:
        """EXISTS, IN, or a comparison with an aggregate; correlated as it happens."""
        around, self._outer = self._outer, columns
        try:
            kind = self.chance.random()
            if kind < 0.4:
                word = self.chance.choice(("", "NOT "))
                return f"{word}EXISTS ({self._inner()})"
            if kind < 0.7:
                word = self.chance.choice(("", "NOT "))
                return f"{number} {word}IN ({self._inner()})"
            alias = self._name("a")
            test = self._correlated(alias)
            return (
                f"{number} {self.chance.choice(_COMPARISONS)} (SELECT MAX({alias}.k) FROM t3 AS {alias} WHERE {test})"
            )
        finally:
            self._outer = around

    def _inner(self) -> str:
        alias = self._name("a")
        columns = [(f"{alias}.{name}", its) for name, its in TABLES["t2"].items()]
        return f"SELECT {self._number(columns, 1)} FROM t2 AS {alias} WHERE {self._correlated(alias)}"

    def _correlated(self, alias: str) -> str:
        numbers = [name for name, kind in self._outer if kind != "text"] or ["1"]
        return f"{alias}.k {self.chance.choice(_COMPARISONS)} {self.chance.choice(numbers)}"

    def _alone(self, write: Callable[[], str]) -> str:
        """Write what sees no columns around it."""
        around, self._outer = self._outer, []
        try:
            return write()
        finally:
            self._outer = around

    def _value(self, kind: str, columns: list[tuple[str, str]], size: int, depth: int) -> str:
        fitting = [name for name, its in columns if its == kind]
        if not size or self.chance.random() < 0.4:
            return self.chance.choice(fitting if fitting and self.chance.random() < 0.8 else _PLAIN[kind])
        one, two = (self._value(kind, columns, size - 1, depth) for _ in range(2))
        if self.chance.random() < 0.3:
            test = self._condition(columns, depth)
            return self.chance.choice((
                f"CASE WHEN {test} THEN {one} ELSE {two} END", f"CASE WHEN {test} THEN {one} END",
                f"COALESCE({one}, {two})", f"NULLIF({one}, {two})",
            ))  # fmt: skip
        if kind == "text":
            return self.chance.choice((f"{one} || {two}", f"UPPER({one})", f"LOWER({one})"))
        operation = self.chance.choice("+-*/")
        return self.chance.choice((f"({one} {operation} {two})", f"ABS({one})", f"-({one})"))

    def _number(self, columns: list[tuple[str, str]], size: int) -> str:
        return self._value(self.chance.choice(("whole", "real")), columns, size, 0)

    def _name(self, letter: str) -> str:
        self._n_names += 1
        return f"{letter}{self._n_names}"
