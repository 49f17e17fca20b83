"""CasJobs: queries in T-SQL, tables of users and queued jobs, as clients of CasJobs ask for them."""
