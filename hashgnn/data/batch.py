"""What every reader yields."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa


class Batch(NamedTuple):
    """Some interactions, as read: ids as in the source, repeats and all."""

    user: pa.Array  # string, or dictionary of strings
    item: pa.Array  # string, or dictionary of strings
    time: np.ndarray | None  # int64 seconds since 1970
    source: int  # number of the file it came from
    rows: int  # rows read, with those that the row filters dropped
