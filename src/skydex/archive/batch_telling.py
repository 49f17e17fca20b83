"""`Telling`: errors of a batch say which of its statements failed."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from skydex.errors import LimitError, Located, RequestError
from skydex.query.languages.statements import Statement
from skydex.tables import Result

__all__ = ["Telling"]


class Telling:
    """Lets the errors of one statement of several say which it was."""

    def __init__(self, statement: Statement, *, is_alone: bool) -> None:
        self._where = "" if is_alone else f"Statement {statement.number + 1}"
        self._line = statement.line

    def __enter__(self) -> Telling:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._tell(error)

    def in_result(self, result: Result) -> Result:
        """A result whose rows are still to come, and with them perhaps an error."""
        result.batches = self._telling(result.batches)
        return result

    def _telling(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with self:
            yield from batches

    def _tell(self, error: BaseException | None) -> None:
        if not self._where or not isinstance(error, RequestError | LimitError) or str(error).startswith("Statement "):
            return
        is_placed = isinstance(error, Located) and error.line is not None
        where = self._where if is_placed else f"{self._where}, line {self._line}"
        error.args = (f"{where}: {error}", *error.args[1:])
