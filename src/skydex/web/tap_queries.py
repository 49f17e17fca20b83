"""What a table-access request means, whether it is answered at once or later.

TAP 1.1 (IVOA REC 2019-09-27): REQUEST, LANG and QUERY (2.7), MAXREC (2.7.4), errors (3.3) and overflow (3.4). Reading
parameters is DALI's affair (`dali`), and what a query text means is the archive's.
"""

from __future__ import annotations

from skydex.archive import QueryRequest, Upload
from skydex.errors import BadParameterError, SkydexError
from skydex.formats import get_format
from skydex.formats.votable import error_votable
from skydex.query.languages import LANGUAGES, Language
from skydex.settings import Settings
from skydex.web import dali
from skydex.web.asgi import Reply
from skydex.web.workroom import TableOrder

__all__ = ["query_order", "refuse"]

DEFAULT_LANGUAGE = "ADQL"
DEFAULT_FORMAT = "votable"


def query_order(
    parameters: dali.Parameters,
    settings: Settings,
    *,
    owner: str | None,
    collection: str | None,
    uploads: tuple[Upload, ...] = (),
) -> TableOrder:
    """Read what a query by somebody asks: the table, and the name of the format.

    Raises
    ------
    BadParameterError
        A parameter is missing or is none that TAP knows a meaning for.
    UnsupportedFormatError
        The format is not offered.
    """
    form = get_format(_format_name(parameters) or DEFAULT_FORMAT)
    asked = parameters.find("REQUEST")
    if asked is not None and asked.lower() != "doquery":
        raise BadParameterError("REQUEST", 'must be "doQuery".')
    query = parameters.find("QUERY")
    if query is None:
        raise BadParameterError("QUERY", "is missing.")
    max_rows = dali.row_limit(parameters, settings)
    language = _language(parameters)
    request = QueryRequest(query, language, max_rows, owner, collection, uploads)
    return request, form.name


def _format_name(parameters: dali.Parameters) -> str | None:
    """The format that is asked for; of several FORMATs the first.

    astroquery's TapPlus adds another, `format=votable`, to say in what format it uploads a table.
    """
    return parameters.find("RESPONSEFORMAT") or next(filter(None, parameters.values("FORMAT")), None)


def _language(parameters: dali.Parameters) -> str:
    asked = (parameters.find("LANG") or DEFAULT_LANGUAGE).upper()
    offered = [name for language in LANGUAGES.values() for name in (language.name, *_with_versions(language))]
    if asked not in offered:
        raise BadParameterError("LANG", f"must be one of {', '.join(offered)}.")
    return asked


def _with_versions(language: Language) -> list[str]:
    return [f"{language.name}-{version}" for version in language.versions]


def refuse(error: SkydexError) -> Reply:
    """An error as a VOTable."""
    document = error_votable(dali.error_message(error))
    return Reply(document, dali.VOTABLE_TYPE, dali.error_status(error), dali.error_headers(error))
