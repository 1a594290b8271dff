"""What a person sees of a training."""

import sys

from tqdm import tqdm

from hashgnn.training.task import Moment, print_news


def silent(moment: Moment) -> None:
    """Nothing."""


class Bar:
    """A progress bar on a terminal, lines elsewhere; to stderr."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __call__(self, moment: Moment) -> None:
        """Move on to ``moment``."""
        if not sys.stderr.isatty():
            print_news(moment)
            return
        if self._bar is None:
            self._bar = tqdm(total=moment.iterations, unit="step", desc="training")
        self._bar.set_postfix_str(moment.news, refresh=False)
        self._bar.update(moment.iteration - self._bar.n)

    def close(self) -> None:
        """Leave the bar where it is: a training may stop before its last epoch."""
        if self._bar is not None:
            self._bar.close()
