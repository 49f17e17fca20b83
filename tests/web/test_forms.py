"""Forms as they come in: whole, cut anywhere, broken, and hostile."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skydex.errors import BadParameterError, BodyTooLargeError, SkydexError
from skydex.web.dali import Parameters, error_text
from skydex.web.forms import NO_FILES, form_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xx"
BODY = (
    b'--xx\r\nContent-Disposition: form-data; name="LANG"\r\n\r\nADQL\r\n'
    b'--xx\r\nContent-Disposition: form-data; name="QUERY"\r\n\r\nSELECT 1 AS \xce\xb1\r\n'
    b'--xx\r\nContent-Disposition: form-data; name="u"; filename="u"\r\nContent-Type: text/xml\r\n\r\n<VOTABLE/>\r\n'
    b"--xx--\r\n"
)


class Kept:
    """Files that are kept in memory."""

    def __init__(self):
        self.files = []

    def begin(self, head):
        self.files.append((head, bytearray()))

    def add(self, piece):
        self.files[-1][1].extend(piece)

    def end(self):
        pass


def read(body, content_type=MULTIPART, *, files=NO_FILES, max_mb=1, step=1 << 16, large=()):
    form = form_of(content_type, max_mb, files, large)
    for start in range(0, len(body), step):
        form.add(body[start : start + step])
    return Parameters(form.pairs())


def part(disposition, data=b"x", *headers):
    head = b"\r\n".join([b"Content-Disposition: " + disposition, *headers])
    return b"--xx\r\n" + head + b"\r\n\r\n" + data + b"\r\n"


def test_an_urlencoded_form_is_read_whatever_its_charset():
    assert read(b"QUERY=a+%3C+b", f"{URLENCODED}; charset=utf-8").find("QUERY") == "a < b"
    assert read(b"QUERY=1", "").find("QUERY") == "1"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50, 10_000])
def test_a_multipart_form_may_be_cut_anywhere(step):
    kept = Kept()
    parameters = read(BODY, files=kept, step=step)
    assert parameters.find("QUERY") == "SELECT 1 AS α"
    assert list(parameters.values("u")) == [""]
    ((head, data),) = kept.files
    assert (head.name, head.file_name, head.content_type, bytes(data)) == ("u", "u", "text/xml", b"<VOTABLE/>")


def test_a_part_that_is_not_text_is_a_file_even_without_a_name():
    kept = Kept()
    read(part(b'form-data; name="u"', b"\x00\xff", b"Content-Type: application/x-votable+xml") + b"--xx--", files=kept)
    assert bytes(kept.files[0][1]) == b"\x00\xff"
    plain = part(b'form-data; name="LANG"', b"ADQL", b"Content-Type: text/plain; charset=US-ASCII") + b"--xx--"
    assert read(plain).find("LANG") == "ADQL"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'form-data; name="u"; filename="t.vot"', "t.vot"),
        (b"form-data; name=u; filename=t.vot", "t.vot"),
        (b'form-data; name="u"; filename="a\\"b.csv"', 'a"b.csv'),
        ('form-data; name="u"; filename="αβ.csv"'.encode(), "αβ.csv"),
        (b'form-data; filename="t.vot"; name="u"', "t.vot"),
        (b'FORM-DATA; NAME="u"; FILENAME=""', ""),
    ],
)
def test_names_of_files_are_read_however_they_are_written(disposition, name):
    kept = Kept()
    read(part(disposition, b"x", b"CONTENT-TRANSFER-ENCODING: Binary") + b"--xx--", files=kept)
    assert (kept.files[0][0].name, kept.files[0][0].file_name) == ("u", name)


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain"])
def test_a_body_that_is_no_form_is_refused(content_type):
    with pytest.raises(BadParameterError, match="Content-Type"):
        read(b"{}", content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        BODY[:-8],
        BODY[: len(BODY) // 2],
        b"no boundary at all",
        part(b"form-data") + b"--xx--",
        part(b'form-data; name=""') + b"--xx--",
        part(b'form-data; name="' + b"n" * 1000 + b'"') + b"--xx--",
        part(b'form-data; name="a"', b"x", b"X: " + b"y" * 100_000) + b"--xx--",
        part(b'form-data; name="a"', b"x", *[b"X: y"] * 1000) + b"--xx--",
        b"--xx\r\nno header\r\n\r\nx\r\n--xx--",
        part(b'form-data; name="a"', b"eA==", b"Content-Transfer-Encoding: base64") + b"--xx--",
        BODY.replace(b"\r\n", b"\n"),
    ],
    ids=[
        "empty",
        "no end",
        "half",
        "no boundary",
        "no name",
        "empty name",
        "long name",
        "long header",
        "headers",
        "no",
        "base64",
        "lines end in LF",
    ],
)
def test_a_multipart_form_that_is_broken_is_refused(body):
    with pytest.raises(BadParameterError, match="not the multipart form"):
        read(body)


def test_a_boundary_that_is_too_long_is_refused():
    with pytest.raises(BadParameterError, match="not the multipart form"):
        read(b"", f"multipart/form-data; boundary={'x' * 1000}")


def test_thousands_of_parts_are_refused():
    with pytest.raises(BadParameterError, match="1000"):
        read(part(b'form-data; name="a"') * 1001 + b"--xx--")


@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART])
def test_texts_are_limited_together(content_type):
    text = b"x" * (1 << 19)
    body = b"a=" + text + b"&b=" + text
    if content_type == MULTIPART:
        body = part(b'form-data; name="a"', text) * 3 + b"--xx--"
    with pytest.raises(BodyTooLargeError):
        read(body, content_type)


def test_r07_a_form_of_what_is_nearly_a_boundary_does_not_hold_the_server(monkeypatch):
    monkeypatch.setattr("skydex.web.forms._MOST_CPU_S", 0.05)
    with pytest.raises(BadParameterError, match="too long"):
        read(part(b'form-data; name="a"; filename="a"', b"\r\n--xxy" * 1_000_000) + b"--xx--")


@given(st.binary(max_size=300))
def test_r07_any_bytes_are_parameters_or_a_proper_refusal(body):
    for content_type in (URLENCODED, MULTIPART):
        try:
            read(body, content_type, step=100).find("QUERY")
        except SkydexError as error:
            error_text(error)


LARGE = urlencode({"tableName": "t+1", "data": 'a,b\n1,"x & 50%"\nα,2+2\n', "x": "%41", "pw": "p w"}).encode()


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 50, 10_000])
def test_a_large_field_of_an_urlencoded_form_goes_to_the_files_wherever_it_is_cut(step):
    kept = Kept()
    parameters = read(LARGE, URLENCODED, files=kept, step=step, large={"data"}, max_mb=1)
    assert [parameters.find(name) for name in ("tableName", "data", "x", "pw")] == ["t+1", None, "%41", "p w"]
    ((head, data),) = kept.files
    assert (head.name, bytes(data).decode()) == ("data", 'a,b\n1,"x & 50%"\nα,2+2\n')


@given(st.binary(max_size=60), st.integers(1, 9))
def test_large_fields_are_decoded_as_python_decodes_them(value, step):
    kept = Kept()
    escaped = value.replace(b"&", b"%26")
    read(b"DATA=" + escaped, URLENCODED, files=kept, step=step, large={"data"})
    assert bytes(kept.files[0][1]) == unquote_to_bytes(escaped.replace(b"+", b" "))


def test_a_large_field_counts_for_the_files_and_others_for_the_form():
    kept = Kept()
    body = b"data=" + b"x" * (2 << 20)
    read(body, URLENCODED, files=kept, large={"data"})
    assert len(kept.files[0][1]) == 2 << 20
    with pytest.raises(BodyTooLargeError):
        read(body.replace(b"data", b"other"), URLENCODED, files=kept, large={"data"})
    with pytest.raises(BadParameterError, match="parameters"):
        read(b"&" * 100_000, URLENCODED, files=kept, large={"data"})


def test_a_large_field_of_a_multipart_form_goes_to_the_files():
    kept = Kept()
    read(part(b'form-data; name="data"', b"a,b") + b"--xx--\r\n", files=kept, large={"data"})
    assert bytes(kept.files[0][1]) == b"a,b"
