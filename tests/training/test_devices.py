"""Training on a GPU against training on the CPU.

Without a GPU, the CPU by the plain torch operations that a GPU runs takes its place.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from hashgnn.config.base import parse
from hashgnn.graph import Graph, NeighborSampler, aggregate, bipartite_graph
from hashgnn.models import graph_hasher, hashgnn, hashgnn_plus
from hashgnn.models.losses import similarity_reference
from hashgnn.models.method import Progress
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.fit import Fitted, fit
from hashgnn.training.monitoring import Callback, TrainingProgress, print_progress
from hashgnn.training.steps import Batches, Steps, choose_engine
from tests.training.planted import SHARED, planted_task

CPU = torch.device("cpu")
Elsewhere = Callable[[], AbstractContextManager[torch.device]]

METHODS = {
    # p = 0: the loss sees codes alone, so no draw of the guidance has an effect.
    "codes": (hashgnn, {"guidance": {"start": 0.0, "floor": 0.0}}),
    "vectors": (hashgnn, {"guidance": {"start": 1.0, "step": 0.0}}),
    "plus": (hashgnn_plus, {"batch_by": "users", "user_embeddings": False, "user_damping": 0.3}),
    "asymmetric": (hashgnn_plus, {"batch_by": "users", "asymmetric_weight": 1.0}),
}
# They add the same to all similarities of a user, which a softmax over items does not depend on:
# their gradients are rounding errors, which Adam scales up.
SHIFTS = ("item_hash.bias", "item_vector.bias")
every_method = pytest.mark.parametrize("method", list(METHODS))


@contextmanager
def plain_torch() -> Iterator[torch.device]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregate, "has_kernels", lambda x: False)
        patch.setattr(graph_hasher, "similarity", similarity_reference)
        yield CPU


@contextmanager
def gpu() -> Iterator[torch.device]:
    yield torch.device("cuda")


@pytest.fixture(params=[plain_torch, pytest.param(gpu, marks=pytest.mark.gpu)])
def elsewhere(request: pytest.FixtureRequest) -> Elsewhere:
    chosen: Elsewhere = request.param
    return chosen


class Prepared(NamedTuple):
    model: Any
    graph: Graph
    batches: Batches
    parameters: Any


def prepared(method: str, device: torch.device, **changes: object) -> Prepared:
    """A model of the planted groups before its first step, the same on every device."""
    module, own = METHODS[method]
    task = planted_task()
    parameters = parse(module.Parameters, {**SHARED, **own, **changes}, "parameters")
    torch.manual_seed(0)
    graph = bipartite_graph(task.split.train, task.split.n_items)
    model = module.METHOD.model(graph, task.bits, parameters).to(device)
    batches = Batches(
        task.split.train,
        task.negatives,
        NeighborSampler(graph, parameters.fanouts, parameters.neighbor_share),
        parameters.batch_size,
        task.seed,
        device,
        by_user=parameters.batch_by == "users",
    )
    return Prepared(model, graph, batches, parameters)


def step(
    method: str, device: torch.device, engine: str
) -> tuple[float, dict[str, torch.Tensor], np.ndarray]:
    """Loss, gradients and codes of the first batch."""
    made = prepared(method, device, engine=engine)
    batch = next(made.batches.epoch(0))
    rng, progress = torch.Generator(device), Progress(0, len(made.batches))
    x = made.model.embedding
    if engine == "full":
        a = made.model.forward_whole(x, made.graph, batch.nodes, batch.n_users)
    else:
        a = made.model(x, batch.blocks, batch.n_users)
    loss = made.model.batch_loss(a, batch, progress, rng)
    loss.backward()
    gradients = {name: weight.grad.cpu() for name, weight in made.model.named_parameters()}
    return loss.item(), gradients, made.model.propagate(made.graph).codes()


@pytest.mark.parametrize("engine", ["sampled", "full"])
@every_method
def test_a_step_has_the_loss_the_gradients_and_the_codes_of_the_cpu(
    method: str, engine: str, elsewhere: Elsewhere
) -> None:
    expected, gradients, codes = step(method, CPU, engine)
    with elsewhere() as device:
        loss, found, own_codes = step(method, device, engine)

    assert loss == pytest.approx(expected, rel=1e-5)
    for name, gradient in gradients.items():
        assert gradient.abs().max() > 0
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-3)
    assert (np.unpackbits(own_codes) == np.unpackbits(codes)).mean() > 0.999


def steps(
    method: str, device: torch.device, n_steps: int = 5, **changes: object
) -> tuple[float, dict[str, torch.Tensor], list[str]]:
    """The last loss, the weights and the choices after some steps."""
    made = prepared(method, device, **changes)
    choice = choose_engine(*made)
    take, loss = Steps(*made, choice), float("inf")
    stream = (batch for epoch in range(n_steps) for batch in made.batches.epoch(epoch))
    for number, batch in zip(range(n_steps), stream, strict=False):
        rng = torch.Generator(device).manual_seed(number)
        loss = take(batch, Progress(number, len(made.batches)), rng)
    weights = {name: weight.cpu() for name, weight in made.model.state_dict().items()}
    return loss, weights, take.choices


@pytest.mark.parametrize("updates", ["all", "touched"])
@every_method
def test_steps_lead_to_the_weights_of_the_cpu(
    method: str, updates: str, elsewhere: Elsewhere
) -> None:
    settings = {"embedding_updates": updates, "user_embeddings": True}
    expected, weights, _ = steps(method, CPU, **settings)
    with elsewhere() as device:
        loss, found, _ = steps(method, device, **settings)

    assert loss == pytest.approx(expected, rel=1e-3)
    for name, weight in weights.items():
        if not (method in ("plus", "asymmetric") and name in SHIFTS):
            torch.testing.assert_close(found[name], weight, atol=5e-4, rtol=2e-3)


def trained(
    module: ModuleType,
    device: torch.device,
    seed: int,
    checkpoint: Checkpoint | None = None,
    callback: Callback = print_progress,
) -> Fitted:
    """A training of six epochs, guided and with dropout."""
    settings = {**SHARED, "epochs": 6, "embedding_dropout": 0.2}
    if module is hashgnn_plus:
        settings |= {"batch_by": "users", "user_embeddings": False}
    task = replace(planted_task(seed), device=device)
    return fit(module.METHOD, task, settings, checkpoint, callback)


def recalls(module: ModuleType, device: torch.device, seeds: range) -> np.ndarray:
    return np.array([trained(module, device, s).facts["validation_hr"] for s in seeds])


@pytest.mark.parametrize(
    "elsewhere",
    [pytest.param(plain_torch, marks=pytest.mark.slow), pytest.param(gpu, marks=pytest.mark.gpu)],
)
@pytest.mark.parametrize("module", [hashgnn, hashgnn_plus])
def test_a_training_reaches_the_recall_of_the_cpu(module: ModuleType, elsewhere: Elsewhere) -> None:
    """The draws of dropout and of the guidance differ between devices, as between seeds."""
    seeds = range(4)
    expected = recalls(module, CPU, seeds)
    with elsewhere() as device:
        found = recalls(module, device, seeds)

    assert expected.mean() > 0.6  # of random codes: 0.45
    noise = np.sqrt((expected.var(ddof=1) + found.var(ddof=1)) / len(seeds))
    assert abs(found.mean() - expected.mean()) < 3 * noise + 0.01


@pytest.mark.gpu
@pytest.mark.parametrize("engine", ["sampled", "full"])
@every_method
def test_mixed_precision_on_a_gpu_is_close_to_float32(method: str, engine: str) -> None:
    device = torch.device("cuda")
    exact, _, _ = steps(method, device, engine=engine)

    loss, weights, choices = steps(method, device, engine=engine, mixed_precision=True)

    assert choices[-1] == "layers multiply in bfloat16"
    assert loss != exact
    assert loss == pytest.approx(exact, rel=0.03)
    assert all(weight.dtype == torch.float32 for weight in weights.values())


@pytest.mark.gpu
@every_method
def test_auto_times_both_engines_on_a_gpu(method: str) -> None:
    _, _, choices = steps(method, torch.device("cuda"), 1, engine="auto", fanouts=[900, 900])

    assert "a step took" in choices[0]


class Interrupted(Exception):  # noqa: N818
    pass


@pytest.mark.gpu
@pytest.mark.parametrize("module", [hashgnn, hashgnn_plus])
def test_an_interrupted_training_goes_on(module: ModuleType, tmp_path: Path) -> None:
    def interrupt(progress: TrainingProgress) -> None:
        if progress.epoch == 3:
            raise Interrupted

    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "one", every_seconds=0)
    device = torch.device("cuda")
    whole = trained(module, device, 0)
    with pytest.raises(Interrupted):
        trained(module, device, 0, checkpoint, interrupt)
    assert checkpoint.load() is not None
    resumed = trained(module, device, 0, checkpoint)

    # On a GPU sums are added in any order, so the results are close, not the same.
    assert resumed.history["iteration"].tolist() == whole.history["iteration"].tolist()
    recall = whole.facts["validation_hr"]
    assert resumed.facts["validation_hr"] == pytest.approx(recall, abs=0.03)
