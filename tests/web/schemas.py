"""IVOA's XML schemas, as STILTS and astropy carry them; nothing is fetched."""

from __future__ import annotations

import functools
import re
import zipfile
from pathlib import Path

import pytest
from lxml import etree

JAR = Path("/usr/share/java/starlink-ttools.jar")
FOLDER = "uk/ac/starlink/ttools/taplint/"
FILES = {
    "http://www.ivoa.net/xml/VOResource/v1.0": "VOResource-v1.1.xsd",
    "http://www.ivoa.net/xml/VODataService/v1.1": "VODataService-v1.2.xsd",
    "http://www.ivoa.net/xml/TAPRegExt/v1.0": "TAPRegExt-v1.0-Erratum1.xsd",
    "http://www.ivoa.net/xml/VOSITables/v1.0": "VOSITables-v1.1.xsd",
    "http://www.ivoa.net/xml/VOSICapabilities/v1.0": "VOSICapabilities-v1.0.xsd",
    "http://www.ivoa.net/xml/VOSIAvailability/v1.0": "VOSIAvailability-v1.0.xsd",
    "http://www.ivoa.net/xml/UWS/v1.0": "UWS-v1.1.xsd",
    "http://www.ivoa.net/xml/STC/stc-v1.30.xsd": "stc-v1.30.xsd",
    "http://www.w3.org/1999/xlink": "xlink.xsd",
    "http://www.w3.org/XML/1998/namespace": "xmlnamespace.xsd",
}


@functools.cache
def vo_schema(folder: Path) -> etree.XMLSchema:
    """All schemas of VO service documents as one; skips where STILTS, which carries them, is not installed."""
    if not JAR.is_file():
        pytest.skip("STILTS, which carries the IVOA schemas, is not installed")
    with zipfile.ZipFile(JAR) as jar:
        for name in FILES.values():
            (folder / name).write_text(_imports_made_local(jar.read(FOLDER + name).decode()))
    imports = "".join(f'<xs:import namespace="{ns}" schemaLocation="{name}"/>' for ns, name in FILES.items())
    (folder / "all.xsd").write_text(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>')
    return etree.XMLSchema(etree.parse(folder / "all.xsd"))


def _imports_made_local(text: str) -> str:
    def local(found: re.Match[str]) -> str:
        namespace = re.search(r'namespace="([^"]+)"', found[0])[1]
        return re.sub(r'schemaLocation="[^"]*"', f'schemaLocation="{FILES[namespace]}"', found[0])

    return re.sub(r"<xsd?:import\b[^>]*>", local, text)
