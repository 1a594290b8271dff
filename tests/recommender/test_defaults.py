"""Hyper-parameters of the interface are those of the config, but for what is given."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from hashgnn import HashGNN, InputError
from hashgnn.config.methods import negatives, parameters, takes_training
from hashgnn.data.interactions import Csr, Split
from hashgnn.models.method import Task
from hashgnn.recommender.defaults import method_defaults, method_name
from hashgnn.recommender.folder import method_id
from hashgnn.training import fit as training
from hashgnn.training import loop

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text())
OWN = {**CONFIG, "datasets": {"own": {}}}
SHARING = [
    method
    for method, entry in CONFIG["models"].items()
    if takes_training(CONFIG, method) and "pretrained" not in entry
]
PAIRS = pd.DataFrame({"user": [0, 0, 0, 0, 0, 1], "item": [0, 1, 2, 3, 4, 5]})


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ({}, "validation"),
        ({"epochs": 3}, "epochs"),
        ({"epochs": 3, "length": "validation"}, "validation"),
    ],
)
def test_given_epochs_fix_the_length(given: dict[str, Any], length: str) -> None:
    assert method_defaults("hashgnn_plus", given, 10_000).parameters["length"] == length


def test_a_method_without_encoder_gets_its_own_hyper_parameters_alone() -> None:
    made = method_defaults("als", {"alpha": 3.0}, n_interactions=10_000)

    assert made.module == "hashgnn.models.als"
    assert set(made.parameters) == {"epochs", "alpha", "regularization"}
    assert made.parameters["alpha"] == 3
    assert made.negatives is None
    assert {"encoder", "batch_size"} <= set(method_defaults("mf", {}, 10_000).parameters)


class Built(Exception):  # noqa: N818
    """Of the model's factor, in place of a training."""


def factor(made: Any) -> float:
    learned = hasattr(made, "log_scales")
    return made.log_scales[0].exp().item() if learned else made.scale


@pytest.mark.parametrize("bits", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("method", SHARING)
def test_the_factor_of_the_inner_product_is_the_workflows(
    method: str, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the interface trains has the factor that the workflow's settings make."""
    settings, module = parameters(OWN, "own", method), CONFIG["models"][method]["module"]

    def build(model: Any, *others: Any) -> None:
        raise Built(factor(model))

    monkeypatch.setattr(loop, "Training", build)
    with pytest.raises(Built) as of_interface:
        HashGNN(bits=bits, method=method, negatives=1).fit(PAIRS)
    part = Csr(np.array([0, 1]), np.array([0], dtype=np.int32))
    negatives = np.zeros((1, 1, 1), dtype=np.int32)
    task = Task(Split(part, part, part, 1, 1), bits, 0, torch.device("cpu"), negatives)
    with pytest.raises(Built) as of_workflow:
        training.fit(training.load_method(module), task, settings)
    expected = settings["scale"] * (settings["scale_bits"] / bits if settings["scale_bits"] else 1)

    assert of_interface.value.args == of_workflow.value.args == (pytest.approx(expected),)


@pytest.mark.parametrize("method", SHARING)
def test_without_changes_the_hyper_parameters_are_the_workflows(method: str) -> None:
    made = method_defaults(method, {}, n_interactions=10**9)

    assert made.parameters == parameters(OWN, "own", method)
    assert made.negatives == negatives(CONFIG, method)


GUIDANCE = CONFIG["models"]["hashgnn"]["parameters"]["guidance"]


@pytest.mark.parametrize(
    "changes",
    [
        {"guidance": {"floor": 0.4}},
        {"guidance.floor": 0.4},
        {"guidance": {"floor": 0.1}, "guidance.floor": 0.4},
    ],
)
def test_a_nested_one_given_in_part_keeps_the_rest(changes: dict[str, Any]) -> None:
    given = copy.deepcopy(changes)

    made = method_defaults("hashgnn", changes, 10_000).parameters

    assert made["guidance"] == {**GUIDANCE, "floor": 0.4}
    assert changes == given
    assert method_defaults("hashgnn", {}, 10_000).parameters["guidance"] == GUIDANCE


def test_one_without_nested_ones_has_no_dots_in_it() -> None:
    with pytest.raises(InputError, match=r"scale.x: scale is 0.25, which has no keys to set"):
        method_defaults("hashgnn", {"scale.x": 1}, 10_000)


def test_negatives_are_the_ones_that_are_drawn_unless_the_method_has_its_own() -> None:
    drawn = method_defaults("hashgnn", {"negatives": 3}, 10_000)
    own = method_defaults("pte", {"negatives": 3}, 10_000)

    assert (drawn.negatives, drawn.parameters.get("negatives")) == (3, None)
    assert (own.negatives, own.parameters["negatives"]) == (None, 3)


@pytest.mark.parametrize(
    ("value", "message"),
    [(0, "expected 1 or more, got 0"), (1.5, "expected a whole number"), ("5", "write 5 without")],
)
def test_negatives_are_a_number(value: object, message: str) -> None:
    with pytest.raises(InputError, match=f"parameters.negatives: .*{message}"):
        method_defaults("hashgnn", {"negatives": value}, 10_000)


@pytest.mark.parametrize(
    ("settings", "id_", "name"),
    [
        ({"model": "hashgnn_plus", "method": "hashgnn.models.hashgnn_plus"}, None, "HashGNN+"),
        ({"model": "pte@passes=2", "method": "hashgnn.models.pte"}, None, "PTE"),
        ({"model": "own", "method": "elsewhere.own"}, None, None),
        ({"model": "pte", "method": "elsewhere.pte"}, None, None),
        ({"method": "hashgnn.models.als"}, "als", "MF (ALS)"),
    ],
)
def test_the_method_of_a_record(settings: dict[str, str], id_: str | None, name: str) -> None:
    assert method_id({"settings": settings}) == (id_ or settings["model"])
    assert method_name({"settings": settings}) == name


def test_a_method_that_is_none_is_told_the_nearest() -> None:
    with pytest.raises(InputError, match=r"^method 'hashgn': expected one of .*mean hashgnn\?$"):
        method_defaults("hashgn", {}, 10_000)
