"""Services as VOTable describes them beside a table: resources of the type `meta`.

DataLink 1.1 (IVOA REC 2023-12-15), section 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skydex.tables import InputParameter, ServiceDescriptor, xml_attribute, xml_text

__all__ = ["services_xml"]


def services_xml(services: Iterable[ServiceDescriptor], identifiers: Mapping[str, str]) -> str:
    """Write one RESOURCE for each service.

    Parameters
    ----------
    services : iterable of ServiceDescriptor
        What to describe.
    identifiers : mapping of str
        The ID of each FIELD in the document, by the name of its column.
    """
    return "".join(_resource(service, identifiers) for service in services)


def _resource(service: ServiceDescriptor, identifiers: Mapping[str, str]) -> str:
    facts = {"standardID": service.standard_id, "accessURL": service.access_url, "contentType": service.content_type}
    about = f"<DESCRIPTION>{xml_text(service.description)}</DESCRIPTION>\n" if service.description else ""
    params = "".join(f"{_fixed(name, value)}\n" for name, value in facts.items() if value)
    inputs = "".join(f"{_input(parameter, identifiers)}\n" for parameter in service.inputs)
    utype = "adhoc:this" if service.is_this else "adhoc:service"
    words = _attributes({"type": "meta", "ID": service.identifier, "utype": utype})
    return f'<RESOURCE{words}>\n{about}{params}<GROUP name="inputParams">\n{inputs}</GROUP>\n</RESOURCE>\n'


def _fixed(name: str, value: str) -> str:
    return f'<PARAM name="{name}" datatype="char" arraysize="*" value={xml_attribute(value)}/>'


def _input(parameter: InputParameter, identifiers: Mapping[str, str]) -> str:
    words = _attributes(
        {
            "name": parameter.name,
            "datatype": parameter.datatype,
            "arraysize": parameter.arraysize,
            "unit": parameter.unit,
            "ucd": parameter.ucd,
            "xtype": parameter.xtype,
            "ref": identifiers[parameter.column] if parameter.column else None,
        }
    )
    about = f"<DESCRIPTION>{xml_text(parameter.description)}</DESCRIPTION>" if parameter.description else ""
    inner = about + _values(parameter)
    head = f"<PARAM{words} value={xml_attribute(parameter.value)}"
    return f"{head}>{inner}</PARAM>" if inner else f"{head}/>"


def _values(parameter: InputParameter) -> str:
    least = f"<MIN value={xml_attribute(parameter.least)}/>" if parameter.least else ""
    most = f"<MAX value={xml_attribute(parameter.most)}/>" if parameter.most else ""
    options = "".join(f"<OPTION value={xml_attribute(option)}/>" for option in parameter.options)
    inner = least + most + options
    return f"<VALUES>{inner}</VALUES>" if inner else ""


def _attributes(facts: Mapping[str, str | None]) -> str:
    return "".join(f" {key}={xml_attribute(value)}" for key, value in facts.items() if value)
