"""Measurements of skydex beside what others need for the same work, taken in the same run on the same machine.

Run with `python -m benchmarks`, or `make bench`. Each module measures one kind of work; the results of all of them are
kept in `results.json` and shown in `results.md`. Nothing here is a test: figures depend on the machine, ratios less so.
"""
