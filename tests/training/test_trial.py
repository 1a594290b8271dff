import pytest
import torch

from hashgnn.config.settings import parse
from hashgnn.graph.bipartite import bipartite_graph
from hashgnn.models.hashgnn import HashGnn, HashGnnSettings
from hashgnn.training.batches import Batches
from hashgnn.training.steps import choose_engine
from tests.training.planted import planted_task

MANY = {"fanouts": [900, 900]}  # of eight neighbors: whole neighborhoods are far cheaper


@pytest.mark.parametrize("settings", [MANY, {**MANY, "embedding_updates": "touched"}])
def test_both_engines_are_tried_and_leave_no_trace(settings: dict[str, object]) -> None:
    task = planted_task(engine="auto", **settings)
    parameters = parse(HashGnnSettings, task.parameters, "parameters")
    graph = bipartite_graph(task.split.train, task.split.n_items)
    model = HashGnn(graph, task.bits, parameters)
    batches = Batches(
        task.split.train, task.triplets, graph, parameters.fanouts, 64, task.seed, task.device
    )
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
    task = planted_task(engine="full")
    parameters = parse(HashGnnSettings, task.parameters, "parameters")
    graph = bipartite_graph(task.split.train, task.split.n_items)
    model = HashGnn(graph, task.bits, parameters)
    batches = Batches(
        task.split.train, task.triplets, graph, parameters.fanouts, 64, task.seed, task.device
    )
    monkeypatch.delattr(Batches, "epoch")

    assert choose_engine(model, graph, batches, parameters) == ("full", "as the settings say")
