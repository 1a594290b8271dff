"""How few of the items seen so far a scan may keep and still find a query's best."""

from functools import lru_cache

import numpy as np


@lru_cache
def quotas(n_items: int, wanted: int, step: int) -> np.ndarray:
    """Items worth keeping after each ``step`` items of a scan: int64 [ceil(n_items / step)].

    Items are in random order, so of a query's ``wanted`` best the first n hold about
    wanted n / n_items, give or take its square root. Four such deviations and 4 more are too few
    for one query in tens of thousands, which has to be scanned anew, and spare all others most
    of the items that look good only early on.
    """
    seen = np.minimum(np.arange(1, -(-n_items // step) + 1) * step, n_items)
    expected = wanted * seen / max(1, n_items)
    return np.minimum(wanted, np.ceil(expected + 4 * np.sqrt(expected) + 4)).astype(np.int64)
