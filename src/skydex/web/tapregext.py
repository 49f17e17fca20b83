"""TAPRegExt: what a TAP service says it can.

TAPRegExt 1.0 (IVOA REC 2012-08-27) with erratum 1: languages, versions and features (section 2.3), output formats
(2.4), upload methods (2.5), resource limits (2.6). The feature lists beyond geometry and user defined functions are
those that ADQL 2.1 (IVOA REC 2023-12-15), section 4, defines. The interface declares version 1.1 and the role `std`, as
TAP 1.1 (IVOA REC 2019-09-27), section 2.4, asks. What the features do is the query language's affair.
"""

from __future__ import annotations

from collections.abc import Iterable

from skydex.formats import Format, writable
from skydex.query.geometry import SHAPES
from skydex.query.languages import LANGUAGES, Language
from skydex.settings import Settings
from skydex.web.site import Site
from skydex.web.xml import element, optional, text

__all__ = ["tap_capability"]

_STANDARD = "ivo://ivoa.net/std"
_REGISTRY = f"{_STANDARD}/TAPRegExt"
_FORMAT_IDS = {
    "votable": "output-votable-binary2",
    "votable/td": "output-votable-td",
    "votable/b": "output-votable-binary",
}
_FEATURES: dict[str, tuple[str, ...]] = {
    "features-adqlgeo": (*SHAPES, "CONTAINS", "INTERSECTS", "DISTANCE"),
    "features-adql-string": ("LOWER", "UPPER", "ILIKE"),
    "features-adql-conditional": ("COALESCE",),
    "features-adql-sets": ("UNION", "EXCEPT", "INTERSECT"),
    "features-adql-common-table": ("WITH",),
    "features-adql-type": ("CAST",),
    "features-adql-offset": ("OFFSET",),
}
"""What ADQL leaves to a service and is offered here, by feature type."""


def tap_capability(site: Site, base_url: str) -> str:
    """The capability element of the TAP service at an address."""
    access = text("accessURL", base_url, {"use": "base"})
    interface = {"xsi:type": "vs:ParamHTTP", "role": "std", "version": "1.1"}
    return element(
        "capability",
        element("interface", access, attributes=interface),
        *(_language(language) for language in LANGUAGES.values()),
        *(_output_format(kind) for kind in writable()),
        *_limits(site.settings),
        attributes={"standardID": f"{_STANDARD}/TAP", "xsi:type": "tr:TableAccess"},
    )


def _language(language: Language) -> str:
    versions = [
        text("version", version, {"ivo-id": f"{_STANDARD}/{language.name}#v{version}"}) for version in language.versions
    ]
    lists = [_features(kind, ((name, "") for name in names)) for kind, names in _FEATURES.items()]
    return element("language", text("name", language.name), *versions, *lists)


def _features(kind: str, features: Iterable[tuple[str, str]]) -> str:
    forms = [element("feature", text("form", form), optional("description", about)) for form, about in features]
    return element("languageFeatures", *forms, attributes={"type": f"{_REGISTRY}#{kind}"}) if forms else ""


def _output_format(kind: Format) -> str:
    identifier = _FORMAT_IDS.get(kind.name)
    return element(
        "outputFormat",
        text("mime", kind.media_type),
        *(text("alias", alias) for alias in dict.fromkeys((kind.name, *kind.aliases)) if alias != kind.media_type),
        attributes={"ivo-id": f"{_REGISTRY}#{identifier}" if identifier else None},
    )


def _limits(settings: Settings) -> Iterable[str]:
    yield _time_limit("executionDuration", settings.query_time_s, settings.query_time_s)
    yield _data_limit("outputLimit", settings.max_rows_default, settings.max_rows_hard, "row")


def _time_limit(tag: str, default_s: float, hard_s: float) -> str:
    return element(tag, text("default", round(default_s)), text("hard", round(hard_s)))


def _data_limit(tag: str, default: int, hard: int, unit: str) -> str:
    return element(tag, text("default", default, {"unit": unit}), text("hard", hard, {"unit": unit}))
