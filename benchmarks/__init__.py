"""Measurements of skydex beside what others need for the same work, taken in the same run on the same machine.

Run with `python -m benchmarks`, or `make bench`; with 10^8 rows by `make bench-long`. Each module measures one kind of
work; results are kept in `results/results.json` and shown in `results/results.md`, with figures of how costs grow.
Nothing here is a test: figures depend on the machine, ratios less so.
"""
