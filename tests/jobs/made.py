"""Jobs for tests."""

from __future__ import annotations

from skydex.jobs import Job, JobResult, Phase, QueueLimits, new_job_id

ROOM = QueueLimits(per_address=1000, per_user=1000, total=10_000, kept=10_000, kept_mb=1000)
RESULT = JobResult(10, "ab" * 32, "text/csv", ".csv")


def a_job(**given):
    facts = {
        "id": new_job_id(),
        "kind": "tap",
        "scope": "",
        "owner": None,
        "address": "192.0.2.1",
        "run_id": None,
        "phase": Phase.PENDING,
        "created": 1000.0,
        "duration_s": 60,
        "destruction": 9e9,
    }
    return Job(**{**facts, **given})
