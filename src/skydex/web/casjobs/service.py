"""CasJobs: where its operations answer, by GET, by POST and as SOAP.

The service `edu.jhu.Cas.Services` as MAST and SDSS run it: `{base}/services/jobs.asmx/{operation}` and
`{base}/casusers.asmx/{operation}`, envelopes and `?WSDL` at the addresses without an operation, and MAST's own
`/cgi-bin/quick_casjobs.cgi`. Addresses count without regard to case, as they do there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from starlette.routing import BaseRoute, Route

from skydex.errors import LoginError, SkydexError, UnknownResourceError, near_names
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.casjobs.answers import XML_TYPE, answered, content_of, fault_text, refuse, status_of
from skydex.web.casjobs.contexts import contexts
from skydex.web.casjobs.job_list import OUTPUT, get_jobs
from skydex.web.casjobs.jobs import (
    ORDERS,
    cancel_job,
    get_job_status,
    get_job_types,
    get_queues,
    output,
    submit_extract_job,
    submit_job,
)
from skydex.web.casjobs.operations import Answer, Kind, Operation, Parameter, text_answer
from skydex.web.casjobs.quick import download, execute_quick_job, execute_quick_job_ds, refuse_download
from skydex.web.casjobs.soap import SoapVersion, read_envelope, version_of
from skydex.web.casjobs.uploads import DATA, received, upload_data
from skydex.web.casjobs.wsdl import DATASET, wsdl
from skydex.web.dali import Parameters, error_headers
from skydex.web.pages import link_list, page
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.views import PlacedRoute

__all__ = ["SERVICE"]

BASES = ("/ps1casjobs", "/hcasjobs", "/casjobs")
"""Where it answers: at MAST's two addresses, and at ours."""
FAST = "/cgi-bin/quick_casjobs.cgi"
_JOBS, _USERS = "services/jobs.asmx", "casusers.asmx"
_POSTS = ("GET", "POST")
_NOBODY = "-1"
"""What stands for the number of a user whose password is wrong."""


async def get_web_service_id(call: Call, parameters: Parameters) -> Answer:
    """The number of a user; a wrong password is no error here."""
    try:
        user = await call.log_in(parameters.find("userid") or "", parameters.find("password") or "")
    except LoginError:
        return text_answer(_NOBODY)
    return text_answer(str(user.wsid))


def _parameters(*names: str) -> tuple[Parameter, ...]:
    """Who asks, and further texts."""
    return (Parameter("wsid", Kind.LONG), Parameter("pw"), *map(Parameter, names))


_QUERIED = (*_parameters("qry", "context", "taskname"), Parameter("isSystem", Kind.BOOLEAN))
_NUMBERED = (*_parameters(), Parameter("jobid", Kind.LONG))
_OWNED = (Parameter("owner_wsid", Kind.LONG), Parameter("owner_pw"), Parameter("conditions"))

OPERATIONS: Mapping[str, tuple[Operation, ...]] = {
    _JOBS: (
        Operation(
            "ExecuteQuickJob", _QUERIED, "string", execute_quick_job, "Run a short query and get its rows as typed CSV."
        ),
        Operation(
            "ExecuteQuickJobDS",
            _QUERIED,
            DATASET,
            execute_quick_job_ds,
            "Run a short query and get its rows as a DataSet.",
        ),
        Operation(
            "SubmitJob",
            (*_parameters("qry", "context", "taskname"), Parameter("estimate", Kind.INT)),
            "long",
            submit_job,
            "Queue a query that may take some minutes; gives the number of the job.",
        ),
        Operation(
            "GetJobStatus", _NUMBERED, "int", get_job_status, "0 ready, 1 started, 3 cancelled, 4 failed, 5 finished."
        ),
        Operation("CancelJob", _NUMBERED, "", cancel_job, "Stop a job."),
        Operation(
            "GetJobs",
            (*_OWNED, Parameter("includeSystem", Kind.BOOLEAN)),
            "ArrayOfCJJob",
            get_jobs,
            'List your jobs, if you like only some: "Status : 5; TimeSubmit : 2024-05-01,".',
        ),
        Operation(
            "SubmitExtractJob",
            _parameters("tableName", "type"),
            "long",
            submit_extract_job,
            "Queue the writing of a table of MyDB to a file (CSV, DataSet, FITS, VOTable); gives the job's number.",
        ),
        Operation(
            "UploadData",
            (*_parameters("tableName", DATA), Parameter("tableExists", Kind.BOOLEAN)),
            "",
            upload_data,
            "Put rows of CSV into a new table of MyDB, or into one that exists.",
            file=DATA,
        ),
        Operation(
            "GetQueues", _parameters(), "ArrayOfCJQueue", get_queues, "Queues, by how many minutes jobs may take."
        ),
        Operation("GetJobTypes", (), "ArrayOfCJType", get_job_types, "Kinds of jobs."),
    ),
    _USERS: (
        Operation(
            "GetWebServiceId",
            (Parameter("userid"), Parameter("password")),
            "string",
            get_web_service_id,
            "The WSID of a user by name and password.",
        ),
    ),
}
"""Everything that can be asked, by the address below the base."""
_NAMES = {_JOBS: "Jobs", _USERS: "CasUsers"}


async def ask(call: Call) -> Reply:
    """Do an operation that the address names."""
    operation = _operation(call, call.part("operation") or "")
    with call.site.folders.folder() as folder:
        parameters = await (received(call, folder) if operation.file else call.parameters())
        return answered(await operation.answer(call, parameters))


async def exchange(call: Call) -> Reply:
    """Do an operation that comes in an envelope; or say what there is."""
    if call.scope["method"] != "POST":
        return _described(call)
    version = version_of(call.header(b"content-type").decode("latin-1"))
    try:
        envelope = read_envelope(await call.posted_text())
        version = envelope.version
        operation, given = _operation(call, envelope.operation), Parameters(envelope.parameters)
        with call.site.folders.folder() as folder:
            parameters = await received(call, folder, given) if operation.file else given
            answer = await content_of(await operation.answer(call, parameters))
    except SkydexError as error:
        return _fault(version, error)
    return Reply(version.answered(operation.name, answer), version.media_type)


def _fault(version: SoapVersion, error: SkydexError) -> Reply:
    reason, status = fault_text(error, is_html=False), status_of(error)
    return Reply(version.fault(reason, is_ours=status >= 500), version.media_type, status, error_headers(error))


def _operation(call: Call, name: str) -> Operation:
    offered = {operation.name.lower(): operation for operation in OPERATIONS[call.part("part") or ""]}
    found = offered.get(name.lower())
    if found is None:
        names = [operation.name for operation in offered.values()]
        raise UnknownResourceError("operation", name[:80], near=near_names(name[:80], names))
    return found


def _described(call: Call) -> Reply:
    """The WSDL, or a page."""
    part = call.part("part") or ""
    url = f"{call.site.url}{call.part('base')}"
    if any(name.lower() == "wsdl" for name, _ in call.query_pairs()):
        return Reply(wsdl(_NAMES[part], OPERATIONS[part], url), XML_TYPE)
    rows = "".join(
        f"<tr><td><code>{one.name}</code></td><td>{', '.join(f'<code>{p.name}</code>' for p in one.parameters)}</td>"
        f"<td>{escape(one.about)}</td></tr>"
        for one in OPERATIONS[part]
    )
    head = "<tr><th>operation</th><th>parameters</th><th></th></tr>"
    links = link_list([Link("For programs", f"{url}?WSDL")])
    words = (
        f"<p>Ask by GET or POST at <code>{escape(url)}/</code> and the name of an operation, or with an envelope.</p>"
    )
    return page(call, f"CasJobs: {_NAMES[part]}", f"{words}{links}<table>{head}{rows}</table>")


async def about(call: Call) -> Reply:
    """What somebody sees who opens the address in a browser."""
    url = call.site.url
    base = f"{url}{BASES[-1]}"
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(offer.title if offer else 'Your own tables')}</td>"
        f"<td>{', '.join(f'<code>{escape(f.name)}</code>' for f in offer.functions) if offer else ''}</td></tr>"
        for name, offer in contexts(call.site.archive, call.owner)
    )
    code = (
        "from mastcasjobs import MastCasJobs\n"
        'jobs = MastCasJobs(username, password, context="MyDB",\n'
        f'    base_url="{base}/{_JOBS}",\n'
        f'    wsid_url="{base}/{_USERS}/GetWebServiceId",\n'
        f'    fast_url="{url}{FAST}")\n'
    )
    links = link_list([Link("Operations on jobs", f"{base}/{_JOBS}"), Link("Operations on users", f"{base}/{_USERS}")])
    words = "<p>Queries in Transact-SQL, tables of your own, and jobs that run while you sleep. With mastcasjobs:</p>"
    table = f"<table><tr><th>context</th><th></th><th>functions</th></tr>{rows}</table>"
    return page(call, "CasJobs", f"{words}<pre>{escape(code)}</pre>{links}<h2>Contexts</h2>{table}")


def _routes(site: Site) -> list[BaseRoute]:
    asked = Endpoint(site, ask, refuse=refuse, methods=_POSTS)
    exchanged = Endpoint(site, exchange, refuse=refuse, methods=_POSTS)
    routes: list[BaseRoute] = [
        Route(FAST, Endpoint(site, download, refuse=refuse_download, methods=_POSTS)),
        Route(f"{OUTPUT}/{{name}}", Endpoint(site, output)),
    ]
    for base in BASES:
        for part in OPERATIONS:
            path = f"{base}/{part}"
            parts = {"base": path, "part": part}
            routes += [PlacedRoute(f"{path}/{{operation}}", asked, parts), PlacedRoute(path, exchanged, parts)]
        routes += [PlacedRoute(base, Endpoint(site, about), {}), PlacedRoute(f"{base}/", Endpoint(site, about), {})]
    return routes


def _links(site: Site) -> Iterable[Link]:
    yield Link("CasJobs: contexts, and how to begin", f"{site.url}{BASES[-1]}")


SERVICE = Service("casjobs", "CasJobs and MyDB", _routes, lambda _: (), _links, ORDERS)
