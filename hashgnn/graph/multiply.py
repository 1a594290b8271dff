"""Matrix products on the CPU, by the faster library.

torch multiplies by MKL, which leaves AVX-512 unused on processors that are not Intel's; NumPy's
OpenBLAS uses it, and takes half the time there (docs/training.md). Its threads and torch's would
wait for each other in turns, though, so that with several of them torch multiplies.
"""

import numpy as np
import torch
from torch import Tensor


def multiply(a: Tensor, b: Tensor, out: Tensor) -> None:
    """``out`` = ``a`` @ ``b``, float32 on the CPU, without gradients.

    ``out`` is contiguous; ``a`` and ``b`` are, or are transposed.
    """
    if torch.get_num_threads() == 1:
        with np.errstate(over="ignore", invalid="ignore"):  # as torch; training looks at its loss
            np.dot(a.numpy(), b.numpy(), out=out.numpy())
    else:
        torch.mm(a, b, out=out)
