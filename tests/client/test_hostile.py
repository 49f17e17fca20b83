"""A service far away that answers with anything: each answer ends in an error with a sentence, and costs little."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import time

import httpx
import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from loopback import Reply, answering

import skydex
from skydex.client.catalogs import Catalogs
from skydex.client.far import far_door
from skydex.client.files import WebFile
from skydex.client.http import Web, check_way
from skydex.client.orders import Query, RowsOrder
from skydex.client.presets import get_preset
from skydex.client.refusals import words_of
from skydex.client.resolvers import Resolvers
from skydex.client.tap import TapService
from skydex.client.transfers import TransferLimits, fetch
from skydex.client.transfers.naming import plain_name
from skydex.client.uws import UWSJob
from skydex.connection.cutout import read_cutout
from skydex.errors import BadAnswerError, IncompleteError, RefusedError, SkydexError, UnreachableError
from skydex.formats import get_format
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Result, arrow_schema

VOTABLE = '<VOTABLE><RESOURCE type="results">{}</RESOURCE></VOTABLE>'
SECRET = "sesame-98765"


def quick(**given):
    return Web(**{"retries": 1, "pause_s": 0.01, "timeout_s": 5, **given})


def always(body=b"", **reply):
    return lambda asked: Reply(body, **reply)


@contextlib.contextmanager
def an_error_at_most(seconds: float = 10.0):
    """Nothing is raised, or an error of skydex with a sentence; in good time either way."""
    begun = time.process_time()
    try:
        yield
    except SkydexError as error:
        if not is_sentence(error) or SECRET in str(error):
            raise AssertionError(f"not fit for users: {error!r}") from error
    assert time.process_time() - begun < seconds


def is_sentence(error: SkydexError) -> bool:
    is_whole = isinstance(error, RefusedError) or str(error)[-1] in ".…!"  # a refusal is in the service's own words
    return is_whole and str(error).isprintable() and len(str(error)) < 1000


# ---- where an answer leads -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [307, 308])
def test_what_is_posted_goes_to_no_other_host(status):
    """A password of CasJobs stands in the form itself."""
    with (
        answering(always(b"theirs")) as other,
        answering(always(status=status, headers={"Location": f"{other.url}/steal"})) as server,
    ):
        with pytest.raises(BadAnswerError, match="leads on to") as caught:
            quick().post(server.url, {"userid": "ann", "pw": SECRET})
        assert other.asked == []
    assert SECRET not in str(caught.value)


def test_what_is_posted_goes_on_within_its_host():
    def moved(asked):
        return b"here" if asked.path == "/new" else Reply(status=308, headers={"Location": "/new"})

    with answering(moved) as server:
        assert quick().post(f"{server.url}/old", {"pw": SECRET}) == b"here"


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x", "data:text/plain,x", "//"]
)
@pytest.mark.parametrize("is_file", [False, True])
def test_an_answer_that_leads_out_of_the_web_is_not_followed(location, is_file, tmp_path):
    with answering(always(status=302, headers={"Location": location})) as server, pytest.raises(SkydexError) as caught:
        fetch(WebFile(f"{server.url}/a.txt"), tmp_path) if is_file else quick().get(server.url)
    assert is_sentence(caught.value)


@pytest.mark.parametrize(
    ("begun", "target", "is_astray"),
    [
        ("https://archive.stsci.edu/x", "http://127.0.0.1:8080/", True),
        ("https://archive.stsci.edu/x", "http://localhost/", True),
        ("https://archive.stsci.edu/x", "http://[::1]/", True),
        ("https://archive.stsci.edu/x", "http://[::ffff:127.0.0.1]/", True),
        ("https://archive.stsci.edu/x", "http://0.0.0.0/", True),
        ("https://archive.stsci.edu/x", "http://169.254.169.254/latest/meta-data", True),
        ("https://archive.stsci.edu/x", "https://mast.stsci.edu/x", False),
        ("http://127.0.0.1:80/x", "http://localhost:81/", False),
        ("http://10.1.2.3/x", "http://10.1.2.4/", False),
    ],
)
def test_a_service_far_away_does_not_lead_to_this_machine(begun, target, is_astray):
    answer = httpx.Response(302, headers={"Location": target}, request=httpx.Request("GET", begun))
    if is_astray:
        with pytest.raises(BadAnswerError, match="no place on the Web"):
            check_way(answer)
    else:
        check_way(answer)


@pytest.mark.parametrize(
    "location", ["http://a..b/x", f"http://{'a' * 300}.org/", "http://127.0.0.1:99999/", "http://[::1"]
)
@pytest.mark.parametrize("is_file", [False, True])
def test_an_answer_that_leads_to_no_address_is_told(location, is_file, tmp_path):
    with answering(always(status=302, headers={"Location": location})) as server, pytest.raises(SkydexError) as caught:
        fetch(WebFile(f"{server.url}/a.txt"), tmp_path) if is_file else quick().get(server.url)
    assert is_sentence(caught.value)


@pytest.mark.parametrize("href", ["file:///etc/passwd", "http://[::1", "http://a..b/", "ftp://x/y", "http://\x7f/"])
def test_a_job_whose_result_is_nowhere_is_told(href):
    results = f'<results><result id="result" href="{href}"/></results>'
    document = f'<job version="1.1"><jobId>1</jobId><phase>COMPLETED</phase>{results}</job>'
    with answering(always(document.encode())) as server, pytest.raises(SkydexError) as caught:
        UWSJob(quick(), f"{server.url}/tap/async/1").result()
    assert is_sentence(caught.value)


# ---- how much an answer is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip, gzip, gzip, gzip", "deflate,gzip"])
def test_an_answer_that_is_compressed_again_and_again_is_not_unpacked(coding, tmp_path):
    bomb = gzip.compress(gzip.compress(bytes(50_000_000)))
    with answering(always(bomb, headers={"Content-Encoding": coding})) as server:
        with pytest.raises(BadAnswerError, match="compressed"):
            quick().get(server.url)
        with pytest.raises(BadAnswerError, match="compressed"):
            fetch(WebFile(f"{server.url}/a.txt"), tmp_path)


def test_an_answer_that_unpacks_beyond_its_limit_is_not_taken():
    bomb = gzip.compress(bytes(50_000_000))
    headers = {"Content-Encoding": "gzip"}
    with answering(always(bomb, headers=headers)) as server, pytest.raises(BadAnswerError, match="most that is taken"):
        quick(max_bytes=1_000_000).get(server.url)


def test_an_answer_that_is_read_into_memory_has_a_smaller_limit(monkeypatch):
    monkeypatch.setattr("skydex.client.http.MOST_IN_MEMORY", 1000)
    with answering(always(b"x" * 5000)) as server, pytest.raises(BadAnswerError, match="most that is taken"):
        quick().get(server.url)


def test_an_answer_that_drips_without_end_is_given_up():
    class Drip(httpx.SyncByteStream):
        def __iter__(self):
            while True:
                time.sleep(0.2)
                yield b"x"

    web = quick(timeout_s=0.1, retries=0)
    web._client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, stream=Drip())))
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="drips"):
        web.get("http://slow.org/")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "text",
    [
        "<" * 300_000,
        "<html>" + "<script" * 50_000,
        "<html>" + "<h1>" * 60_000,
        "<html>" + "<head " * 50_000,
        "<a" * 150_000,
        "{" * 300_000,
        "[" * 300_000,
        '"' * 300_000,
        "\x1b[2J" * 60_000,
    ],
)
@pytest.mark.parametrize("media_type", ["", "text/html"])
def test_words_of_any_refusal_are_found_soon(text, media_type):
    begun = time.process_time()
    words_of(text.encode(), media_type)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "text",
    [
        "#=" + "(" * 100_000,
        "#=" + "a " * 50_000,
        "%J" + " " * 100_000,
        "%J " + "1" * 100_000,
        "%I.0 " + "x    " * 20_000,
        "%I.0 a" + " " * 100_000 + "b\n%J 1 1",
        "%J " + "." * 50 + " .",
        "%J 1e5 nan",
        "%J 400 95",
    ],
)
def test_any_answer_of_a_resolver_is_read_soon(text):
    preset = get_preset("ps1-tap")
    with answering(always(text.encode())) as server, an_error_at_most(2):
        Resolvers(preset.moved(server.url), quick()).place("M 31")


def test_words_of_a_service_do_not_steer_the_terminal():
    words = b"\x1b[2J\x1b]0;gone\x07 no such\x9b table"
    with answering(always(words, status=400)) as server, pytest.raises(RefusedError) as caught:
        quick().get(server.url)
    assert str(caught.value).isprintable()
    assert "no such" in str(caught.value)


# ---- odd words of HTTP -----------------------------------------------------------------------------------------------

HEADERS = [
    {"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"},
    {"Retry-After": "1 Jan 2030 00:00:00 +99999999999999"},
    {"Retry-After": "nan"},
    {"Retry-After": "9" * 5000},
    {"Retry-After": "-1"},
    {"Content-Type": "text/html; charset=\x01"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_odd_words_of_a_refusal_are_no_matter(headers, tmp_path):
    with answering(always(b"closed", status=503, headers=headers)) as server:
        with pytest.raises(RefusedError, match="closed"):
            quick().get(server.url)
        with pytest.raises(SkydexError, match="closed"):
            fetch(WebFile(f"{server.url}/a"), tmp_path, limits=TransferLimits(n_retries=0))


@pytest.mark.parametrize(
    "headers",
    [
        {"Repr-Digest": "sha-256=:\xe9\xe9:"},
        {"Repr-Digest": "sha-256=::"},
        {"Digest": "sha-256=x"},
        {"Last-Modified": "1 Jan 99999999999999999999 00:00:00", "Date": "1 Jan 2030 00:00:00 GMT"},
        {"Last-Modified": "1 Jan 0001 00:00:00 +2300", "Date": "1 Jan 2030 00:00:00 GMT"},
        {"Content-Disposition": "attachment; filename*=utf-8''%00%2e%2e%2fx"},
        {"Content-Disposition": "attachment; filename*=no-such'x'%ff"},
        {"Content-Disposition": "attachment; filename*99999999999999999999*=x; filename*0=y"},
        {"Content-Disposition": 'attachment; filename="../../MANIFEST.jsonl"'},
        {"Content-Disposition": "attachment; filename=" + "../" * 9000 + "x"},
        {"Content-Disposition": ";;;=;filename"},
        {"Content-Type": "\xff\xfe"},
    ],
    ids=lambda headers: str(headers)[:60],
)
def test_odd_words_about_a_file_do_not_matter(headers, tmp_path):
    folder = tmp_path / "into"
    with answering(always(b"1,2\n", headers=headers)) as server, an_error_at_most():
        assert fetch(WebFile(f"{server.url}/a"), folder).parent == folder
    assert {path.name for path in tmp_path.iterdir()} == {"into"}
    assert len([path for path in folder.iterdir() if path.name != "MANIFEST.jsonl"]) <= 1


def test_an_absurd_size_of_a_file_is_none():
    part = always(b"x", status=206, headers={"Content-Range": "bytes 5-5/" + "9" * 5000})
    with answering(part) as server, WebFile(server.url).open(5, '"a"') as opened:
        assert (opened.offset, opened.n_bytes) == (5, None)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "..",
        ".",
        "",
        "\x00",
        "a\x00b",
        "MANIFEST.jsonl",
        "manifest.JSONL",
        "MANIFEST.jsonl.",
        "x.part",
        "con",
        "..\\..\\x",
        "~/x",
        "C:\\x",
        "é" * 400,
        "x." + "y" * 400,
        "\ud800",
        "a" * 3_000_000,
        ".hidden",
        "-rf",
    ],
    ids=lambda name: repr(name)[:30],
)
def test_any_name_becomes_a_plain_one_soon(name, tmp_path):
    begun = time.process_time()
    plain = plain_name(name)
    assert time.process_time() - begun < 1
    (tmp_path / plain).write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == [plain]
    assert plain.lower() != "manifest.jsonl"
    assert not plain.startswith(".")
    assert not plain.endswith(".part")


# ---- passwords -------------------------------------------------------------------------------------------------------


def test_a_password_is_in_no_description_and_in_no_record(tmp_path):
    def files(asked):
        return b"a,b\n1,2\n" if asked.path == "/t.csv" else Reply(b"no", status=404)

    with answering(files) as server:
        address = server.url.replace("http://", f"http://ann:{SECRET}@")
        archive = skydex.connect("mast-hsc", at=address)
        texts = [repr(archive), archive.name, repr(archive.door)]
        manifest = archive.download(f"{address}/t.csv", tmp_path, progress=False)
        assert any("authorization" in asked.headers for asked in server.asked)
        texts += [repr(manifest), repr(list(manifest)), (tmp_path / "MANIFEST.jsonl").read_text()]
        with pytest.raises(IncompleteError) as caught:
            archive.download(f"{address}/missing.csv", tmp_path, progress=False)
        texts += [str(caught.value), repr(caught.value.missing)]
        with pytest.raises(SkydexError) as refused:
            archive.cone("summary", (10, 10), 0.1)
        texts += [str(refused.value)]
        texts += [repr(WebFile(server.url, login=("ann", SECRET)))]
    assert not [text for text in texts if SECRET in text]


def test_a_login_in_the_address_of_a_preset_is_used():
    with answering(always(b"[]")) as server:
        archive = skydex.connect("mast-hsc", at=server.url.replace("http://", f"http://ann:{SECRET}@"))
        with pytest.raises(SkydexError):
            archive.cone("summary", (10, 10), 0.1)
        assert all("authorization" in asked.headers for asked in server.asked)


# ---- odd answers of each service -------------------------------------------------------------------------------------


def metadata(**odd):
    facts = {"name": "MatchID", "type": "long", "db_type": "BIGINT"}
    return json.dumps([{"name": "MatchRA", "type": "double"}, {"name": "MatchDec", "type": "double"}, {**facts, **odd}])


@pytest.mark.parametrize(
    "odd",
    [
        {"default_value": value}
        for value in ("nan", "inf", "1e300", "-1e999", "1.5", "99999999999999999999", [], {}, True)
    ]
    + [
        {"arraysize": value, "type": "string", "db_type": ""}
        for value in ("²*", "9" * 5000, "-1", "0", "*x", [1], "1x2x3")
    ]
    + [{"name": value} for value in (["x"], 5, "\x00", "a" * 100_000, "MatchRA", "a\nb")]
    + [{"type": value, "db_type": value} for value in ([], 5, "no", "\x00")]
    + [
        {"unit": value, "ucd": value, "utype": value, "description": value}
        for value in ([], {}, 5, "\x1b[2J", "a" * 100_000)
    ],
    ids=lambda odd: str(odd)[:60],
)
def test_odd_metadata_of_a_catalogue_give_rows_or_an_error(odd):
    def catalog(asked):
        return (
            metadata(**odd).encode() if asked.path.endswith("/metadata") else b"MatchRA,MatchDec,MatchID\n1.0,2.0,3\n"
        )

    with answering(catalog) as server:
        catalogs = Catalogs(get_preset("mast-hsc").moved(server.url), quick())
        with an_error_at_most(), catalogs.rows(RowsOrder("summary", cone=Cone(1, 2, 0.1))) as rows:
            assert rows.to_arrow()["MatchRA"].to_pylist() == [1.0]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'[{"a":' * 300_000,
        b"[" + b"1," * 100_000 + b"1]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"<html><h1>no</h1>",
        b"9" * 5000,
        b'[{"name":' + b"9" * 5000 + b"}]",
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize(
    ("preset", "ask"),
    [
        ("mast-hsc", lambda archive: archive.cone("summary", (1, 2), 0.1)),
        ("mast-hsc", lambda archive: archive.resolve("M 31")),
        ("mast-psf", lambda archive: archive.stamps("UVIS", chip="1", progress=False)),
    ],
    ids=["cone", "resolve", "stamps"],
)
def test_no_json_of_mast_is_more_than_an_error(body, preset, ask):
    with answering(always(body)) as server:
        archive = skydex.connect(preset, at=server.url)
        archive.door.web.retries = 0
        with pytest.raises(SkydexError) as caught:
            ask(archive)
        assert is_sentence(caught.value)


def test_a_service_that_gives_one_page_again_and_again_is_noticed(monkeypatch):
    monkeypatch.setattr("skydex.client.catalogs.PAGE_ROWS", 2)

    def catalog(asked):
        return metadata().encode() if asked.path.endswith("/metadata") else b"MatchRA,MatchDec,MatchID\n1,2,3\n1,2,4\n"

    with answering(catalog) as server:
        catalogs = Catalogs(get_preset("mast-hsc").moved(server.url), quick())
        with (
            catalogs.rows(RowsOrder("summary", cone=Cone(1, 2, 0.1))) as rows,
            pytest.raises(BadAnswerError, match="again"),
        ):
            rows.to_arrow()


def answer_of(*columns: tuple[str, pa.Array], form: str = "votable/td") -> bytes:
    kinds = {pa.int64(): Datatype.LONG, pa.float64(): Datatype.DOUBLE, pa.string(): Datatype.CHAR}
    described = [Column(name, kinds[v.type], arraysize="*" if v.type == pa.string() else None) for name, v in columns]
    batch = pa.RecordBatch.from_arrays([values for _, values in columns], schema=arrow_schema(described))
    write = get_format(form).write
    return b"".join(write(Result(tuple(described), iter([batch]), "x")))


@pytest.mark.parametrize(
    "columns",
    [
        [("table_name", pa.array([5])), ("description", pa.array([7]))],
        [("table_name", pa.array([None], pa.string())), ("description", pa.array(["x"]))],
        [("table_name", pa.array(["a"])), ("TABLE_NAME", pa.array(["b"]))],
        [("other", pa.array([1.5]))],
        [
            ("table_name", pa.array(["t"])),
            ("column_name", pa.array([5])),
            ("datatype", pa.array([1.5])),
            ("unit", pa.array([5])),
            ("size", pa.array(["9" * 5000])),
            ("arraysize", pa.array([5])),
            ("xtype", pa.array([5])),
            ("ucd", pa.array([1])),
            ("utype", pa.array([1])),
            ("description", pa.array([1])),
        ],
    ],
    ids=["numbers for names", "a null for a name", "a name twice", "another column", "numbers for texts"],
)
def test_odd_answers_of_tap_schema_are_an_error_at_most(columns):
    def tap(asked):
        return answer_of(*columns) if asked.path.endswith("/sync") else Reply(b"no", status=404)

    with answering(tap) as server:
        service = TapService(f"{server.url}/tap", quick())
        with an_error_at_most():
            for table in service.tables():
                service.table(table.name)


@pytest.mark.parametrize(
    "body",
    [
        b"<string>" + b"9" * 5000 + b"</string>",
        b"<string>\xc2\xb2</string>",
        b"<string>-</string>",
        b"<int>-9</int>",
        b"9",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><string>&a;</string>",
        b"<a>" * 100_000,
        b"System.Exception:" + b" " * 100_000,
        b"System.Exception: " + b"x " * 50_000 + b"-",
    ],
    ids=lambda body: repr(body[:25]),
)
@pytest.mark.parametrize("status", [200, 500])
def test_any_answer_of_casjobs_is_an_error_at_most(body, status, monkeypatch):
    monkeypatch.setenv("CASJOBS_WSID", "12")
    monkeypatch.setenv("CASJOBS_PW", SECRET)
    with answering(always(body, status=status)) as server:
        door = far_door(get_preset("mast-casjobs").moved(server.url), quick())
        for ask in (lambda: door.submit(Query("SELECT 1")).phase(), lambda: door.sql("SELECT 1", None).to_arrow()):
            with an_error_at_most(2):
                ask()


def fits_claiming(*axes: int, bitpix: int = -32) -> bytes:
    cards = ["SIMPLE  =                    T", f"BITPIX  = {bitpix:20d}", f"NAXIS   = {len(axes):20d}"]
    cards += [f"NAXIS{n}  = {size:20d}" for n, size in enumerate(axes, 1)]
    return "".join(card.ljust(80) for card in [*cards, "END"]).encode().ljust(2880) + bytes(2880)


@pytest.mark.parametrize(
    "body",
    [
        fits_claiming(10**9, 10**9),
        fits_claiming(2**31, 2**31, 4),
        fits_claiming(10**6, 10**6, bitpix=16),
        fits_claiming(-5, 5),
        fits_claiming(3, 3, bitpix=7),
        b"SIMPLE  =",
        b"SIMPLE  =" + b" " * 100_000,
        b"",
        b"<html>no</html>",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
    ids=lambda body: repr(body[:12]) + str(len(body)),
)
@pytest.mark.parametrize("form", ["fits", "png", "jpeg"])
def test_any_cutout_that_is_none_is_an_error(body, form):
    with answering(always(body)) as server:
        archive = skydex.connect("mast-psf", at=server.url)
        with pytest.raises(SkydexError) as caught:
            archive.cutout("ibc302ioq_flt[1]", x=5, y=5, size=5, form=form)
        assert is_sentence(caught.value)


def test_a_compressed_cutout_that_claims_much_takes_no_memory():
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(np.zeros((10, 10), np.float32))]).writeto(stream)
    claims = stream.getvalue().replace(b"ZNAXIS1 =                   10", b"ZNAXIS1 =          90000000000")
    assert claims != stream.getvalue()
    with pytest.raises(BadAnswerError):
        read_cutout(claims, "fits", "mast", {})


def cards_of(*cards: str) -> bytes:
    return "".join(card.ljust(80) for card in [*cards, "END"]).encode().ljust(2880)


def hostile_tables() -> dict[str, bytes]:
    many = 4 * 10**18
    bintable = cards_of(
        "XTENSION= 'BINTABLE'",
        "BITPIX  = 8",
        "NAXIS   = 2",
        f"NAXIS1  = {many}",
        f"NAXIS2  = {many}",
        "PCOUNT  = 0",
        "GCOUNT  = 1",
        "TFIELDS = 1",
        "TFORM1  = '500000000000000000D'",
        "TTYPE1  = 'x'",
    )
    primary = cards_of("SIMPLE  =                    T", "BITPIX  = 8", "NAXIS   = 0")
    field = '<FIELD name="a" datatype="int"/>'
    table = VOTABLE.format('<TABLE nrows="999999999999999">{}<DATA>{}</DATA></TABLE>')
    return {
        "fits with huge axes": primary + bintable + bytes(2880),
        "a stream that is elsewhere": table.format(
            field, '<BINARY2><STREAM href="file:///etc/passwd"/></BINARY2>'
        ).encode(),
        "a stream that is a gzip bomb": table.format(
            field, '<BINARY2><STREAM encoding="gzip">H4sIAAAA</STREAM></BINARY2>'
        ).encode(),
        "an array that claims much": table.format(
            '<FIELD name="a" datatype="int" arraysize="999999999999999x9999999"/>',
            '<BINARY><STREAM encoding="base64">AAAA</STREAM></BINARY>',
        ).encode(),
        "a text that claims much": table.format(
            '<FIELD name="a" datatype="char" arraysize="*"/>',
            '<BINARY><STREAM encoding="base64">f////wAA</STREAM></BINARY>',
        ).encode(),
        "entities": b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><VOTABLE>&b;</VOTABLE>',
        "an entity from outside": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><VOTABLE>&a;</VOTABLE>',
        "depth": b"<VOTABLE>" + b"<RESOURCE>" * 100_000,
        "arrow": b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(100),
        "arrow file": b"ARROW1\x00\x00" + bytes(100) + b"\xff\xff\xff\x7fARROW1",
        "parquet": b"PAR1" + bytes(100) + b"\xff\xff\xff\x7fPAR1",
        "parquet of one byte": b"PAR1",
        "columns": b",".join(b"c%d" % n for n in range(300_000)) + b"\n" + b"1," * 299_999 + b"1\n",
        "a long line": b"a,b\n" + b"x" * 20_000_000,
        "quotes": b'a,b\n"' + b'"",' * 100_000,
        "json": b'{"data":' + b"[" * 1_000_000,
        "nothing": b"",
        "NUL": bytes(10_000),
        "html": b"<!DOCTYPE html><html><body>Log in</body></html>",
        "ecsv": b"# %ECSV 1.0\n# ---\n# datatype: !!python/object/apply:os.system ['true']\na\n1\n",
        "yaml bomb": b"# %ECSV 1.0\n# ---\n# a: &a [x,x]\n# b: &b [*a,*a]\n# datatype: [*b,*b]\na\n1\n",
    }


@pytest.mark.parametrize("kind", hostile_tables())
@pytest.mark.parametrize("media_type", ["", "text/csv", "application/x-votable+xml", "application/json"])
def test_any_table_that_is_none_is_an_error_at_most(kind, media_type):
    def tap(asked):
        is_query = asked.path.endswith("/sync")
        return Reply(hostile_tables()[kind], headers={"Content-Type": media_type}) if is_query else Reply(status=404)

    with answering(tap) as server:
        service = TapService(f"{server.url}/tap", quick())
        with an_error_at_most(), service.query(Query("SELECT 1", max_rows=10)) as rows:
            rows.to_arrow()
