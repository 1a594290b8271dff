import numpy as np
import pytest
import torch

from hashgnn.config.base import parse
from hashgnn.config.evaluation import ValidationSettings
from hashgnn.data.interactions import Csr, Split
from hashgnn.graph import NeighborSampler, bipartite_graph
from hashgnn.models.graph_hasher import pack
from hashgnn.models.hashgnn import HashGnnModel, Parameters
from hashgnn.models.method import Progress
from hashgnn.search import Representation
from hashgnn.training.monitoring import PairwiseAuc, of_some_users, validation_recall
from hashgnn.training.steps import Batches, Steps, choose_engine
from tests.training.planted import N_USERS, SHARED, planted_split, planted_task


def test_validation_of_some_users_is_that_of_a_split_with_no_others() -> None:
    split = planted_split()

    some = of_some_users(split, 7, seed=0)

    sizes = np.diff(some.validation.indptr)
    assert (sizes > 0).sum() == 7
    for user in np.flatnonzero(sizes):
        rows = [slice(*part.validation.indptr[user : user + 2]) for part in (some, split)]
        assert np.array_equal(some.validation.indices[rows[0]], split.validation.indices[rows[1]])
    assert some.train is split.train
    assert of_some_users(split, N_USERS, seed=0) is split
    assert not np.array_equal(sizes, np.diff(of_some_users(split, 7, seed=1).validation.indptr))


def test_recall_is_the_mean_over_users_who_have_validation_items() -> None:
    split = planted_split()
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((2, 120, 8), dtype=np.float32)
    encoded = [Representation(pack(rows), rows) for rows in vectors]

    some = of_some_users(split, 30, seed=0)
    searches = ("hamming", "continuous")
    settings = ValidationSettings(validation_cutoff=20)
    alone = validation_recall(*encoded, some, searches, settings)

    def single(user: int) -> float:
        chosen = np.zeros(N_USERS, dtype=bool)
        chosen[user] = True
        indptr = np.concatenate([[0], np.cumsum(np.where(chosen, 2, 0))])
        rows = slice(*split.validation.indptr[user : user + 2])
        part = split.validation._replace(indptr=indptr, indices=split.validation.indices[rows])
        return validation_recall(
            *encoded, type(split)(split.train, part, split.test, 120, 120), searches, settings
        )

    validated = np.flatnonzero(np.diff(some.validation.indptr))
    assert alone == pytest.approx(np.mean([single(user) for user in validated]))


@pytest.mark.parametrize(
    ("search", "n", "candidates", "expected"),
    [
        ("continuous", 2, 4, 0),
        ("continuous", 3, 4, 1),
        ("hierarchical", 2, 3, 1),  # the last item is no candidate, as its code is another
        ("hierarchical", 2, 4, 0),
        ("hierarchical", 1, 3, 0),
        ("hamming", 3, 4, 1),
    ],
)
def test_lists_and_candidates_are_as_set(
    search: str, n: int, candidates: int, expected: float
) -> None:
    users = np.array([[1, 1]], np.float32)
    items = np.array([[9, 2], [1, 8], [2, 2], [20, -1]], np.float32)  # scores 11, 9, 4 and 19
    encoded = [Representation(pack(rows), rows) for rows in (users, items)]
    none, second = (Csr(np.array([0, len(rows)]), np.array(rows, np.int32)) for rows in ([], [1]))
    settings = ValidationSettings(validation_cutoff=n, candidates=candidates)

    found = validation_recall(*encoded, Split(none, second, none, 1, 4), [search], settings)

    assert found == expected


@pytest.mark.parametrize("aggregator", ["sage", "gcn"])
def test_validation_auc_by_sampled_and_by_whole_neighborhoods_is_the_same(aggregator: str) -> None:
    """Trained with sampled neighborhoods, the model ranks alike by either (a known trap)."""
    task = planted_task()
    changes = {"aggregator": aggregator, "fanouts": [8, 6]}
    parameters = parse(Parameters, {**SHARED, **changes}, "parameters")
    torch.manual_seed(0)
    graph = bipartite_graph(task.split.train, task.split.n_items)
    model = HashGnnModel(graph, task.bits, parameters)
    drawn = NeighborSampler(graph, parameters.fanouts)
    batches = Batches(task.split.train, task.negatives, drawn, 64, task.seed, task.device)
    choice = choose_engine(model, graph, batches, parameters)
    steps = Steps(model, graph, batches, parameters, choice)
    for epoch in range(10):
        for number, batch in enumerate(batches.epoch(epoch)):
            steps(batch, Progress(epoch * len(batches) + number, len(batches)), torch.Generator())
    pairs = [PairwiseAuc(task.split, seed) for seed in range(20)]  # 240 pairs each: too few

    def auc(z: torch.Tensor) -> float:
        return float(np.mean([some.of_vectors(z[:N_USERS], z[N_USERS:]) for some in pairs]))

    whole = model.propagate(graph).vectors
    sampler, everyone = NeighborSampler(graph, parameters.fanouts), np.arange(240, dtype=np.int32)
    by_samples = []
    with torch.no_grad():
        for seed in range(20):
            blocks = [tuple(map(torch.from_numpy, b)) for b in sampler.blocks(everyone, seed)]
            z = torch.tanh(model(model.embedding, blocks, N_USERS))
            by_samples.append(auc(z))

    assert auc(whole) > 0.7
    assert abs(np.mean(by_samples) - auc(whole)) < 0.005
