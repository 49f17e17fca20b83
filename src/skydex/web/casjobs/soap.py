"""Envelopes: requests that come as SOAP, and answers that go back so.

SOAP 1.1 (W3C NOTE 2000-05-08) and SOAP 1.2 (W3C REC 2007-04-27), document/literal as ASP.NET writes it: the body has
one element, named after the operation, whose children are the parameters. An envelope is read without ever building a
document: a DOCTYPE is refused (SOAP 1.1, section 3), and of anything deeper than a parameter only its text counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat

from skydex.errors import BadParameterError
from skydex.formats.typed import NAMESPACE
from skydex.tables import xml_text
from skydex.web.casjobs.operations import Answer

__all__ = ["SOAP_11", "SOAP_12", "Envelope", "SoapVersion", "read_envelope", "version_of"]

_DEEPEST = 50
_MOST_PARAMETERS = 100
_BETWEEN = "|"
"""Between a namespace and a name, as expat gives them."""


@dataclass(frozen=True)
class SoapVersion:
    """A version of SOAP, and how it writes what differs."""

    namespace: str
    """Of its envelope."""
    media_type: str
    """Of its messages."""

    def envelope(self, content: str) -> bytes:
        """A message with something in its body."""
        return (
            f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{self.namespace}"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
            f"<soap:Body>{content}</soap:Body></soap:Envelope>\n"
        ).encode()

    def answered(self, operation: str, answer: Answer) -> bytes:
        """The answer of an operation."""
        result = f"<{operation}Result>{answer.content}</{operation}Result>" if answer.kind else ""
        return self.envelope(f'<{operation}Response xmlns="{NAMESPACE}">{result}</{operation}Response>')

    def fault(self, reason: str, *, is_ours: bool) -> bytes:
        """An error; `is_ours` if the asker cannot mend it."""
        if self is SOAP_11:
            code = f"<faultcode>soap:{'Server' if is_ours else 'Client'}</faultcode>"
            told = f"{code}<faultstring>{xml_text(reason)}</faultstring><detail/>"
        else:
            code = f"<soap:Code><soap:Value>soap:{'Receiver' if is_ours else 'Sender'}</soap:Value></soap:Code>"
            told = f'{code}<soap:Reason><soap:Text xml:lang="en">{xml_text(reason)}</soap:Text></soap:Reason>'
        return self.envelope(f"<soap:Fault>{told}</soap:Fault>")


SOAP_11 = SoapVersion("http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8")
SOAP_12 = SoapVersion("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8")
_VERSIONS = {version.namespace: version for version in (SOAP_11, SOAP_12)}


@dataclass(frozen=True)
class Envelope:
    """A request, read."""

    version: SoapVersion
    """Whose rules it follows."""
    operation: str
    """Name of the operation."""
    parameters: tuple[tuple[str, str], ...]
    """Names and values."""


def version_of(content_type: str) -> SoapVersion:
    """The version whose messages have a media type, as far as that tells."""
    return SOAP_12 if content_type.partition(";")[0].strip().lower() == "application/soap+xml" else SOAP_11


def read_envelope(body: bytes) -> Envelope:
    """Read a request.

    Raises
    ------
    BadParameterError
        It is no envelope, or has a DOCTYPE.
    """
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=_BETWEEN)
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.StartDoctypeDeclHandler = reading.doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise _mistake(f"is not well-formed XML (line {error.lineno})") from error
    except (LookupError, ValueError) as error:  # an encoding that expat asks Python for
        raise _mistake("is not well-formed XML (in UTF-8)") from error
    return reading.envelope()


class _Reading:
    """What was seen of an envelope so far."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._version: SoapVersion | None = None
        self._operation = ""
        self._parameters: list[tuple[str, str]] = []
        self._texts: list[str] = []

    def start(self, name: str, _: object) -> None:
        namespace, _, local = name.rpartition(_BETWEEN)
        self._path.append(local)
        if len(self._path) > _DEEPEST:
            raise _mistake("is nested too deeply")
        if len(self._path) == 1:
            self._version = _VERSIONS.get(namespace) if local == "Envelope" else None
        elif self._is_in_body(3):
            if self._operation:
                raise _mistake("asks more than one thing")
            self._operation = local
        elif self._is_in_body(4):
            self._texts.clear()

    def end(self, _: str) -> None:
        if self._is_in_body(4):
            if len(self._parameters) >= _MOST_PARAMETERS:
                raise _mistake(f"has more than {_MOST_PARAMETERS} parameters")
            self._parameters.append((self._path[-1], "".join(self._texts)))
        self._path.pop()

    def text(self, text: str) -> None:
        if len(self._path) >= 4:
            self._texts.append(text)

    def doctype(self, *_: object) -> None:
        raise _mistake("has a DOCTYPE")

    def envelope(self) -> Envelope:
        if self._version is None:
            raise _mistake("is no envelope of SOAP 1.1 or 1.2")
        if not self._operation:
            raise _mistake("asks nothing")
        return Envelope(self._version, self._operation, tuple(self._parameters))

    def _is_in_body(self, depth: int) -> bool:
        return len(self._path) == depth and self._path[:2] == ["Envelope", "Body"]


def _mistake(problem: str) -> BadParameterError:
    return BadParameterError("request", f"{problem}: send an envelope as the WSDL describes it.")
