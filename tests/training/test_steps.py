"""Whole steps: kernels against plain torch, engines and optimizers against each other."""

import pytest
import torch

from hashgnn.config.settings import parse
from hashgnn.graph import aggregate, mean_layer
from hashgnn.graph.bipartite import bipartite_graph
from hashgnn.models import base as graph_hasher
from hashgnn.models.hashgnn import HashGnn, HashGnnSettings
from hashgnn.models.hashing import Progress
from hashgnn.models.losses.similarity import similarity_reference
from hashgnn.training import steps
from hashgnn.training.batches import Batches
from hashgnn.training.steps import Steps, choose_engine, drop
from tests.training.planted import planted_task


def trained(n_steps: int = 5, **parameters: object) -> tuple[dict[str, torch.Tensor], Steps, float]:
    """Weights and loss after so many steps."""
    task = planted_task(**parameters)
    settings = parse(HashGnnSettings, task.parameters, "parameters")
    torch.manual_seed(0)
    graph = bipartite_graph(task.split.train, task.split.n_items)
    model = HashGnn(graph, task.bits, settings)
    batches = Batches(
        task.split.train,
        task.triplets,
        graph,
        settings.fanouts,
        settings.batch_size,
        task.seed,
        task.device,
    )
    choice = choose_engine(model, graph, batches, settings)
    step, loss = Steps(model, graph, batches, settings, choice), float("inf")
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
        {"encoder": "hashgnn.models.encoders.lightgcn"},
    ],
)
def test_steps_by_kernels_are_those_by_torch(
    engine: str, updates: str, encoder: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"engine": engine, "embedding_updates": updates, **encoder}
    by_kernels, _, loss = trained(**settings)

    for module in (aggregate, mean_layer):
        monkeypatch.setattr(module, "has_kernels", lambda x: False)
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
    for module in (aggregate, mean_layer):
        monkeypatch.setattr(module, "has_kernels", lambda x: False)
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
