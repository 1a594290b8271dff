from pathlib import Path
from typing import Any

import pandas as pd
import pytest

MODELS = [["hashgnn_nr", "HashGNN_nr"], ["hash_ste", "Hash_ste"]]
RUNS = [[*("d", model, 8), seed] for model, _ in MODELS for seed in (0, 1)]


def history(folder: Path, rows: int, loss: float = 1.0) -> Path:
    frame = pd.DataFrame(
        {
            "iteration": [10 * (row + 1) for row in range(rows)],
            "epoch": 1,
            "p": 0.5,
            "auc": 0.75,
            "auc_codes": 0.625,
            "loss": loss,
        }
    )
    path = folder / f"history{loss}.csv"
    frame.to_csv(path, index=False)
    return path


def test_figure_4_shows_the_loss_of_every_run(tmp_path: Path, draw: Any) -> None:
    paths = [history(tmp_path, 3, loss) for loss in (1.0, 2.0, 3.0, 5.0)]

    numbers, made = draw("fig4", paths, models=MODELS, runs=RUNS)

    assert numbers.groupby("model")["value"].mean().to_dict() == {"hashgnn_nr": 1.5, "hash_ste": 4}
    assert numbers["iteration"].tolist() == 4 * [10, 20, 30]
    assert "HashGNN_nr<" in made["svg"].decode()


def test_figure_6_shows_auc_by_vectors_and_by_codes(tmp_path: Path, draw: Any) -> None:
    paths = [history(tmp_path, 2)] * 4

    numbers, made = draw("fig6", paths, models=MODELS, runs=RUNS)

    assert numbers.groupby("quantity")["value"].max().to_dict() == {"auc": 0.75, "auc_codes": 0.625}
    assert "Hash_ste, codes<" in made["svg"].decode()


def test_a_history_without_rows_is_refused(tmp_path: Path, draw: Any, capsys: Any) -> None:
    with pytest.raises(AssertionError):
        draw("fig4", [history(tmp_path, 0)] * 4, models=MODELS, runs=RUNS)

    assert "set training.history_every below its iterations" in capsys.readouterr().err


@pytest.mark.parametrize("figure", ["fig4", "fig6"])
def test_each_length_of_code_has_its_own_panel(tmp_path: Path, panels_of: Any, figure: str) -> None:
    runs = [["d", "hash_ste", bits, 0] for bits in (8, 16)]
    paths = [history(tmp_path, 3, loss) for loss in (1.0, 2.0)]

    drawn = panels_of(figure, paths, models=[["hash_ste", "Hash_ste"]], runs=runs)

    curves = {"fig4": [3], "fig6": [3, 3]}[figure]
    assert drawn == {"Data, 8 bits": curves, "Data, 16 bits": curves}
