"""What figures and tables say that they need, against what they do."""

import copy
from pathlib import Path

import pytest
import yaml

from hashgnn.config.evaluation import CUTOFFS, Grids, check_cutoffs, showing_models
from hashgnn.errors import InputError
from hashgnn.reporting.entries import FIGURES, TABLES
from hashgnn.reporting.figures import sweeps
from hashgnn.reporting.tables import comparison, quantization

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def test_the_cutoffs_are_those_that_the_modules_show() -> None:
    assert {
        **dict.fromkeys(("fig5", "fig7"), (sweeps.CUTOFF,)),
        **dict.fromkeys(("fig8", "fig9"), (quantization.CUTOFF,)),
        **dict.fromkeys(
            ("table2", "table3", "methods", "encoders", "variants", "full_size"),
            comparison.CUTOFFS,
        ),
        **dict.fromkeys(("fig10", "published"), (comparison.PUBLISHED_CUTOFF,)),
        **dict.fromkeys(("quantization", "quantization_verdict"), (quantization.CUTOFF,)),
    } == CUTOFFS


def test_every_figure_and_table_has_a_function() -> None:
    assert set(Grids.model_fields) == {*FIGURES, *TABLES}


def test_figures_and_tables_of_models() -> None:
    without = {"fig5", "table1"}

    assert set(showing_models()) == set(Grids.model_fields) - without


@pytest.mark.parametrize(
    ("name", "cutoffs", "lacking"),
    [
        ("table2", [10, 20], "50, 100"),
        ("table2", [50], "100"),
        ("table2", [50, 100], ""),
        ("fig5", [10, 20], "50"),
        ("fig3", [10, 20], ""),
        ("published", [50], "20"),
        ("fig10", [50], "20"),
        ("table4", [3], ""),
    ],
)
def test_lists_that_were_not_evaluated(name: str, cutoffs: list[int], lacking: str) -> None:
    config = copy.deepcopy(CONFIG)
    config["evaluation"]["cutoffs"] = cutoffs
    if not lacking:
        check_cutoffs(config, name)
        return
    with pytest.raises(InputError, match=rf"^evaluation.cutoffs: .*{name}.* add {lacking},"):
        check_cutoffs(config, name)
