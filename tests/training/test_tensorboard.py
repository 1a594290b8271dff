import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hashgnn.errors import InputError
from hashgnn.models.task import Moment
from hashgnn.training.history import board_writer

MODULE = "torch.utils.tensorboard"


def test_numbers_are_written_by_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = []

    class Writer:
        def __init__(self, folder: str) -> None:
            written.append(folder)

        def add_scalar(self, *scalar: object) -> None:
            written.append(scalar)

        def flush(self) -> None:
            pass

    monkeypatch.setitem(sys.modules, MODULE, SimpleNamespace(SummaryWriter=Writer))

    board_writer(tmp_path)(Moment(7, 9, "news", {"loss": 0.5, "p": 1.0}))

    assert written == [str(tmp_path), ("loss", 0.5, 7), ("p", 1.0, 7)]
    assert capsys.readouterr().err == "news\n"


def test_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)

    with pytest.raises(InputError, match="pip install tensorboard"):
        board_writer(tmp_path)
