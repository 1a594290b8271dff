"""The course of a training for TensorBoard, for those who want it."""

from collections.abc import Callable
from pathlib import Path

from hashgnn.errors import InputError
from hashgnn.training.task import Moment, print_news


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
