"""The simulated Chandra catalogue at its smallest, made once."""

import pyarrow as pa
import pytest

from skydex.demo.csc21 import simulate_csc21
from skydex.demo.size import SIZES


@pytest.fixture(scope="session")
def catalog():
    """Tables of `csc21` and of the truth by bare name."""
    return {
        table.name.partition(".")[2]: pa.Table.from_batches(list(table.batches))
        for table in simulate_csc21(SIZES["tiny"], 1)
    }
