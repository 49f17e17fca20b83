"""Asking a server for jobs over plain HTTP."""

from __future__ import annotations

from lxml import etree

UWS = {"uws": "http://www.ivoa.net/xml/UWS/v1.0"}
HREF = "{http://www.w3.org/1999/xlink}href"
QUICK = "SELECT TOP 5 star_id, ra FROM sky.stars"
ENDLESS = (
    "SELECT COUNT(*) FROM sky.detections AS a, sky.detections AS b, sky.detections AS c "
    "WHERE SIN(a.mjd * b.mjd * c.mjd) > 2"
)
"""Trillions of pairs: it ends only if somebody ends it."""
FINAL = ("COMPLETED", "ERROR", "ABORTED")


def posted(web, query=QUICK, *, base="/tap", **fields):
    """The answer to a POST that makes a job."""
    asked = {"LANG": "ADQL", **({"QUERY": query} if query else {}), **fields}
    return web.post(f"{base}/async", data=asked)


def created(web, query=QUICK, **fields):
    """The address of a new job."""
    answer = posted(web, query, **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def finished(web, query=QUICK, **fields):
    """The address of a job that has run to its end."""
    job = created(web, query, PHASE="RUN", **fields)
    assert ended(web, job) in FINAL
    return job


def ended(web, job):
    """The phase of a job when it has ended."""
    for _ in range(20):
        found = value(document(web.get(job, params={"WAIT": -1})), "phase")
        if found in FINAL:
            return found
    raise AssertionError(f"{job} is still {found}")


def until(web, job, phase):
    """Wait until a job is in a phase."""
    for _ in range(600):
        if (found := phase_of(web, job)) == phase:
            return
        web.get(job, params={"WAIT": 1, "PHASE": found})
    raise AssertionError(f"{job} is still {found}")


def phase_of(web, job):
    return web.get(f"{job}/phase").text


def document(answer):
    assert answer.status_code == 200, answer.text
    return etree.fromstring(answer.content)


def value(root, name):
    """The text of a child; None where it is nil, empty or not there."""
    return root.findtext(f"uws:{name}", namespaces=UWS) or None


def parameters(root):
    found = root.findall(".//uws:parameter", namespaces=UWS)
    return {parameter.get("id"): parameter.text for parameter in found}


def message(answer):
    """The text of an error document."""
    root = etree.fromstring(answer.content)
    (info,) = root.iter("{*}INFO")
    assert (info.get("name"), info.get("value")) == ("QUERY_STATUS", "ERROR")
    return info.text
