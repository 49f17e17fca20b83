"""CasJobs: queries in T-SQL, tables of users' own and queued jobs, as clients of CasJobs ask for them."""

from skydex.web.casjobs.service import SERVICE

__all__ = ["SERVICE"]
