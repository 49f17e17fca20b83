"""Conditions of GetJobs, as clients write them."""

from __future__ import annotations

import datetime

import pytest

from skydex.errors import BadParameterError
from skydex.web.casjobs.conditions import parse_conditions

NOON = int(datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC).timestamp())
JOB = {
    "JobID": 777,
    "Status": 5,
    "Queue": 30,
    "TaskName": "HCV demo",
    "TimeSubmit": NOON,
    "TimeEnd": None,
    "Query": "select a, b from t",
    "Context": "HSCv3",
    "WSID": 1234567890,
}


def holds(text: str) -> bool:
    return all(condition.holds(JOB) for condition in parse_conditions(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jobid : 777;status : 5",
        "JOBID:777",
        "jobid : 1|777",
        "jobid : 700,800",
        "jobid : 777,",
        "jobid : ,777",
        "jobid:1|700,|,3",
        "status : finished",
        "status:3|4|5;;",
        "taskname : hcv DEMO",
        "context : hscv3",
        "query : select a, b from t",
        "taskname : h,i",
        "TimeSubmit : 2024-05-01T12:00:00",
        "TimeSubmit : 2024-05-01",
        "TimeSubmit : 2024-05-01,2024-05-01",
        "TimeSubmit : 5/1/2024 12:00:00 PM",
        "TimeSubmit : 5/1/2024,",
        "TimeSubmit : ,2024-05-01 12:00",
        "wsid : 1234567890",
    ],
)
def test_conditions_that_hold(text):
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "jobid : 778",
        "jobid : 778,",
        "jobid : ,776",
        "status : 5;jobid : 1",
        "status : failed",
        "taskname : HCV",
        "TimeSubmit : 2024-05-01T12:00:01",
        "TimeSubmit : 2024-05-02,",
        "TimeEnd : 2000-01-01,",
        "error : x",
    ],
)
def test_conditions_that_do_not_hold(text):
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("job : 1", "JobID"),
        ("nonsense : 1", "There are: JobID"),
        ("jobid", "needs a value"),
        ("jobid : one", '"one"'),
        ("status : done", '"done"'),
        ("TimeSubmit : soon", "2030-01-31T12:00:00Z"),
        ("jobid : 1;" * 101, "more than 100"),
    ],
)
def test_what_is_no_condition_is_told(text, says):
    with pytest.raises(BadParameterError, match=says):
        parse_conditions(text)


def test_a_single_value_is_known_as_such():
    assert [condition.only() for condition in parse_conditions("jobid:7;status:4|5;queue:1,;taskname:a")] == [
        7, None, None, "a",
    ]  # fmt: skip
