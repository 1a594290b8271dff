"""Wrong configurations and the lines that they get before anything runs."""

import copy
import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from hashgnn.config.base import parse
from hashgnn.config.methods import Training, parameters
from hashgnn.config.model import as_printed, resolve
from hashgnn.errors import InputError
from hashgnn.models.hashgnn import Parameters
from hashgnn.models.method import GraphParameters, Progress

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())

# Lists of what is known.
MODELS = ", ".join(sorted(CONFIG["models"]))
DATASETS = (
    "alibaba_like, gowalla, movielens, pinterest, synthetic, taobao_subset, taobao_userbehavior"
)
SECTIONS = (
    "checks, datasets, device, evaluation, existing, grids, mirror, mirror_checksums, models, "
    "settings, sweeps, tensorboard, timing, training, triplets, tuning, workdir"
)
DATA_SET = (
    "citation, columns, features, files, filter, format, generator, in_paper, name, "
    "negative_rounds, published, reader, split, stands_in_for, training"
)
GRIDS = (
    "encoders, fig1, fig10, fig3, fig4, fig5, fig6, fig7, fig8, fig9, full_size, methods, "
    "published, quantization, quantization_verdict, table1, table2, table3, table4, variants"
)
SHOWING = (
    "fig1, fig3, fig4, fig6, fig7, fig8, fig9, fig10, table2, table3, table4, methods, "
    "encoders, variants, full_size, published, quantization, quantization_verdict"
)
MODEL = (
    "baseline, color, continuous, marker, module, name, negatives, own_layers, parameters, "
    "per_dataset, place, pretrained, printed, shared_training, shown_in, tuning"
)
MODEL_KEYS = (
    "name, module, color, marker, place, shown_in, continuous, pretrained, "
    "shared_training, own_layers, baseline, negatives, parameters, per_dataset, printed, tuning"
)

BESIDE = {"datasets": ["gowalla"], "models": ["pte", "mf"], "bits": [8], "seeds": [0]}


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

    resolve(config)


@pytest.mark.parametrize("dataset", ["movielens", "gowalla", "pinterest"])
def test_the_papers_own_setting_reaches_its_trainings(dataset: str) -> None:
    config = copy.deepcopy(CONFIG)
    update_config(config, yaml.safe_load((ROOT / "config/paper.yaml").read_text()))

    printed = as_printed(config)
    found = parse(Parameters, parameters(printed, dataset, "hashgnn"), "parameters")

    assert (found.batch_size, found.learning_rate, found.scale) == (256, 0.001, 1)
    assert (found.ranking_weight, found.margin, found.aggregator) == (0.5, 0.2, "gcn")
    assert [found.guidance.probability(Progress(t, 1)) for t in (0, 250, 5000)] == [1, 0.95, 0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sedes", [1], f"sedes: unknown key; known keys: {SECTIONS}; did you mean sweeps?"),
        (
            "datasets movielens filtre",
            {},
            f"datasets.movielens.filtre: unknown key; known keys: {DATA_SET}; did you mean filter?",
        ),
        (
            "triplets rounds",
            "2",
            "triplets.rounds: expected a whole number, got '2', which is text: write 2 "
            "without quotes",
        ),
        ("triplets rounds", "two", "triplets.rounds: expected a whole number, got 'two'"),
        (
            "datasets gowalla split",
            {"validation": "1e-1"},
            "datasets.gowalla.split.validation: by: random expects a share from 0 to 1, got "
            "'1e-1', which is text: write 1.0e-1 without quotes",
        ),
        (
            "tensorboard",
            "True",
            "tensorboard: expected true or false, got 'True', which is text: write true "
            "without quotes",
        ),
        (
            "datasets gowalla reader",
            "csv",
            "datasets.gowalla.reader: expected one of 'table', 'adjacency', 'synthetic', got 'csv'",
        ),
        ("evaluation candidates", 0, "evaluation.candidates: expected 1 or more, got 0"),
        (
            "grids fig3 models",
            ["hashgn"],
            f"grids.fig3.models: unknown hashgn; known models: {MODELS}; did you mean hashgnn?",
        ),
        (
            "datasets ../x",
            {
                "name": "n",
                "reader": "synthetic",
                "generator": {"users": 2, "items": 4, "interactions": 2},
            },
            "datasets: expected letters, digits, _ and -, got '../x' as a key",
        ),
        (
            "datasets new",
            {"name": "n", "reader": "table", "files": {"a.csv": {"address": "a.csv"}}},
            "datasets.new.columns: missing; the reader table needs the key columns",
        ),
        (
            "datasets gowalla files",
            {"a.txt": {}},
            "datasets.gowalla.files.a.txt.address: missing; needs an address, or manual "
            "instructions",
        ),
        (
            "models lsh pretrained",
            "graphsag",
            f"models.lsh.pretrained: unknown graphsag; known models: {MODELS}; did you mean "
            "graphsage?",
        ),
        (
            "models lsh pretrained",
            "lsh",
            "models.lsh.pretrained: lsh itself uses the vectors of another model",
        ),
        ("device", "gpu", "device: expected auto, cpu, cuda or cuda: and a number, got 'gpu'"),
        ("tuning datasets", ["x"], f"tuning.datasets: unknown x; known datasets: {DATASETS}"),
        (
            "tuning spaces",
            {},
            "tuning.spaces: unknown key; known keys: bits, datasets, least_epochs, reduction, "
            "seconds, seed, trials",
        ),
        (
            "models hash_ste tuning",
            {"scal": {"choices": [1]}},
            "models.hash_ste.tuning.scal: not set in models.hash_ste.parameters or training; "
            "did you mean scale?",
        ),
        (
            "grids fig5 sweeps",
            ["x"],
            "grids.fig5.sweeps: unknown x; known sweeps: code_length, fixed_p, ranking_weight, "
            "triplets",
        ),
        (
            "sweeps ranking_weight model",
            "x",
            f"sweeps.ranking_weight.model: unknown x; known models: {MODELS}",
        ),
        (
            "sweeps ranking_weight values",
            [],
            "sweeps.ranking_weight.values: expected a non-empty list, got []",
        ),
        (
            "sweeps ranking_weight vary",
            ["temperature.rate"],
            "sweeps.ranking_weight.vary: temperature.rate: models.hashgnn.parameters has no "
            "mapping temperature",
        ),
        (
            "sweeps ranking_weight vary",
            ["bits", "scale"],
            "sweeps.ranking_weight.vary: bits can only be varied alone",
        ),
        (
            "datasets gowalla split",
            {"test": 30},
            "datasets.gowalla.split.test: expected less than 1, got 30",
        ),
        (
            "datasets gowalla split",
            {"test": 1.5},
            "datasets.gowalla.split.test: expected less than 1, got 1.5",
        ),
        (
            "datasets gowalla split",
            {"test": 1},
            "datasets.gowalla.split.test: expected less than 1, got 1",
        ),
        (
            "datasets gowalla split",
            {"test": -0.2},
            "datasets.gowalla.split.test: expected more than 0, got -0.2",
        ),
        (
            "datasets gowalla split",
            {"test": 0},
            "datasets.gowalla.split.test: expected more than 0, got 0",
        ),
        (
            "datasets gowalla split",
            {"test": "0.3"},
            "datasets.gowalla.split.test: by: random expects a share from 0 to 1, got '0.3', "
            "which is text: write 0.3 without quotes",
        ),
        (
            "datasets gowalla split",
            {"test": math.nan},
            "datasets.gowalla.split.test: expected a finite number, got nan",
        ),
        (
            "datasets gowalla split",
            {"seed": 1.0},
            "datasets.gowalla.split.seed: expected a whole number, got 1.0",
        ),
        (
            "datasets gowalla split",
            {"seed": 4294967296},
            "datasets.gowalla.split.seed: expected 4,294,967,295 or less, got 4294967296",
        ),
        (
            "datasets gowalla split",
            {"validation": 1},
            "datasets.gowalla.split.validation: expected less than 1, got 1",
        ),
        (
            "datasets taobao_userbehavior split",
            {"by": "time", "test_days": 0},
            "datasets.taobao_userbehavior.split.test_days: expected more than 0, got 0",
        ),
        (
            "datasets movielens columns user",
            -1,
            "datasets.movielens.columns.user: expected 0 or more, got -1",
        ),
        (
            "datasets movielens columns user",
            "",
            "datasets.movielens.columns.user: expected non-empty text, got ''",
        ),
        (
            "datasets synthetic generator chance",
            1.5,
            "datasets.synthetic.generator.chance: expected 1 or less, got 1.5",
        ),
        (
            "datasets alibaba_like generator behaviors",
            {"click": -1},
            "datasets.alibaba_like.generator.behaviors.click: expected more than 0, got -1",
        ),
        (
            "triplets per_interaction",
            1.0,
            "triplets.per_interaction: expected a whole number, got 1.0",
        ),
        ("triplets rounds", 0, "triplets.rounds: expected 1 or more, got 0"),
        ("timing k", True, "timing.k: expected a whole number, got True"),
        ("evaluation tie_seed", -1, "evaluation.tie_seed: expected 0 or more, got -1"),
        (
            "evaluation candidates",
            100,
            "evaluation.candidates: expected the largest of evaluation.cutoffs, 200, or more, "
            "got 100",
        ),
        ("grids fig3 bits", [2048], "grids.fig3.bits.0: expected 1,024 or less, got 2048"),
        ("grids fig3 seeds", [1.0], "grids.fig3.seeds.0: expected a whole number, got 1.0"),
        (
            "sweeps code_length values",
            [8, 0],
            "sweeps.code_length.values: expected whole numbers from 1 to 1,024, got 0",
        ),
        (
            "sweeps code_length values",
            [8, 16.5],
            "sweeps.code_length.values: expected whole numbers from 1 to 1,024, got 16.5",
        ),
        (
            "sweeps triplets values",
            [1, 0],
            "sweeps.triplets.values: expected whole numbers from 1 to 2,147,483,647, got 0",
        ),
        (
            "models hashgnn tuning",
            {"negatives": {"low": 1, "high": 9}},
            "models.hashgnn.tuning.negatives: drawn before the training, not tuned; remove it",
        ),
        (
            "models mf tuning scale",
            {"low": 1, "high": 0.5},
            "models.mf.tuning.scale.high: expected more than low (1), got 0.5",
        ),
        (
            "models mf tuning scale",
            {"low": 0, "high": 0.5, "log": True},
            "models.mf.tuning.scale.low: expected more than 0, as log is true, got 0",
        ),
        (
            "models mf tuning scale",
            {"low": 1},
            "models.mf.tuning.scale.low: expected low and high, or choices",
        ),
        (
            "models mf tuning scale",
            {"high": 1, "choices": [1, 2]},
            "models.mf.tuning.scale.choices: given besides low, high or log; keep one kind",
        ),
        (
            "models mf tuning scale",
            [1, 2],
            "models.mf.tuning.scale: expected a mapping of low, high, log, choices, got [1, 2]",
        ),
        (
            "evaluation cutoffs",
            [50, 50, 20, 100],
            "evaluation.cutoffs: 50 is given twice; each may occur once",
        ),
        ("grids fig3 seeds", [0, 0], "grids.fig3.seeds: 0 is given twice; each may occur once"),
        ("grids fig3 bits", [32, 32], "grids.fig3.bits: 32 is given twice; each may occur once"),
        (
            "grids fig3 models",
            ["hashgnn", "hashgnn"],
            "grids.fig3.models: 'hashgnn' is given twice; each may occur once",
        ),
        (
            "grids fig3 datasets",
            ["gowalla", "gowalla"],
            "grids.fig3.datasets: 'gowalla' is given twice; each may occur once",
        ),
        ("grids fig3 models", [], "grids.fig3.models: expected a non-empty list, got []"),
        (
            "sweeps fixed_p values",
            [1, 1.0],
            "sweeps.fixed_p.values: 1.0 is given twice; each may occur once",
        ),
        (
            "sweeps fixed_p vary",
            ["scale", "scale"],
            "sweeps.fixed_p.vary: 'scale' is given twice; each may occur once",
        ),
        (
            "tuning datasets",
            ["movielens", "movielens"],
            "tuning.datasets: 'movielens' is given twice; each may occur once",
        ),
        (
            "datasets gowalla split",
            {"test": ["test.txt"]},
            "datasets.gowalla.split.test: by: random expects a share from 0 to 1, got ['test.txt']",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": 0.3},
            "datasets.gowalla.split.test: by: file expects names of the tested files, got 0.3",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": "text.txt"},
            "datasets.gowalla.split.test: 'text.txt': expected some of the files train.txt, "
            "test.txt",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": [1]},
            "datasets.gowalla.split.test: expected a number or text or a list, each text or "
            "nothing, got [1]",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": ["test.txt", "train.txt"]},
            "datasets.gowalla.split: no file is left for training: test and validation name all "
            "of them",
        ),
        (
            "datasets gowalla split",
            {"by": "file", "test": "test.txt", "validation": ["test.txt"]},
            "datasets.gowalla.split.validation: 'test.txt': is tested, too",
        ),
        (
            "datasets gowalla split",
            {"validation": "train.txt"},
            "datasets.gowalla.split.validation: by: random expects a share from 0 to 1, got "
            "'train.txt'",
        ),
        (
            "datasets gowalla format",
            {"members": [{"name": "a"}]},
            "datasets.gowalla.format.members: expected one archive in files, found 2",
        ),
        (
            "datasets movielens format members",
            [{"name": "a"}, {"name": "b", "behavior": "buy"}],
            "datasets.movielens.format.members: set member or members, not both",
        ),
        (
            "datasets taobao_subset format members",
            [{"name": "a"}, {"name": "a", "behavior": "buy"}],
            "datasets.taobao_subset.format.members: 'a' stands twice",
        ),
        (
            "datasets taobao_subset columns behavior",
            2,
            "datasets.taobao_subset.format.members: behaviors stand in columns.behavior, too; set "
            "one of them",
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
            "datasets.taobao_userbehavior.split.by: time needs one of test, test_from, test_days; "
            "found test and test_days; null unsets one",
        ),
        (
            "datasets taobao_userbehavior split",
            {"by": "time", "test_from": "soon"},
            "datasets.taobao_userbehavior.split.test_from: 'soon' is no time in ISO 8601",
        ),
        (
            "datasets gowalla split",
            {"test_days": 1},
            "datasets.gowalla.split.test_days: only with by: time, here by is random; null "
            "unsets it",
        ),
        (
            "datasets movielens filter",
            {"time_from": "2000-01-01"},
            "datasets.movielens.filter.time_from: the data have no time: set columns.time",
        ),
        (
            "datasets gowalla filter",
            {"rating_at_least": 3},
            "datasets.gowalla.filter.rating_at_least: the data have no rating: the reader "
            "adjacency reads none",
        ),
        (
            "datasets alibaba_like filter",
            {"behaviors": ["clik"]},
            "datasets.alibaba_like.filter.behaviors: clik is not among generator.behaviors",
        ),
        (
            "datasets pinterest columns",
            {"user": 0, "item": 0},
            "datasets.pinterest.columns.item: user and item are the same column, 0",
        ),
        (
            "datasets gowalla reader",
            "table",
            "datasets.gowalla.columns: missing; the reader table needs the key columns",
        ),
        (
            "grids fig2",
            {"datasets": ["gowalla"]},
            f"grids.fig2: unknown key; known keys: {GRIDS}; did you mean fig9?",
        ),
        ("grids fig2", None, f"grids.fig2: unknown key; known keys: {GRIDS}; did you mean fig9?"),
        (
            "grids fig3",
            {"datasets": ["gowalla"], "models": ["lsh"], "seeds": [0]},
            "grids.fig3.bits: missing; expected a list, each a whole number",
        ),
        ("grids table1 models", ["lsh"], "grids.table1.models: unknown key; known keys: datasets"),
        (
            "grids table2 sweeps",
            ["fixed_p"],
            "grids.table2.sweeps: unknown key; known keys: bits, datasets, models, seeds; did"
            " you mean seeds?",
        ),
        (
            "grids fig7 sweeps",
            ["fixed_p", "triplets"],
            "grids.fig7.sweeps: expected a list of 1, got ['fixed_p', 'triplets']",
        ),
        (
            "grids published",
            {**BESIDE, "bits_of": {"other": [8]}},
            "grids.published.bits_of: other is none of its models: pte, mf",
        ),
        (
            "grids published",
            {**BESIDE, "bits_of": {"mf": [2048]}},
            "grids.published.bits_of.mf.0: expected 1,024 or less, got 2048",
        ),
        ("grids fig7 models", ["hash_ste"], "grids.fig7.models: lacks hashgnn_nr, whose p falls"),
        (
            "models hashgnn parameters guidance",
            [1, 2],
            "models.hashgnn.parameters.guidance: expected a mapping, got [1, 2]",
        ),
        (
            "models mf printed epochs",
            3,
            "models.mf.printed.epochs: unknown key; known keys: negatives, parameters, "
            "per_dataset, shown_in",
        ),
        ("workdir", "", "workdir: expected one line of text, not empty, got ''"),
        (
            "models mf color",
            "red",
            "models.mf.color: expected a color as #RRGGBB, in quotes, got 'red'",
        ),
        (
            "models mf marker",
            "x",
            "models.mf.marker: expected one of 'o', 's', 'D', '^', 'v', 'P', 'X', '*', '<', "
            "'>', 'open o', 'open s', 'open D', 'open ^', 'open v', 'open P', 'open X', 'open *', "
            "'open <', 'open >' or nothing, got 'x'",
        ),
        ("models mf place", "", "models.mf.place: expected one line of text, not empty, got ''"),
        (
            "models mf shown_in",
            ["tabel2"],
            f"models.mf.shown_in: tabel2: not a figure or table of models; known: {SHOWING}; "
            "did you mean table2?",
        ),
        (
            "models mf shown_in",
            ["fig5"],
            f"models.mf.shown_in: fig5: not a figure or table of models; known: {SHOWING}; did "
            "you mean fig9?",
        ),
        (
            "models mf shown_in",
            ["fig3", "fig3"],
            "models.mf.shown_in: 'fig3' is given twice; each may occur once",
        ),
        ("models mf tuning", {}, "models.mf.tuning: expected a non-empty mapping, got {}"),
        (
            "datasets gowalla in_paper",
            "yes",
            "datasets.gowalla.in_paper: expected true or false, got 'yes'",
        ),
        (
            "grids methods",
            {"datasets": ["gowalla"], "bits": [32], "models": [], "seeds": [0]},
            "grids.methods.models: expected a non-empty list, got []",
        ),
        (
            "datasets movielens format encoding",
            "nope",
            "datasets.movielens.format.encoding: 'nope' is no encoding of text, as utf-8 is",
        ),
        (
            "datasets movielens format encoding",
            "rot13",
            "datasets.movielens.format.encoding: 'rot13' is no encoding of text, as utf-8 is",
        ),
        (
            "datasets synthetic generator interactions",
            1000000000,
            "datasets.synthetic.generator.interactions: 1,000,000,000 do not fit 20,000 "
            "users, who have at least one and at most half of 10,000 items each",
        ),
        (
            "datasets synthetic generator chance",
            0.95,
            "datasets.synthetic.generator.revisits: chance and revisits are shares of one whole, "
            "but 0.95 and 0.1 are more than 1 together; lower one of them",
        ),
        (
            "datasets synthetic generator facets",
            0,
            "datasets.synthetic.generator.facets: expected 1 or more, got 0",
        ),
        (
            "datasets synthetic generator branching",
            1,
            "datasets.synthetic.generator.branching: expected 2 or more, got 1",
        ),
        (
            "datasets synthetic generator leaf",
            0.5,
            "datasets.synthetic.generator.leaf: expected a whole number, got 0.5",
        ),
        (
            "datasets synthetic generator interests",
            0,
            "datasets.synthetic.generator.interests: expected more than 0, got 0",
        ),
        (
            "datasets synthetic generator item_spread",
            -1,
            "datasets.synthetic.generator.item_spread: expected 0 or more, got -1",
        ),
        (
            "datasets synthetic generator user_spread",
            1000,
            "datasets.synthetic.generator.user_spread: expected 10 or less, got 1000",
        ),
        (
            "datasets synthetic generator lifetime",
            0,
            "datasets.synthetic.generator.lifetime: expected 0.001 or more, got 0",
        ),
        (
            "datasets synthetic generator neighborhood",
            "8",
            "datasets.synthetic.generator.neighborhood: expected a whole number, got '8', which is "
            "text: write 8 without quotes",
        ),
        (
            "datasets synthetic generator loyality",
            0.9,
            "datasets.synthetic.generator.loyality: unknown key; known keys: behaviors, branching, "
            "chance, days, facets, interactions, interest_spread, interests, item_spread, items, "
            "leaf, least, lifetime, loyalty, neighborhood, revisits, seed, user_spread, users; did "
            "you mean loyalty?",
        ),
        (
            "datasets taobao_userbehavior filter time_before",
            "2017-11-25T00:00:00+08:00",
            "datasets.taobao_userbehavior.filter.time_from: is not before time_before: "
            "nothing would be left",
        ),
        (
            "datasets movielens files ml-1m.zip address",
            "",
            "datasets.movielens.files.ml-1m.zip.address: expected non-empty text, got ''",
        ),
        (
            "models hash_ste name",
            "a\nb",
            "models.hash_ste.name: expected one line of text, not empty, got 'a\\nb'",
        ),
        (
            "models hash_ste name",
            "a\n",
            "models.hash_ste.name: expected one line of text, not empty, got 'a\\n'",
        ),
        (
            "datasets gowalla name",
            "",
            "datasets.gowalla.name: expected one line of text, not empty, got ''",
        ),
        (
            "models mf per_dataset",
            {"gowala": {}},
            f"models.mf.per_dataset: unknown gowala; known datasets: {DATASETS}; did you mean "
            "gowalla?",
        ),
        ("models mf parameters", {1: 2}, "models.mf.parameters: expected text as keys, got 1"),
        (
            "models mf module",
            "my.method",
            "models.mf.module: expected a module of this package, such as hashgnn.models.mf, got "
            "'my.method'",
        ),
        (
            "grids table5",
            {"datasets": ["gowalla"]},
            f"grids.table5: unknown key; known keys: {GRIDS}; did you mean table4?",
        ),
        ("grids fig33", None, f"grids.fig33: unknown key; known keys: {GRIDS}; did you mean fig3?"),
        (
            "grids tabel2",
            None,
            f"grids.tabel2: unknown key; known keys: {GRIDS}; did you mean table2?",
        ),
        (
            "grids fig3 datasets",
            ["movielen"],
            f"grids.fig3.datasets: unknown movielen; known datasets: {DATASETS}; did you mean "
            "movielens?",
        ),
        (
            "grids fig5 models",
            ["hashgnn"],
            "grids.fig5.models: unknown key; known keys: bits, datasets, seeds, sweeps",
        ),
        (
            "grids fig3",
            {"datasets": ["gowalla"], "models": ["lsh"], "bits": [32]},
            "grids.fig3.seeds: missing; expected a list, each a whole number",
        ),
        ("grids fig3 bits", [], "grids.fig3.bits: expected a non-empty list, got []"),
        ("grids fig3 bits", 32, "grids.fig3.bits: expected a list, each a whole number, got 32"),
        (
            "grids fig3 seeds",
            None,
            "grids.fig3.seeds: expected a list, each a whole number, got None",
        ),
        (
            "grids fig1",
            [],
            "grids.fig1: expected a mapping of datasets, models, bits, seeds, got []",
        ),
        (
            "evaluation cutofs",
            [50],
            "evaluation.cutofs: unknown key; known keys: asymmetric, candidates, cutoffs, "
            "mask_training, metrics, ndcg, tie_seed, validation_cutoff; did you mean cutoffs?",
        ),
        (
            "evaluation cutoffs",
            50,
            "evaluation.cutoffs: expected a list, each a whole number, got 50",
        ),
        (
            "evaluation cutoffs",
            [50, "100"],
            "evaluation.cutoffs.1: expected a whole number, got '100', which is text: write"
            " 100 without quotes",
        ),
        (
            "evaluation validation_cutoff",
            600,
            "evaluation.candidates: expected evaluation.validation_cutoff (600) or more, got 500",
        ),
        (
            "evaluation ndcg",
            "Standard",
            "evaluation.ndcg: expected one of 'standard', 'retrieved', got 'Standard'",
        ),
        (
            "evaluation mask_training",
            "no",
            "evaluation.mask_training: expected true or false, got 'no'",
        ),
        ("training", [1], "training: expected a mapping, got [1]"),
        ("triplets", {"per_interaction": 5}, "triplets.rounds: missing; expected a whole number"),
        (
            "datasets gowalla split",
            {"validaton": 0.1},
            "datasets.gowalla.split.validaton: unknown key; known keys: by, seed, test, "
            "test_days, test_from, validation; did you mean validation?",
        ),
        (
            "models mf paramters",
            {},
            f"models.mf.paramters: unknown key; known keys: {MODEL}; did you mean parameters?",
        ),
        ("models mf", {"name": "MF"}, "models.mf.module: missing; expected text"),
        ("models mf", None, f"models.mf: expected a mapping of {MODEL_KEYS}, got None"),
        (
            "datasets movielens files ml-1m.zip checksum",
            "md5:1",
            "datasets.movielens.files.ml-1m.zip.checksum: expected md5:, sha256: or gitblob: "
            "and the digest, got 'md5:1'",
        ),
        (
            "checks",
            {"baselines": "warn"},
            "checks.baselines: expected one of 'fail', 'report', got 'warn'",
        ),
        ("tuning trials", 0, "tuning.trials: expected 1 or more, got 0"),
        ("tuning reduction", 1, "tuning.reduction: expected 2 or more, got 1"),
        ("settings", "best", "settings: expected one of 'config', 'printed', 'tuned', got 'best'"),
        (
            "mirror_checksums",
            "yes",
            "mirror_checksums: expected one of 'check', 'trust', got 'yes'",
        ),
        (
            "sweeps fixed_p values",
            ["a b"],
            "sweeps.fixed_p.values.0: expected letters, digits, . _ and -, got 'a b'",
        ),
        (
            "timing thread",
            1,
            "timing.thread: unknown key; known keys: k, rounds, threads; did you mean threads?",
        ),
        (
            "datasets synthetic generator users",
            "1e3",
            "datasets.synthetic.generator.users: expected a whole number, got '1e3', which is"
            " text: write 1000 without quotes",
        ),
        (
            "datasets taobao_userbehavior filter time_from",
            date(2017, 11, 25),
            "datasets.taobao_userbehavior.filter.time_from: expected numbers, text, or lists or "
            "mappings of them, got datetime.date(2017, 11, 25); put it in quotes",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(with_change(path, value))

    assert str(caught.value) == message


def test_all_mistakes_are_named_at_once() -> None:
    config = with_change("grids fig3", {"datasets": ["gowalla"]})
    config["evaluation"]["cutofs"] = [50]

    with pytest.raises(InputError) as caught:
        resolve(config)

    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "evaluation.cutofs",
        "grids.fig3.bits",
        "grids.fig3.seeds",
    ]


def test_two_methods_of_one_name_cannot_stand_in_one_figure() -> None:
    with pytest.raises(InputError) as caught:
        resolve(with_change("models hash_ste name", "HashGNN"))

    expected = "grids.fig3.models: hashgnn and hash_ste have the same name, 'HashGNN'"
    assert str(caught.value).splitlines()[0] == expected


def test_two_methods_cannot_look_alike() -> None:
    config = with_change("models hash_ste color", "#d55e00")
    config["models"]["hash_ste"]["marker"] = "o"

    with pytest.raises(InputError) as caught:
        resolve(config)

    assert str(caught.value) == (
        "models.hash_ste.color: hash_ste and hashgnn have the same color and marker, #D55E00 'o'; "
        "change one of them"
    )


def test_a_grid_that_no_model_is_shown_in_lacks_models() -> None:
    config = copy.deepcopy(CONFIG)
    config["models"]["hashgnn"]["shown_in"] = []

    with pytest.raises(
        InputError, match=r"^grids.table4.models: missing; list models, or add tabl"
    ):
        resolve(config)


def test_the_shared_hyper_parameters_are_those_the_trainer_knows() -> None:
    known = {*GraphParameters.model_fields, *Training.model_fields}
    assert set(CONFIG["training"]) == known


@pytest.mark.parametrize("value", [1, "yes", [True]])
def test_a_refit_is_true_or_false(value: object) -> None:
    config = copy.deepcopy(CONFIG)
    config["training"]["refit"] = value
    with pytest.raises(InputError, match=r"^training.refit: expected true or false, got "):
        resolve(config)
