import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.errors import InputError
from hashgnn.files import save_array
from hashgnn.stage.code_digest import CodeDigest
from hashgnn.training import train
from hashgnn.training.checkpoint import Checkpoint

EMPTY = Csr(np.zeros(3, np.int64), np.zeros(0, np.int32))


def run_lsh(folder: Path, items: np.ndarray) -> int:
    save_split(folder / "split.npz", Split(EMPTY, EMPTY, EMPTY, n_users=2, n_items=len(items)))
    for name, array in {"users": np.eye(2, 3, dtype=np.float32), "items": items}.items():
        save_array(folder / f"{name}.npy", array)
    settings = {"method": "hashgnn.models.lsh", "bits": 9, "seed": 0, "parameters": {}}
    paths = [folder / name for name in ("users.npy", "items.npy")]
    return train.main(
        [
            *("--split", f"{folder}/split.npz", "--triplets"),
            *("--pretrained", *map(str, paths), "--settings", json.dumps(settings)),
            *("--device", "cpu", "--output", str(folder)),
        ]
    )


def test_given_vectors_reach_the_method_and_identify_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprints = []

    class Watched(Checkpoint):
        def __init__(self, path: Path, fingerprint: str, every_seconds: float) -> None:
            fingerprints.append(fingerprint)
            super().__init__(path, fingerprint, every_seconds)

    monkeypatch.setattr(train, "Checkpoint", Watched)
    one, other = np.eye(4, 3, dtype=np.float32), -np.eye(4, 3, dtype=np.float32)

    for items in (one, one, other):
        assert run_lsh(tmp_path, items) == 0
        assert np.array_equal(np.load(tmp_path / "item_vectors.npy"), items)
        assert np.load(tmp_path / "item_codes.npy").shape == (4, 2)

    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def fingerprint(
    device: str = "cpu", checksums: tuple[str, ...] = ("a", "b"), **changes: object
) -> str:
    parameters = {"encoder": "hashgnn.models.encoders.mean", "learning_rate": 0.01}
    settings = {"method": "hashgnn.models.hashgnn", "bits": 8, "seed": 0, "parameters": parameters}
    return train.fingerprint({**settings, **changes}, torch.device(device), checksums)


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"encoder": "hashgnn.models.encoders.mean", "learning_rate": 0.02}},
        {"parameters": {"encoder": "hashgnn.models.encoders.lightgcn", "learning_rate": 0.01}},
        {"method": "hashgnn.models.hash_ste"},
        {"bits": 16},
        {"seed": 1},
        {"device": "cuda"},
        {"checksums": ("a", "c")},
    ],
)
def test_whatever_the_outcome_depends_on_makes_another_training(changes: dict[str, Any]) -> None:
    assert fingerprint() == fingerprint()
    assert fingerprint(**changes) != fingerprint()


def test_an_edit_of_the_code_makes_another_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {"__init__": "", "training/train": "", "training/fit": ""}
    texts |= {"models/own": "from .helper import f\n", "models/helper": "f = 1\n"}
    files = {name: tmp_path / f"hashgnn/{name}.py" for name in texts}

    def found() -> str:
        monkeypatch.setattr(train, "own_code", CodeDigest(tmp_path))
        return fingerprint(method="hashgnn.models.own", parameters={})

    for name, text in texts.items():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(text)
    before = found()
    files["models/helper"].write_text("# a comment\nf = 1\n")
    assert found() == before
    files["models/helper"].write_text("f = 2\n")
    assert found() != before
    files["models/helper"].write_text("import importlib\n")
    with pytest.raises(InputError, match="edit of it would go unseen"):
        found()
