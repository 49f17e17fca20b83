"""`FarRows`: the rows of a scan that lies far away, as a stream that an engine can begin anew.

DuckDB is given no address: it would go there itself, with what it knows of retries, versions and limits. It takes any
object that offers Arrow's stream interface, and asks it for a stream each time that the query's plan reads the table.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from skydex.engines.engine import Deadline
from skydex.engines.reading import read_scan
from skydex.errors import SkydexError
from skydex.query import Scan
from skydex.store import current_traffic
from skydex.tables import arrow_schema

__all__ = ["FarRows"]


class FarRows:
    """Rows that come as they are asked for.

    Parameters
    ----------
    scan : Scan
        What is read; only the columns that the query needs.
    deadline : Deadline or None
        When it must have ended.
    """

    def __init__(self, scan: Scan, deadline: Deadline | None) -> None:
        self._scan, self._deadline = scan, deadline
        self._schema = arrow_schema(scan.column_list())
        self._traffic = current_traffic()
        self._error: SkydexError | None = None

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return pa.RecordBatchReader.from_batches(self._schema, self._batches()).__arrow_c_stream__(requested_schema)

    def reraise(self) -> None:
        """Raise what ended the stream, which the engine can only repeat as text."""
        if self._error is not None:
            raise self._error

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """Called by the threads of an engine."""
        batches = read_scan(self._scan, deadline=self._deadline, traffic=self._traffic)
        try:
            for batch in batches:
                if self._deadline is not None:
                    self._deadline.check()
                yield batch
        except SkydexError as error:
            self._error = error
            raise
        finally:
            batches.close()
