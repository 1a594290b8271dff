"""The course of a training: one row an interval, for figures, people and TensorBoard."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.errors import InputError
from hashgnn.models.task import Moment, print_news

COLUMNS = ("iteration", "epoch", "p", "auc", "auc_codes", "loss")


class History:
    """Means of what was added since the last row.

    Columns of the frame: iteration, epoch, p, auc (validation, continuous vectors), auc_codes
    (validation, codes) and loss; it has them without rows too.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self._sums: dict[str, float] = defaultdict(float)
        self._count = 0

    def add(self, **values: float) -> None:
        """Take one iteration's values into the running interval."""
        for name, value in values.items():
            self._sums[name] += value
        self._count += 1

    def close_interval(self, **values: Any) -> dict[str, float]:
        """End the interval: a row of its means and of ``values``, which is returned."""
        means = {name: total / self._count for name, total in self._sums.items()}
        self.rows.append({**values, **means})
        self._sums.clear()
        self._count = 0
        return self.rows[-1]

    def state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {"rows": self.rows, "sums": dict(self._sums), "count": self._count}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self.rows, self._count = state["rows"], state["count"]
        self._sums.update(state["sums"])

    def frame(self) -> pd.DataFrame:
        """All rows."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS))


def board_writer(folder: Path) -> Callable[[Moment], None]:
    """Print the news as ever, and write their numbers for TensorBoard into ``folder``.

    ``InputError`` where TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            f"TensorBoard cannot be used ({error}): pip install tensorboard, "
            "or leave the option tensorboard out"
        ) from error
    writer = SummaryWriter(str(folder))

    def watch(moment: Moment) -> None:
        print_news(moment)
        for name, value in moment.values.items():
            writer.add_scalar(name, value, moment.iteration)
        writer.flush()

    return watch
