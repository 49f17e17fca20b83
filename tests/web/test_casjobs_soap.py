"""Envelopes as clients send them, and as nobody should."""

from __future__ import annotations

import pytest
from lxml import etree

from skydex.errors import BadParameterError
from skydex.web.casjobs.operations import Answer
from skydex.web.casjobs.soap import SOAP_11, SOAP_12, read_envelope

ENVELOPE = """<?xml version="1.0"?>
<s:Envelope xmlns:s="{namespace}"><s:Header><x/></s:Header><s:Body>
<ExecuteQuickJob xmlns="http://Services.Cas.jhu.edu"><wsid>7</wsid><pw> p &amp; w</pw>
<qry><![CDATA[select 1 where 1 < 2]]></qry><taskname/></ExecuteQuickJob></s:Body></s:Envelope>"""


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_an_envelope_names_an_operation_and_its_parameters(version):
    envelope = read_envelope(ENVELOPE.format(namespace=version.namespace).encode())
    assert envelope.version is version
    assert envelope.operation == "ExecuteQuickJob"
    assert envelope.parameters == (("wsid", "7"), ("pw", " p & w"), ("qry", "select 1 where 1 < 2"), ("taskname", ""))


def wrapped(inner: str) -> bytes:
    return f'<E:Envelope xmlns:E="{SOAP_11.namespace}">{inner}</E:Envelope>'.encode()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not well-formed"),
        (b"<a>", "not well-formed"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "not well-formed"),
        (b'<?xml version="1.0" encoding="hex"?><a/>', "not well-formed"),
        (b'<?xml version="1.0" encoding="undefined"?><a/>', "not well-formed"),
        (b'<?xml version="1.0" encoding="no such"?><a/>', "not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "not well-formed"),
        (b"<a/>", "no envelope"),
        (b'<Envelope xmlns="urn:x"><Body><a/></Body></Envelope>', "no envelope"),
        (wrapped("<E:Body/>"), "asks nothing"),
        (wrapped("<E:Body><a/><b/></E:Body>"), "more than one"),
        (wrapped("<E:Body>" + "<a>" * 60 + "</a>" * 60 + "</E:Body>"), "deeply"),
        (wrapped("<E:Body><a>" + "<b/>" * 101 + "</a></E:Body>"), "more than 100"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + wrapped("<E:Body><a><b>&b;</b></a></E:Body>"), "DOCTYPE"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd">' + wrapped("<E:Body><a/></E:Body>"), "DOCTYPE"),
    ],
)
def test_what_is_no_envelope_is_refused(body, says):
    with pytest.raises(BadParameterError, match=says):
        read_envelope(body)


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_answers_and_faults_are_well_formed_whatever_they_say(version):
    answer = etree.fromstring(version.answered("GetJobStatus", Answer("int", "5")))
    assert answer.findtext(".//{http://Services.Cas.jhu.edu}GetJobStatusResult") == "5"
    fault = etree.fromstring(version.fault("<b>&\x00 ]]>", is_ours=True))
    assert "<b>& ]]>" in "".join(fault.itertext())
