"""TAPRegExt: what a TAP service says it can.

TAPRegExt 1.0 (IVOA REC 2012-08-27) with erratum 1: languages, versions and features (section 2.3), output formats
(2.4), upload methods (2.5), resource limits (2.6), data models (2.2). The feature lists beyond geometry and user
defined functions are ADQL 2.1's (IVOA REC 2023-12-15). The interface declares version 1.1 and the role `std`, as TAP
1.1 (IVOA REC 2019-09-27), section 2.4, asks. What the features do is the query language's affair.
"""

from __future__ import annotations

from collections.abc import Iterable

from skydex.archive.views import View
from skydex.formats import Format, writable
from skydex.query.functions import USER_DEFINED
from skydex.query.languages import LANGUAGES, Language
from skydex.query.languages.adql import FEATURES
from skydex.settings import Settings
from skydex.tables import OBSCORE, OBSCORE_MODEL
from skydex.web.site import Site
from skydex.web.vosi import SECURITY_METHODS
from skydex.web.xml import element, optional, text

__all__ = ["tap_capability"]

_STANDARD = "ivo://ivoa.net/std"
_REGISTRY = f"{_STANDARD}/TAPRegExt"
_DAY_S = 86_400
_FORMAT_IDS = {
    "votable": "output-votable-binary2",
    "votable/td": "output-votable-td",
    "votable/b": "output-votable-binary",
}
_TOO_NEW = ("features-adql-conditional",)
"""Offered but not declared: validators that know TAPRegExt's record of 2022 take these for mistakes."""


def tap_capability(site: Site, base_url: str, view: View) -> str:
    """The capability element of the TAP service that shows a view at an address."""
    access = text("accessURL", base_url, {"use": "base"})
    interface = {"xsi:type": "vs:ParamHTTP", "role": "std", "version": "1.1"}
    return element(
        "capability",
        optional("description", view.title),
        element("interface", access, *SECURITY_METHODS, attributes=interface),
        *_data_models(view),
        *(_language(language) for language in LANGUAGES.values()),
        *(_output_format(kind) for kind in writable()),
        *_upload_methods(site.settings),
        *_limits(site.settings),
        attributes={"standardID": f"{_STANDARD}/TAP", "xsi:type": "tr:TableAccess"},
    )


def _data_models(view: View) -> Iterable[str]:
    """ObsCore where there is a table of that name, by which clients know that images can be looked for."""
    if any(relation.table.name.lower() == OBSCORE for relation in view.relations):
        yield text("dataModel", "ObsCore-1.1", {"ivo-id": OBSCORE_MODEL})


def _language(language: Language) -> str:
    versions = [
        text("version", version, {"ivo-id": f"{_STANDARD}/{language.name}#v{version}"}) for version in language.versions
    ]
    lists = [
        _features(kind, ((name, "") for name in names)) for kind, names in FEATURES.items() if kind not in _TOO_NEW
    ]
    own = _features("features-udf", ((function.signature or "", function.description) for function in USER_DEFINED))
    return element("language", text("name", language.name), *versions, *lists, own)


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


def _upload_methods(settings: Settings) -> Iterable[str]:
    """Inline is what every service with uploads offers; addresses are fetched only where the operator allows it."""
    for method in ("inline", "http", "https") if settings.upload_from_uri else ("inline",):
        yield element("uploadMethod", attributes={"ivo-id": f"{_REGISTRY}#upload-{method}"})


def _limits(settings: Settings) -> Iterable[str]:
    """Retention and duration are those of jobs; a synchronous query has its own, which TAPRegExt has no words for."""
    yield _time_limit("retentionPeriod", settings.job_days * _DAY_S, settings.job_days_hard * _DAY_S)
    yield _time_limit("executionDuration", settings.job_time_s, settings.job_time_hard_s)
    yield _data_limit("outputLimit", settings.max_rows_default, settings.max_rows_hard, "row")
    yield _data_limit("uploadLimit", settings.upload_mb << 20, settings.upload_mb << 20, "byte")


def _time_limit(tag: str, default_s: float, hard_s: float) -> str:
    return element(tag, text("default", round(default_s)), text("hard", round(hard_s)))


def _data_limit(tag: str, default: int, hard: int, unit: str) -> str:
    return element(tag, text("default", default, {"unit": unit}), text("hard", hard, {"unit": unit}))
