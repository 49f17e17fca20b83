"""The WSDL: what a service can be asked, described for programs that make clients of it.

WSDL 1.1 (W3C NOTE 2001-03-15), document/literal with wrapped parameters as ASP.NET writes it, bound to SOAP 1.1 and
1.2. Everything follows from the operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skydex.formats.typed import NAMESPACE
from skydex.web.casjobs.operations import Operation
from skydex.web.xml import document, element, text

__all__ = ["wsdl"]

_NAMESPACES = {
    "xmlns:wsdl": "http://schemas.xmlsoap.org/wsdl/",
    "xmlns:s": "http://www.w3.org/2001/XMLSchema",
    "xmlns:soap": "http://schemas.xmlsoap.org/wsdl/soap/",
    "xmlns:soap12": "http://schemas.xmlsoap.org/wsdl/soap12/",
    "xmlns:tns": NAMESPACE,
}
_HTTP = "http://schemas.xmlsoap.org/soap/http"
_PLAIN = ("string", "long", "int", "boolean", "dateTime")
DATASET = "DataSet"
"""A type that no schema describes: a table with a schema of its own inside."""
_RECORDS: dict[str, Sequence[tuple[str, str]]] = {
    "CJJob": (
        ("JobID", "long"),
        ("Rows", "long"),
        ("WebServicesID", "long"),
        ("TimeSubmit", "dateTime"),
        ("TimeStart", "dateTime"),
        ("TimeEnd", "dateTime"),
        ("Status", "int"),
        ("Queue", "int"),
        ("TaskName", "string"),
        ("OutputLoc", "string"),
        ("Error", "string"),
        ("Query", "string"),
        ("Context", "string"),
        ("Type", "string"),
    ),
    "CJQueue": (("Context", "string"), ("Timeout", "int")),
    "CJType": (("Type", "string"), ("Description", "string")),
}
"""What a job, a queue and a kind of job have, each in its order; nothing of it has to be there."""


def wsdl(name: str, operations: Sequence[Operation], url: str) -> bytes:
    """Describe a service.

    Parameters
    ----------
    name : str
        What the service is called.
    operations : sequence of Operation
        What it can be asked.
    url : str
        Its public address.
    """
    bindings = (("Soap", "soap"), ("Soap12", "soap12"))
    return document(
        element(
            "wsdl:definitions",
            element("wsdl:types", _schema(operations)),
            *(_message(f"{one.name}Soap{way}", f"{one.name}{end}") for one in operations for way, end in _WAYS),
            _port_type(name, operations),
            *(_binding(name, end, prefix, operations) for end, prefix in bindings),
            element("wsdl:service", *(_port(name, *which, url) for which in bindings), attributes={"name": name}),
            attributes={**_NAMESPACES, "targetNamespace": NAMESPACE},
        )
    )


_WAYS = (("In", ""), ("Out", "Response"))


def _schema(operations: Sequence[Operation]) -> str:
    lists = {one.returns for one in operations if one.returns.startswith("ArrayOf")}
    types = (part for name in sorted(lists) for part in (_list(name), _record(name.removeprefix("ArrayOf"))))
    elements = (part for one in operations for part in (_request(one), _response(one)))
    facts = {"elementFormDefault": "qualified", "targetNamespace": NAMESPACE}
    return element("s:schema", *elements, *types, attributes=facts)


def _request(operation: Operation) -> str:
    fields = (_field(one.name, one.kind, is_needed=one.kind != "string") for one in operation.parameters)
    return _element(operation.name, fields)


def _response(operation: Operation) -> str:
    result = f"{operation.name}Result"
    if operation.returns == DATASET:
        inner = _complex([element("s:any", attributes={"minOccurs": "0", "maxOccurs": "2", "processContents": "skip"})])
        fields = [element("s:element", inner, attributes={"minOccurs": "0", "maxOccurs": "1", "name": result})]
    else:
        kind = operation.returns
        fields = [_field(result, kind, is_needed=kind in ("long", "int"))] if kind else []
    return _element(f"{operation.name}Response", fields)


def _element(name: str, fields: Iterable[str]) -> str:
    return element("s:element", _complex(fields), attributes={"name": name})


def _complex(fields: Iterable[str], name: str | None = None) -> str:
    return element("s:complexType", element("s:sequence", *fields), attributes={"name": name})


def _field(name: str, kind: str, *, is_needed: bool = False, most: str = "1") -> str:
    typed = f"{'s' if kind in _PLAIN else 'tns'}:{kind}"
    facts = {"minOccurs": "1" if is_needed else "0", "maxOccurs": most, "name": name, "type": typed}
    return element("s:element", attributes=facts)


def _list(name: str) -> str:
    kind = name.removeprefix("ArrayOf")
    return _complex([_field(kind, kind, most="unbounded")], name)


def _record(name: str) -> str:
    return _complex([_field(*fact) for fact in _RECORDS[name]], name)


def _message(name: str, of: str) -> str:
    part = element("wsdl:part", attributes={"name": "parameters", "element": f"tns:{of}"})
    return element("wsdl:message", part, attributes={"name": name})


def _port_type(name: str, operations: Sequence[Operation]) -> str:
    described = (
        element(
            "wsdl:operation",
            text("wsdl:documentation", one.about),
            element("wsdl:input", attributes={"message": f"tns:{one.name}SoapIn"}),
            element("wsdl:output", attributes={"message": f"tns:{one.name}SoapOut"}),
            attributes={"name": one.name},
        )
        for one in operations
    )
    return element("wsdl:portType", *described, attributes={"name": f"{name}Soap"})


def _binding(name: str, end: str, prefix: str, operations: Sequence[Operation]) -> str:
    body = element(f"{prefix}:body", attributes={"use": "literal"})
    bound = (
        element(
            "wsdl:operation",
            element(f"{prefix}:operation", attributes={"soapAction": f"{NAMESPACE}/{one.name}", "style": "document"}),
            element("wsdl:input", body),
            element("wsdl:output", body),
            attributes={"name": one.name},
        )
        for one in operations
    )
    transport = element(f"{prefix}:binding", attributes={"transport": _HTTP})
    return element("wsdl:binding", transport, *bound, attributes={"name": f"{name}{end}", "type": f"tns:{name}Soap"})


def _port(name: str, end: str, prefix: str, url: str) -> str:
    address = element(f"{prefix}:address", attributes={"location": url})
    return element("wsdl:port", address, attributes={"name": f"{name}{end}", "binding": f"tns:{name}{end}"})
