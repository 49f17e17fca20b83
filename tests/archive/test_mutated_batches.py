"""R07 for T-SQL: any text of statements gets an answer or an error of its own kind, and harms no other statement."""

from __future__ import annotations

import random
import re
import time

import pytest

from skydex.archive import Archive, BatchRequest, Deadline
from skydex.errors import LimitError, RequestError

BATCHES = [
    "declare @n int = 3, @r float set @r = 2 * @n select top (@n) objid, mag + @r as m from objects order by mag desc",
    "select top 5 objid, ra, dec into #t from objects where mag < 20 select count(*) as n from #t t "
    "cross apply fGetNearbyObjEq(t.ra, t.dec, 3) n where n.objid <> t.objid",
    "drop table if exists mydb.t create table mydb.t (id bigint, name varchar(20), x float) "
    "insert into mydb.t values (1, 'one', 1.5), (2, 'two', null) update mydb.t set x = id * 2 where x is null "
    "delete from mydb.t where id = 1 select * from mydb.t",
    "drop table if exists mydb.u select objid, mag into mydb.u from objects where objid < 1000000000000000010 "
    "update a set a.mag = b.ra from mydb.u a join objects b on a.objid = b.objid alter table mydb.u add z int "
    "delete a from mydb.u a join objects b on a.objid = b.objid where b.mag > 20 truncate table mydb.u",
    "select s.objid, case when o.mag < 20 then 'bright' else 'faint' end as kind from fGetNearbyObjEq(10.5, 20.5, 6) s "
    "left join objects o on o.objid = s.objid union all select objid, remark from objects where ra > 10.9",
    "select table_name, count(*) as n from information_schema.columns group by table_name having count(*) > 1",
    "with c as (select remark, avg(mag) as m from objects group by remark) select * from c where m between 1 and 30",
    "declare @t table (a int, b varchar(9)) insert @t select 1, 'x' select @t as t, len(b) as n from @t",
    "select @n = max(objid) from objects",
    "set nocount on; exec sp_help; create index i on mydb.t (id)",
]
_TOKEN = re.compile(r"'[^']*'|[@#]*[\w.]+|\S")
_ALIKE = [
    ["ra", "dec", "mag", "objid", "remark", "a.objid", "b.mag", "id", "x", "@n", "@r", "@t", "*"],
    ["0", "1", "3", "20", "10.5", "-1", "1e300", "9223372036854775807", "null", "'x'", "'2020-01-01'", "10.5e0"],
    ["avg", "max", "count", "len", "top", "distinct", "sum"],
    ["=", "<", ">", "<>", "+", "-", "*", "/", "%", "&"],
    ["objects", "mydb.t", "mydb.u", "#t", "@t", "t", "Demo.dbo.objects", "information_schema.columns", "nothing"],
    ["int", "bigint", "float", "varchar", "datetime", "bit"],
    ["select", "update", "delete", "insert", "drop", "create", "alter", "into", "from", "where", "set", "table"],
]
CONTEXT = """
[[casjobs]]
context = "Demo"
schemas = { dbo = ["demo"] }
functions = [{ name = "fGetNearbyObjEq", table = "demo.objects", columns = ["objid"], distance = "distance" }]
"""


@pytest.fixture
def house(directory) -> Archive:
    (directory.path / "services.toml").write_text(CONTEXT, encoding="utf-8")
    opened = Archive.open(directory.path)
    opened.accounts.add("alice", "correct horse")
    return opened


def mutated(chance: random.Random) -> str:
    """A sample batch with one to three tokens dropped, doubled, swapped, or others of their kind."""
    tokens = _TOKEN.findall(chance.choice(BATCHES))
    for _ in range(chance.randint(1, 3)):
        at, there = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        kinds = [kind for kind in _ALIKE if tokens[at].lower() in kind]
        deed = chance.choice(["alike"] * 6 + ["drop", "double", "swap"])
        if deed == "alike" and kinds:
            tokens[at] = chance.choice(kinds[0])
        elif deed == "drop":
            tokens[at] = ""
        elif deed == "double":
            tokens.insert(at, tokens[there])
        elif deed == "swap":
            tokens[at], tokens[there] = tokens[there], tokens[at]
    return " ".join(tokens)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 60))])
def test_a_mutated_batch_is_answered_or_refused_and_never_breaks(house, seed):
    chance = random.Random(seed)
    for _ in range(50):
        text = mutated(chance)
        start = time.monotonic()
        try:
            house.query(BatchRequest(text, "Demo", "alice", 10), Deadline.after(5)).to_arrow()
        except (RequestError, LimitError):
            pass
        except Exception as error:
            pytest.fail(f"{text!r} gives {type(error).__name__}: {error}")
        assert time.monotonic() - start < 10, text
    assert house.query(BatchRequest("select count(*) as n from objects", "Demo", "alice")).to_arrow().to_pylist() == [
        {"n": 1000}
    ]
