import copy
import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from hashgnn.config.check import check_config
from hashgnn.config.parameters import parameters
from hashgnn.config.settings import parse
from hashgnn.errors import InputError
from hashgnn.models.als import AlsSettings
from hashgnn.models.bine import BineSettings
from hashgnn.models.hash_gumb import HashGumbSettings, Temperature
from hashgnn.models.hashgnn import Guidance, HashGnnSettings
from hashgnn.models.hashgnn_plus import HashGnnPlusSettings
from hashgnn.models.hashing import Progress
from hashgnn.models.hashnet import Continuation, HashNetSettings
from hashgnn.models.lightgcn import LightGcnSettings
from hashgnn.models.pte import PteSettings
from hashgnn.models.puresvd import PureSvdSettings
from hashgnn.models.settings import TrainingSettings

ROOT = Path(__file__).parents[2]
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
        # Numbers have their ranges, and whole ones are no floats.
        *(
            ("datasets gowalla split", {"test": share}, f"datasets.gowalla.split.test: {share} is ")
            for share in (30, 1.5, 1, -0.2, 0)
        ),
        ("datasets gowalla split", {"test": "0.3"}, "datasets.gowalla.split.test: expected number"),
        (
            "datasets gowalla split",
            {"test": math.nan},
            "datasets.gowalla.split.test: expected numb",
        ),
        (
            "datasets gowalla split",
            {"seed": 1.0},
            "datasets.gowalla.split.seed: expected integer, ",
        ),
        (
            "datasets gowalla split",
            {"seed": 2**32},
            "datasets.gowalla.split.seed: 4294967296 is gr",
        ),
        (
            "datasets gowalla split",
            {"validation": 1},
            "datasets.gowalla.split.validation: 1 is gre",
        ),
        (
            "datasets taobao_userbehavior split",
            {"by": "time", "test_days": 0},
            "datasets.taobao_userbehavior.split.test_days",
        ),
        ("datasets movielens columns user", -1, "datasets.movielens.columns.user: -1 is less than"),
        ("datasets movielens columns user", "", "datasets.movielens.columns.user: '' should be"),
        ("datasets synthetic generator chance", 1.5, "datasets.synthetic.generator.chance: 1.5 is"),
        (
            "datasets alibaba_like generator behaviors",
            {"click": -1},
            "datasets.alibaba_like.generator.behaviors.click: -1 is less than or equal to",
        ),
        ("triplets per_interaction", 1.0, "triplets.per_interaction: expected integer, got 1.0"),
        ("triplets rounds", 0, "triplets.rounds: 0 is less than the minimum of 1"),
        ("timing k", True, "timing.k: expected integer, got True"),
        ("evaluation tie_seed", -1, "evaluation.tie_seed: -1 is less than the minimum of 0"),
        (
            "evaluation candidates",
            100,
            "evaluation.candidates: 100 are fewer than the longest list",
        ),
        ("grids fig3 bits", [2048], "grids.fig3.bits.0: 2048 is greater than the maximum of 1024"),
        ("grids fig3 seeds", [1.0], "grids.fig3.seeds.0: expected integer, got 1.0"),
        ("sweeps code_length values", [8, 0], "sweeps.code_length.values: expected whole numbers"),
        ("sweeps code_length values", [8, 16.5], "sweeps.code_length.values: expected whole numb"),
        ("sweeps triplets values", [1, 0], "sweeps.triplets.values: expected whole numbers from 1"),
        (
            "tuning spaces hashgnn",
            {"negatives": [0.5]},
            "tuning.spaces.hashgnn.negatives: expected",
        ),
        # Lists have each entry once, and one at least.
        (
            "evaluation cutoffs",
            [50, 50, 20, 100],
            "evaluation.cutoffs: 50 is given twice; each may",
        ),
        ("grids fig3 seeds", [0, 0], "grids.fig3.seeds: 0 is given twice"),
        ("grids fig3 bits", [32, 32], "grids.fig3.bits: 32 is given twice"),
        ("grids fig3 models", ["hashgnn"] * 2, "grids.fig3.models: 'hashgnn' is given twice"),
        ("grids fig3 datasets", ["gowalla"] * 2, "grids.fig3.datasets: 'gowalla' is given twice"),
        ("grids fig3 models", [], "grids.fig3.models: [] should be non-empty"),
        ("sweeps fixed_p values", [1, 1.0], "sweeps.fixed_p.values: 1 is given twice"),
        ("sweeps fixed_p vary", ["scale"] * 2, "sweeps.fixed_p.vary: 'scale' is given twice"),
        ("tuning datasets", ["movielens"] * 2, "tuning.datasets: 'movielens' is given twice"),
        # Data sets have what is asked of them.
        (
            "datasets gowalla split",
            {"test": [0]},
            "datasets.gowalla.split.test: by: random expects",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": 0.3},
            "datasets.gowalla.split.test: by: file expects a list of the tested files, got 0.3",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": "text.txt"},
            "datasets.gowalla.split.test: 'text.txt': expected some of the files train.txt, test.txt",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": ["test.txt", "train.txt"]},
            "datasets.gowalla.split: no file is left for training",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": "test.txt", "validation": "test.txt"},
            "datasets.gowalla.split.validation: 'test.txt': is tested, too",
        ),
        (
            "datasets gowalla split",
            {"by": "random", "validation": "train.txt"},
            "datasets.gowalla.split.validation: by: random expects a share between 0 and 1, got 't",
        ),
        (
            "datasets gowalla format",
            {"members": [{"name": "a"}]},
            "datasets.gowalla.format.members: expected one archive in files, found 2",
        ),
        (
            "datasets movielens format members",
            [{"name": "a"}, {"name": "b", "behavior": "buy"}],
            "datasets.movielens.format: set member or members, not both",
        ),
        (
            "datasets taobao_subset format members",
            [{"name": "a"}, {"name": "a", "behavior": "buy"}],
            "datasets.taobao_subset.format.members: 'a' stands twice",
        ),
        (
            "datasets taobao_subset filter",
            {"behaviors": ["buy", "click"]},
            "datasets.taobao_subset.filter.behaviors: click is not among format.members",
        ),
        (
            "datasets gowalla split",
            {"by": "time", "test": 0.3},
            "datasets.gowalla.split.by: the data have no time: the reader adjacency reads none",
        ),
        (
            "datasets taobao_userbehavior split",
            {"by": "time", "test": 0.3, "test_days": 1},
            "datasets.taobao_userbehavior.split: by: time needs one of test, test_from, test_days; found test a",
        ),
        (
            "datasets taobao_userbehavior split",
            {"by": "time", "test_from": "soon"},
            "datasets.taobao_userbehavior.split.test_from: 'soon' is no time in ISO 8601",
        ),
        (
            "datasets gowalla split",
            {"test_days": 1},
            "datasets.gowalla.split.test_days: only with by: time, here by is random",
        ),
        (
            "datasets movielens filter",
            {"time_from": "2000-01-01"},
            "datasets.movielens.filter.time_from: the data have no time: set columns.time",
        ),
        (
            "datasets gowalla filter",
            {"rating_at_least": 3},
            "datasets.gowalla.filter.rating_at_least: the data have no rating",
        ),
        (
            "datasets alibaba_like filter",
            {"behaviors": ["clik"]},
            "datasets.alibaba_like.filter.behaviors: clik is not among generator.behaviors",
        ),
        (
            "datasets pinterest columns",
            {"user": 0, "item": 0},
            "datasets.pinterest.columns: user and item are the same column, 0",
        ),
        (
            "datasets gowalla reader",
            "table",
            "datasets.gowalla: the reader table needs the key col",
        ),
        # Figures and tables have what they are made of.
        ("grids fig2", CONFIG["grids"]["fig3"], "grids.fig2: no such figure or table; known: fig1"),
        ("grids fig2", None, "grids.fig2: no such figure or table; known: fig1"),
        (
            "grids fig3",
            {"datasets": ["gowalla"], "models": ["lsh"]},
            "grids.fig3: lacks bits, seeds; it is",
        ),
        (
            "grids table1 models",
            ["lsh"],
            "grids.table1.models: not shown there; it is made of data",
        ),
        ("grids table2 sweeps", ["fixed_p"], "grids.table2.sweeps: not shown there"),
        (
            "grids fig7 sweeps",
            ["fixed_p", "triplets"],
            "grids.fig7.sweeps: expected one sweep, got",
        ),
        ("grids fig7 models", ["hash_ste"], "grids.fig7.models: lacks hashgnn_nr, whose p falls"),
        # Names are one line of text.
        (
            "datasets movielens format encoding",
            "nope",
            "datasets.movielens.format.encoding: 'nope' is no encoding of text",
        ),
        (
            "datasets movielens format encoding",
            "rot13",
            "datasets.movielens.format.encoding: 'rot13",
        ),
        (
            "datasets synthetic generator interactions",
            10**9,
            "datasets.synthetic.generator.interactions: 1,000,000,000 do not fit 20,000 users",
        ),
        (
            "datasets taobao_userbehavior filter time_before",
            "2017-11-25T00:00:00+08:00",
            "datasets.taobao_userbehavior.filter: time_from is not before time_before",
        ),
        (
            "datasets movielens files ml-1m.zip address",
            "",
            "datasets.movielens.files.ml-1m.zip.address: '' should be non-empty",
        ),
        ("models hash_ste name", "a\nb", "models.hash_ste.name: 'a\\nb' does not match"),
        ("models hash_ste name", "a\n", "models.hash_ste.name: 'a\\n' does not match"),
        ("datasets gowalla name", "", "datasets.gowalla.name: '' does not match"),
        # References, in all places.
        (
            "models mf per_dataset",
            {"gowala": {}},
            "models.mf.per_dataset: gowala is not among datasets: ",
        ),
        ("models mf parameters", {1: 2}, "models.mf.parameters: expected string, got 1"),
        ("models mf module", "my.method", "models.mf.module: 'my.method' does not match"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_config(with_change(path, value), SCHEMA)

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "nearest"),
    [
        ("evaluation cutofs", [50], "cutoffs"),
        ("grids tabel2", None, None),
        ("grids fig33", None, "fig3"),
        ("grids fig3 models", ["hashgn"], "hashgnn"),
        ("datasets gowalla split", {"validaton": 0.1}, "validation"),
    ],
)
def test_the_nearest_name_is_proposed(path: str, value: Any, nearest: str | None) -> None:
    with pytest.raises(InputError) as caught:
        check_config(with_change(path, value), SCHEMA)

    if nearest:
        assert str(caught.value).endswith(f"; did you mean {nearest}?")


def test_two_methods_of_one_name_cannot_stand_in_one_figure() -> None:
    with pytest.raises(InputError) as caught:
        check_config(with_change("models hash_ste name", "HashGNN"), SCHEMA)

    expected = "grids.fig3.models: hashgnn and hash_ste have the same name, 'HashGNN'"
    assert str(caught.value).splitlines()[0] == expected


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
