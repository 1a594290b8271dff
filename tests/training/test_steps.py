"""Batches, and whole steps: kernels against torch, engines and optimizers among each other."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from hashgnn.config.base import parse
from hashgnn.data.interactions import Csr
from hashgnn.graph import Graph, NeighborSampler, aggregate, bipartite_graph
from hashgnn.models import graph_hasher
from hashgnn.models.graph_hasher import Batch
from hashgnn.models.hashgnn import HashGnnModel, Parameters
from hashgnn.models.losses import similarity_reference
from hashgnn.models.method import Progress
from hashgnn.training import steps
from hashgnn.training.steps import (
    Batches,
    Engine,
    Steps,
    choose_engine,
    choose_faster,
    drop,
    full_cost,
    sampled_cost,
)
from tests.training.planted import SHARED, planted_task


def prepared(**changes: object) -> tuple[HashGnnModel, Graph, Batches, Parameters]:
    """A model of the planted groups before its first step."""
    task = planted_task()
    parameters = parse(Parameters, {**SHARED, **changes}, "parameters")
    torch.manual_seed(0)
    graph = bipartite_graph(task.split.train, task.split.n_items)
    model = HashGnnModel(graph, task.bits, parameters)
    batches = Batches(
        task.split.train,
        task.negatives,
        NeighborSampler(graph, parameters.fanouts, parameters.neighbor_share),
        parameters.batch_size,
        task.seed,
        task.device,
    )
    return model, graph, batches, parameters


def trained(n_steps: int = 5, **parameters: object) -> tuple[dict[str, torch.Tensor], Steps, float]:
    """Weights and loss after so many steps."""
    model, graph, batches, hyper_parameters = prepared(**parameters)
    choice = choose_engine(model, graph, batches, hyper_parameters)
    step, loss = Steps(model, graph, batches, hyper_parameters, choice), float("inf")
    for number, batch in zip(range(n_steps), batches.epoch(0), strict=False):
        rng = torch.Generator().manual_seed(number)
        loss = step(batch, Progress(number, len(batches)), rng)
    return model.state_dict(), step, loss


@pytest.mark.parametrize("engine", ["sampled", "full"])
@pytest.mark.parametrize("updates", ["all", "touched"])
@pytest.mark.parametrize(
    "encoder",
    [
        {"aggregator": "sage"},
        {"aggregator": "gcn"},
        {"encoder": "hashgnn.models.lightgcn"},
    ],
)
def test_steps_by_kernels_are_those_by_torch(
    engine: str, updates: str, encoder: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"engine": engine, "embedding_updates": updates, **encoder}
    by_kernels, _, loss = trained(**settings)

    monkeypatch.setattr(aggregate, "has_kernels", lambda x: False)
    monkeypatch.setattr(graph_hasher, "similarity", similarity_reference)
    by_torch, _, expected = trained(**settings)

    assert loss == pytest.approx(expected, rel=1e-5)
    for name, weights in by_kernels.items():
        torch.testing.assert_close(weights, by_torch[name], atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("engine", ["sampled", "full"])
def test_mixed_precision_rounds_products_and_nothing_else(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a GPU does it, by the CPU's bfloat16."""
    monkeypatch.setattr(aggregate, "has_kernels", lambda x: False)
    exact, _, expected = trained(30, engine=engine)
    _, refused, same = trained(30, engine=engine, mixed_precision=True)
    assert refused.choices[-1] == "layers multiply in float32"
    assert same == expected

    monkeypatch.setattr(steps, "_MIXED", ("cpu",))
    rounded, chosen, loss = trained(30, engine=engine, mixed_precision=True)

    assert chosen.choices[-1] == "layers multiply in bfloat16"
    assert loss != expected
    assert loss == pytest.approx(expected, rel=0.02)
    for name, weights in rounded.items():
        assert weights.dtype == exact[name].dtype == torch.float32


def test_only_what_a_step_reads_is_updated() -> None:
    before, _, _ = trained(0)
    touched, steps, _ = trained(1, embedding_updates="touched", batch_size=4)
    every, _, _ = trained(1, embedding_updates="all", batch_size=4)

    moved = (touched["embedding"] != before["embedding"]).any(1)
    assert 0 < moved.sum() < 240
    assert "only those that a step reads" in steps.choices[1]
    # In the first step nothing has momentum, and the two are the same.
    for name, weights in every.items():
        torch.testing.assert_close(touched[name], weights)


def test_convolutions_take_whole_neighborhoods_too() -> None:
    settings = {"encoder": "hashgnn.models.encoders.convolution", "convolution": "GATConv"}

    _, steps, loss = trained(15, engine="full", **settings)

    assert steps.choices == ["engine: full (as the settings say)"]
    assert loss < trained(1, engine="full", **settings)[2]


def test_dropout_keeps_the_expectation_and_draws_from_its_generator() -> None:
    x = torch.full((200, 500), 3.0)

    dropped, again = (drop(x, 0.25, torch.Generator().manual_seed(s)) for s in (1, 1))

    assert torch.equal(dropped, again)
    assert set(dropped.unique().tolist()) == {0.0, 4.0}
    assert dropped.mean().item() == pytest.approx(3, rel=0.01)
    assert drop(x, 0, torch.Generator()) is x


# A hub with 40 neighbors.
STAR = Graph(
    np.array([0, 40, *range(41, 81)]), np.array([*range(1, 41), *[0] * 40], dtype=np.int32), 1
)


def batch(n_targets: int, fanouts: tuple[int, int]) -> Batch:
    """Targets are the first nodes; so many rows lie between the layers."""
    last = torch.arange(n_targets), torch.zeros(n_targets, fanouts[0])
    first = torch.arange(2 * n_targets), torch.zeros(2 * n_targets, fanouts[1])
    return Batch(torch.arange(n_targets).int(), [first, last], 1, *[torch.empty(0)] * 2)


def test_costs_by_hand() -> None:
    assert sampled_cost(batch(3, (4, 2))) == (6 * 20 + 6 * 2) + (3 * 20 + 3 * 4)
    # 41 nodes with 80 neighbors; then the hub with 40 and two others with one each.
    assert full_cost(batch(3, (4, 2)), STAR) == (41 * 20 + 80) + (3 * 20 + 42)


def clock(sampled: list[float], full: list[float]) -> Callable[[Engine], float]:
    """A step takes what is next in the list of its engine."""
    left = {"sampled": iter(sampled), "full": iter(full)}
    return lambda engine: next(left[engine])


@pytest.mark.parametrize(
    ("sampled", "full", "expected"),
    [
        # The first turn, in which kernels are compiled, does not count; of the others the least.
        ([9, 3, 0.002, 3, 3, 3], [0.001, 4, 4, 0.003, 4, 4], ("sampled", "2", "3")),
        ([0.001, 2, 2, 2, 2, 2.5], [9, 9, 9, 9, 9, 1.25], ("full", "2e+03", "1.25e+03")),
        ([1] * 6, [1] * 6, ("sampled", "1e+03", "1e+03")),
    ],
)
def test_auto_takes_the_faster_one_and_says_why(
    sampled: list[float], full: list[float], expected: tuple[str, str, str]
) -> None:
    engine, a, b = expected

    choice = choose_faster(batch(20, (100, 100)), STAR, clock(sampled, full))

    assert choice == (engine, f"a step took {a} ms sampled, {b} over whole neighborhoods")


def never(engine: Engine) -> float:
    raise AssertionError(f"{engine} was tried")


def test_what_cannot_win_is_not_tried() -> None:
    # 41 nodes with 80 neighbors and the hub with 40, against two targets with a neighbor each.
    assert choose_faster(batch(1, (1, 1)), STAR, never) == (
        "sampled",
        "over whole neighborhoods a step costs 15 times as much",
    )


MANY = {"fanouts": [900, 900]}  # of eight neighbors: whole neighborhoods are far cheaper


@pytest.mark.parametrize("settings", [MANY, {**MANY, "embedding_updates": "touched"}])
def test_both_engines_are_tried_and_leave_no_trace(settings: dict[str, object]) -> None:
    model, graph, batches, parameters = prepared(engine="auto", **settings)
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    random = torch.get_rng_state()

    choice = choose_engine(model, graph, batches, parameters)

    assert choice.engine == "full"
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)
    assert model.embedding.requires_grad
    assert model.embedding.grad is None
    assert batches.sampling == "sampled"


def test_what_the_settings_say_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a step, and without a batch."""
    model, graph, batches, parameters = prepared(engine="full")
    monkeypatch.delattr(Batches, "epoch")

    assert choose_engine(model, graph, batches, parameters) == ("full", "as the settings say")


TRAIN = Csr(np.array([0, 2, 5, 6, 9]), np.array([0, 1, 1, 2, 3, 0, 0, 2, 3], dtype=np.int32))
NEGATIVES = np.zeros((1, 9, 1), dtype=np.int32)


def links(batch: Batch) -> list[tuple[int, int]]:
    rows = zip(batch.users.tolist(), batch.items[:, 0].tolist(), strict=True)
    nodes = batch.nodes.tolist()
    return [(nodes[user], nodes[item] - 4) for user, item in rows]


@pytest.mark.parametrize("by_user", [False, True])
def test_an_epoch_has_every_interaction_once(by_user: bool) -> None:
    graph = bipartite_graph(TRAIN, 4)
    batches = Batches(
        TRAIN, NEGATIVES, NeighborSampler(graph, [2]), 3, 0, torch.device("cpu"), by_user
    )

    epochs = [[link for batch in batches.epoch(e) for link in links(batch)] for e in range(3)]

    every = sorted(zip(np.repeat(range(4), np.diff(TRAIN.indptr)), TRAIN.indices, strict=True))
    assert all(sorted(epoch) == every for epoch in epochs)
    assert epochs[0] != epochs[1]
    users = [[user for user, _ in epoch] for epoch in epochs]
    apart = [sum(a != b for a, b in pairwise(u)) for u in users]
    assert all((changes == 3) == by_user for changes in apart)


@pytest.mark.parametrize("by_user", [False, True])
def test_equal_weights_are_none(by_user: bool) -> None:
    sampler = NeighborSampler(bipartite_graph(TRAIN, 4), [2])
    plain, weighted = (
        Batches(TRAIN, NEGATIVES, sampler, 3, 0, torch.device("cpu"), by_user) for _ in range(2)
    )
    weighted.weight = np.full(9, 0.1)

    for one, other in zip(plain.epoch(1), weighted.epoch(1), strict=True):
        assert links(one) == links(other)


@pytest.mark.parametrize("by_user", [False, True])
def test_interactions_are_taken_in_proportion_to_their_weights(by_user: bool) -> None:
    sampler = NeighborSampler(bipartite_graph(TRAIN, 4), [2])
    batches = Batches(TRAIN, NEGATIVES, sampler, 9, 0, torch.device("cpu"), by_user)
    weight = np.array([4, 1, 0.25, 1, 1, 2, 0.75, 1, 1])
    batches.weight = weight
    every = list(zip(np.repeat(range(4), np.diff(TRAIN.indptr)), TRAIN.indices, strict=True))

    counts = np.zeros(9)
    epochs = 400
    for epoch in range(epochs):
        (batch,) = batches.epoch(epoch)
        found = np.bincount([every.index(link) for link in links(batch)], minlength=9)
        expected = weight * 9 / weight.sum()
        assert (np.floor(expected) <= found).all()
        assert (found <= np.ceil(expected)).all()
        counts += found
    # Five standard errors of a count that is one of two neighbors: at most 5 * 0.5 / sqrt(400).
    np.testing.assert_allclose(counts / epochs, weight * 9 / weight.sum(), rtol=0, atol=0.125)
