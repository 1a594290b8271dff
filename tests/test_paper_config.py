"""config/paper.yaml on top of config.yaml is what the paper, and its baselines' papers, state."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from snakemake.utils import update_config

from hashgnn.config.methods import negatives, parameters
from hashgnn.config.model import resolve

ROOT = Path(__file__).parents[1]
DATASETS = ["movielens", "gowalla", "pinterest", "alibaba_like"]
DATASETS += ["taobao_subset", "taobao_userbehavior"]
GUIDED = ["hashgnn", "hashgnn_nr", "hashgnn_sp"]
RANKED = ["hashgnn", "hashgnn_sp"]
GRAPH = [*GUIDED, "hash_ste", "hash_gumb", "hashnet", "graphsage"]  # "all models" train with Adam
PAPERS = [*GRAPH, "lsh", "pte", "bine", "mf"]


class Stated(NamedTuple):
    """A hyper-parameter, its value, of which methods, and where that is stated."""

    key: str
    value: Any
    models: list[str]
    place: str


STATED = [
    Stated("aggregator", "gcn", GRAPH, "Eq. 1"),
    Stated("shared_hash_layer", True, GRAPH, "Eq. 2: one W and one b"),
    Stated("scale", 1.0, [*GRAPH, "mf"], "Eq. 4: sigma of the inner product, no factor"),
    Stated("scale_bits", 0, [*GRAPH, "mf"], "Eq. 4"),
    Stated("ranking_loss", "margin", RANKED, "Eq. 6"),
    Stated("margin", 0.2, RANKED, "section 3.4: alpha is 0.2"),
    Stated("ranking_weight", 0.5, RANKED, "section 5.5: lambda is 0.5"),
    Stated("ranking_weight", 0.0, ["hashgnn_nr"], "section 5.1: without the ranking loss"),
    Stated("widths", [128, 68], GRAPH, "section 5.1: two layers, 128 and 68"),
    Stated("batch_size", 256, [*GRAPH, "mf"], "section 5.1: mini-batches of 256"),
    Stated("learning_rate", 0.001, [*GRAPH, "mf"], "section 5.1: fixed as 0.001"),
    Stated("learning_rate_end", 1.0, [*GRAPH, "mf"], "section 5.1: fixed"),
    Stated("initialization", "normal", [*GRAPH, "mf"], "section 5.1: normal distribution"),
    Stated("initial_deviation", 0.02, [*GRAPH, "mf"], "section 5.1: standard deviation 0.02"),
    Stated("embedding_updates", "all", [*GRAPH, "mf"], "section 5.1: Adam"),
    Stated("embedding_dropout", 0.0, [*GRAPH, "mf"], "section 5.1 has no dropout"),
    Stated("guidance.start", 1.0, GUIDED, "section 5.1: p is started with 1"),
    Stated("guidance.step", 0.05, GUIDED, "section 5.1: decreased by 5 %"),
    Stated("guidance.every", 250, GUIDED, "section 5.1: after 250 iterations"),
    Stated("guidance.unit", "iterations", GUIDED, "section 5.1: after 250 iterations"),
    Stated("guidance.floor", 0.0, GUIDED, "section 4.1: until it is the STE"),
    Stated("guidance.granularity", "element", GUIDED, "Eq. 8: Q is of z's shape"),
    Stated("continuation.gamma", 0.005, ["hashnet"], "as suggested in HashNet: its code"),
    Stated("continuation.power", 0.5, ["hashnet"], "as suggested in HashNet: its code"),
    Stated("continuation.every", 200, ["hashnet"], "section 5.1: after 200 iterations"),
    Stated("continuation.unit", "iterations", ["hashnet"], "section 5.1: after 200 iterations"),
    Stated("temperature.rate", 1e-4, ["hash_gumb"], "according to Jang et al., section 4"),
    Stated("temperature.floor", 0.5, ["hash_gumb"], "according to Jang et al., section 4"),
    Stated("temperature.every", 500, ["hash_gumb"], "according to Jang et al., section 4"),
    Stated("temperature.unit", "iterations", ["hash_gumb"], "according to Jang et al., section 4"),
    Stated("negatives", 5, ["pte"], "Tang et al. 2015 (PTE)"),
    Stated("noise_exponent", 0.75, ["pte"], "Tang et al. 2015 (LINE), negative sampling"),
    Stated("learning_rate", 0.025, ["pte"], "Tang et al. 2015 (PTE)"),
    Stated("add_noise", False, ["pte"], "Tang et al. 2015 (PTE): the vectors alone"),
    Stated("learning_rate", 0.01, ["bine"], "Gao et al. 2018, and their code"),
    Stated("alpha", 0.01, ["bine"], "Gao et al. 2018, and their code"),
    Stated("beta", 0.01, ["bine"], "Gao et al. 2018, and their code"),
    Stated("gamma", 0.1, ["bine"], "Gao et al. 2018, and their code"),
    Stated("least_walks", 1, ["bine"], "Gao et al. 2018, and their code"),
    Stated("most_walks", 32, ["bine"], "Gao et al. 2018, and their code"),
    Stated("stop", 0.15, ["bine"], "Gao et al. 2018, and their code"),
    Stated("window", 5, ["bine"], "Gao et al. 2018, and their code"),
    Stated("negatives", 4, ["bine"], "Gao et al. 2018, and their code"),
    Stated("epochs", 50, ["bine"], "Gao et al. 2018: their code"),
]


def paper() -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    return resolve(config)


CONFIG = paper()


def known(models: Iterable[str]) -> list[str]:
    """Without methods that were removed from the project."""
    return [model for model in models if model in CONFIG["models"]]


def value(dataset: str, model: str, key: str) -> Any:
    found: Any = parameters(CONFIG, dataset, model)
    for part in key.split("."):
        found = found[part]
    return found


def wrong(stated: Stated) -> Iterable[str]:
    for model in known(stated.models):
        for dataset in DATASETS:
            found = value(dataset, model, stated.key)
            if found != stated.value:
                yield f"{model} on {dataset}: {found}"


@pytest.mark.parametrize("stated", STATED, ids=lambda s: f"{s.key} of {s.models[0]}: {s.place}")
def test_a_training_has_the_stated_value(stated: Stated) -> None:
    assert list(wrong(stated)) == []


@pytest.mark.parametrize(
    ("model", "number", "place"),
    [
        *((model, 5, "section 5.5: five triplets") for model in known(GRAPH)),
        ("mf", 1, "Rendle et al. 2009: one negative an interaction"),
    ],
)
def test_negatives(model: str, number: int, place: str) -> None:
    assert negatives(CONFIG, model) == number, place


@pytest.mark.parametrize(
    ("found", "expected", "place"),
    [
        (CONFIG["grids"]["fig3"]["bits"], [32], "section 5.1: the size is 32"),
        (CONFIG["grids"]["table2"]["bits"], [32], "section 5.1: the size is 32"),
        (CONFIG["grids"]["table3"]["bits"], [32], "section 5.1: the size is 32"),
        (set(CONFIG["grids"]["table2"]["models"]), set(known(PAPERS)), "table 2"),
        (set(CONFIG["grids"]["table3"]["models"]), set(known(PAPERS)), "table 3"),
        (CONFIG["evaluation"]["cutoffs"], [20, 50, 100, 150, 200], "figure 3"),
        (CONFIG["evaluation"]["mask_training"], True, "section 5.1: items not interacted with"),
        (
            CONFIG["sweeps"]["ranking_weight"]["values"],
            [step / 10 for step in range(11)],
            "section 5.5: lambda from 0 to 1 by 0.1",
        ),
        (CONFIG["sweeps"]["triplets"]["values"], [1, 5, 10, 15, 20, 25], "section 5.5: 1 to 25"),
        (CONFIG["models"]["lsh"]["pretrained"], "graphsage", "section 5.1: GraphSage's output"),
        (CONFIG["models"]["hashgnn_sp"]["pretrained"], "graphsage", "section 5.1"),
    ],
)
def test_of_the_experiments(found: Any, expected: Any, place: str) -> None:
    assert found == expected, place


@pytest.mark.parametrize("dataset", ["movielens", "gowalla", "pinterest"])
def test_the_split(dataset: str) -> None:
    """Section 5.1: 70 % of a user's interactions train, 10 % of these validate."""
    shares = {"test": 0.3, "validation": 0.1, "by": "random", "seed": 0}

    assert CONFIG["datasets"][dataset]["split"] == shares
