import copy
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from hashgnn.configuration import check_config
from hashgnn.errors import InputError
from hashgnn.experiment.parameters import parameters
from hashgnn.hashing.continuation import Continuation
from hashgnn.hashing.guidance import Guidance
from hashgnn.hashing.gumbel import Temperature
from hashgnn.hashing.progress import Progress
from hashgnn.models.als import AlsSettings
from hashgnn.models.bine import BineSettings
from hashgnn.models.hash_gumb import HashGumbSettings
from hashgnn.models.hashgnn import HashGnnSettings
from hashgnn.models.hashgnn_plus import HashGnnPlusSettings
from hashgnn.models.hashnet import HashNetSettings
from hashgnn.models.lightgcn import LightGcnSettings
from hashgnn.models.pte import PteSettings
from hashgnn.models.puresvd import PureSvdSettings
from hashgnn.settings import parse
from hashgnn.training.settings import TrainingSettings

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def with_change(path: str, value: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    *parents, last = path.split()
    block = config
    for key in parents:
        block = block[key]
    block[last] = value
    return config


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda f: f.name)
def test_the_shipped_configs_are_good(file: Path) -> None:
    config = copy.deepcopy(CONFIG)
    update_config(config, yaml.safe_load(file.read_text()))  # as --configfile does

    check_config(config, SCHEMA)


@pytest.mark.parametrize("dataset", ["movielens", "gowalla", "pinterest"])
def test_the_papers_own_setting_reaches_its_trainings(dataset: str) -> None:
    config = copy.deepcopy(CONFIG)
    update_config(config, yaml.safe_load((ROOT / "config/paper.yaml").read_text()))

    found = parse(HashGnnSettings, parameters(config, dataset, "hashgnn"), "parameters")

    assert (found.batch_size, found.learning_rate, found.scale) == (256, 0.001, 1)
    assert (found.ranking_weight, found.margin, found.aggregator) == (0.5, 0.2, "gcn")
    assert [found.guidance.probability(Progress(t, 1)) for t in (0, 250, 5000)] == [1, 0.95, 0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sedes", [1], "config: no such key: sedes; known: checks, datasets, device"),
        ("datasets movielens filtre", {}, "datasets.movielens: no such key: filtre; known: "),
        ("triplets rounds", "2", "triplets.rounds: expected integer, got '2', which is a text: wr"),
        ("triplets rounds", "two", "triplets.rounds: expected integer, got 'two'"),
        (
            "datasets gowalla split",
            {"validation": "1e-1"},
            "datasets.gowalla.split.validation: expected number, got '1e-1', which is a text: "
            "write 1.0e-1 without quotes",
        ),
        (
            "tensorboard",
            "True",
            "tensorboard: expected boolean, got 'True', which is a text: write true without",
        ),
        ("datasets gowalla reader", "csv", "datasets.gowalla.reader: expected one of table, "),
        ("evaluation candidates", 0, "evaluation.candidates: 0 is less than the minimum of 1"),
        ("grids fig3 models", ["hashgn"], "grids.fig3.models: hashgn is not among models: "),
        ("datasets ../x", CONFIG["datasets"]["gowalla"], "datasets: '../x' does not match"),
        ("datasets new", {"name": "n", "reader": "table"}, "datasets.new: the reader table needs"),
        ("datasets gowalla files", {"a.txt": {}}, "datasets.gowalla.files.a.txt: needs an address"),
        (
            "models lsh pretrained",
            "graphsag",
            "models.lsh.pretrained: graphsag is not among models: als, ",
        ),
        (
            "models lsh pretrained",
            "lsh",
            "models.lsh.pretrained: lsh is itself made from another model's vectors",
        ),
        ("device", "gpu", "device: 'gpu' does not match"),
        ("tuning datasets", ["x"], "tuning.datasets: x is not among datasets: "),
        ("tuning spaces", {"x": {"scale": [1]}}, "tuning.spaces: x is not among models: "),
        (
            "tuning spaces hash_ste",
            {"scal": [1]},
            "tuning.spaces.hash_ste: scal is not set in models.hash_ste or training",
        ),
        ("grids fig3 sweeps", ["x"], "grids.fig3.sweeps: x is not among sweeps: "),
        (
            "sweeps ranking_weight model",
            "x",
            "sweeps.ranking_weight.model: x is not among models",
        ),
        (
            "sweeps ranking_weight values",
            [],
            "sweeps.ranking_weight.values: [] should be",
        ),
        (
            "sweeps ranking_weight vary",
            ["temperature.rate"],
            "sweeps.ranking_weight.vary: temperature.rate: models.hashgnn.parameters has no temp",
        ),
        (
            "sweeps ranking_weight vary",
            ["bits", "scale"],
            "sweeps.ranking_weight.vary: bits can only be varied alone",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_config(with_change(path, value), SCHEMA)

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Names of all properties anywhere in a schema."""
    found: set[str] = set()
    for name, value in schema.items():
        if name == "properties":
            found |= set(value)
        if isinstance(value, dict):
            found |= keys_of(value)
    return found


def test_every_key_is_documented() -> None:
    readme = (ROOT / "config/README.md").read_text()
    settings = (
        TrainingSettings,
        HashGnnSettings,
        HashGnnPlusSettings,
        HashNetSettings,
        HashGumbSettings,
    )
    settings += (Guidance, Continuation, Temperature)
    settings += (AlsSettings, BineSettings, LightGcnSettings, PteSettings, PureSvdSettings)
    keys = keys_of(yaml.safe_load(SCHEMA.read_text()))
    keys |= {field.name for kind in settings for field in dataclasses.fields(kind)}

    assert {key for key in keys if not re.search(rf"`([^`]*[^`\w])?{key}\b", readme)} == set()


def test_the_shared_hyper_parameters_are_those_the_trainer_knows() -> None:
    assert set(CONFIG["training"]) == {field.name for field in dataclasses.fields(TrainingSettings)}
