"""Minibatches and training steps, over sampled neighbors or whole neighborhoods; choose a kind."""

import copy
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hashgnn.data.interactions import Csr
from hashgnn.data.negatives import DrawnNegatives
from hashgnn.graph import Block, Graph, NeighborSampler
from hashgnn.models.graph_hasher import Batch, GraphHasher
from hashgnn.models.method import GraphParameters, Progress
from hashgnn.training import HOPELESS, TARGET_COST
from hashgnn.training.optimizer import DenseAdam, TouchedAdam, touches_few

Sampling = Literal["sampled", "sources", "whole"]


class Batches:
    """All training interactions once per epoch, in an order drawn from (seed, epoch).

    Batch i of epoch e depends on the seed, e and i alone, so that a resumed training sees the same
    batches as an uninterrupted one.

    Args:
        train: The training interactions.
        negatives: int32 [rounds, interactions, n], or what draws them when they are asked for;
            epoch e uses round e modulo their number.
        sampler: Samples neighbors from the graph.
        batch_size: Interactions per batch.
        seed: Seed of the order and of the neighbors.
        device: Where the batches' tensors are put.
        by_user: Order interactions by user, so that a batch holds all those of some users.

    Attributes:
        sampling: ``sampled`` blocks that index all nodes; blocks that index the distinct
            ``sources``; or none, for propagation over ``whole`` neighborhoods.
        weight: float64 [interactions], in proportion to which an epoch takes interactions; None to
            take each once.
        in_place_of: int32 [items], the item to take in place of each negative; None for the
            negative itself.
    """

    sampling: Sampling = "sampled"
    weight: np.ndarray | None = None
    in_place_of: np.ndarray | None = None

    def __init__(
        self,
        train: Csr,
        negatives: np.ndarray | DrawnNegatives,
        sampler: NeighborSampler,
        batch_size: int,
        seed: int,
        device: torch.device,
        by_user: bool = False,
    ) -> None:
        self.users = np.repeat(
            np.arange(sampler.graph.n_users, dtype=np.int32),
            np.diff(train.indptr).astype(np.int64),
        )
        self.items = train.indices
        self.negatives = negatives
        self.batch_size = min(batch_size, len(self.items))
        self.seed = seed
        self.device = device
        self.by_user = by_user
        self._sampler = sampler

    def __len__(self) -> int:
        """Return the batches per epoch; a rest of less than half a batch joins the last one."""
        return max(1, round(len(self.items) / self.batch_size))

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch from number ``first`` on."""
        order = self._order(np.random.default_rng([self.seed, epoch]))
        round_ = epoch % len(self.negatives)
        for number in range(first, len(self)):
            last = number == len(self) - 1
            start = number * self.batch_size
            rows = order[start : None if last else start + self.batch_size]
            yield self._batch(rows, round_, epoch * len(self) + number)

    def _order(self, rng: np.random.Generator) -> np.ndarray:
        if not self.by_user:
            order = rng.permutation(len(self.items))
            return order if self.weight is None else self._by_weight(self.weight, rng)[order]
        places = rng.permutation(self._sampler.graph.n_users).astype(np.int32)
        if self.weight is None:
            return np.argsort(places[self.users], kind="stable")
        taken = self._by_weight(self.weight, rng)
        return taken[np.argsort(places[self.users[taken]], kind="stable")]

    def _by_weight(self, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return as many rows as there are interactions, ascending, drawn by systematic sampling.

        A row occurs as often as its share of all weights says, rounded up or down at random, so
        that the loss of an epoch is, in expectation, that of weighted interactions. Equal weights
        give each row once.
        """
        ends = np.cumsum(weight) * (len(weight) / weight.sum())
        places = np.arange(len(weight)) + rng.uniform(1e-6, 1 - 1e-6)
        return np.minimum(np.searchsorted(ends, places, side="right"), len(weight) - 1)

    def _batch(self, rows: np.ndarray, round_: int, iteration: int) -> Batch:
        sampler = self._sampler
        users, user_rows = sampler.distinct(self.users[rows])
        negatives = self.negatives[round_, rows]
        if self.in_place_of is not None:
            negatives = self.in_place_of[negatives]
        items = np.concatenate([self.items[rows, None], negatives], axis=1)
        items, item_rows = sampler.distinct(items + np.int32(sampler.graph.n_users))
        targets = np.concatenate([users, items])
        key = int(np.random.default_rng([self.seed, iteration]).integers(1 << 62))
        blocks, sources = self._blocks(targets, key)
        return Batch(
            self._tensor(targets),
            [(self._tensor(rows), self._tensor(drawn)) for rows, drawn in blocks],
            len(users),
            self._tensor(user_rows),
            self._tensor(item_rows.reshape(len(rows), -1) + np.int32(len(users))),
            None if sources is None else self._tensor(sources),
        )

    def _blocks(self, targets: np.ndarray, key: int) -> tuple[list[Block], np.ndarray | None]:
        if self.sampling == "whole":
            return [], None
        if self.sampling == "sources":
            return self._sampler.local_blocks(targets, key)
        return self._sampler.blocks(targets, key), None

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


Engine = Literal["sampled", "full"]

# Device types on which layers may multiply in bfloat16; the CPU kernels do not.
_MIXED = ("cuda",)

# Steps of each engine that are timed by ``auto``.
TURNS = 5


class Choice(NamedTuple):
    """The chosen engine, and why."""

    engine: Engine
    reason: str


class Steps:
    """Take steps with the chosen engine, and with the optimizer that suits the first batch.

    Attributes:
        choices: What was chosen and why, in words.
    """

    def __init__(
        self,
        model: GraphHasher,
        graph: Graph,
        batches: Batches,
        parameters: GraphParameters,
        choice: Choice,
    ) -> None:
        self.model = model
        self.graph = graph
        self.dropout = parameters.embedding_dropout
        first = next(batches.epoch(0))
        self.engine = choice.engine
        self.choices = [f"engine: {choice.engine} ({choice.reason})"]
        n_read, n_nodes = _count_read(first), graph.n_nodes
        learns = self.engine == "sampled" and model.embedding.requires_grad
        learns = learns and parameters.user_embeddings
        few = learns and touches_few(parameters.embedding_updates, n_read, n_nodes)
        if learns:
            which = "only those that a step reads" if few else "all"
            share = f"the first batch reads {n_read:,} of {n_nodes:,}"
            self.choices.append(f"embeddings updated: {which} ({share})")
        device = model.embedding.device.type
        self.mixed = parameters.mixed_precision and device in _MIXED
        if parameters.mixed_precision:
            self.choices.append(f"layers multiply in {'bfloat16' if self.mixed else 'float32'}")
        self.optimizer = (TouchedAdam if few else DenseAdam)(model, parameters.learning_rate)
        sampling: Sampling = "sources" if few else "sampled"
        batches.sampling = "whole" if self.engine == "full" else sampling

    def __call__(self, batch: Batch, progress: Progress, rng: torch.Generator) -> float:
        """Take a step on ``batch`` and return its loss."""
        x = drop(self.optimizer.read(batch.sources), self.dropout, rng)
        a = self._propagate(self.model.inputs(x, batch.sources), batch)
        a = self.model.with_cold_nodes(a, batch, rng)
        loss = self.model.batch_loss(a, batch, progress, rng)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the next steps."""
        self.optimizer.set_learning_rate(rate)

    def _propagate(self, x: Tensor, batch: Batch) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.mixed):
            if self.engine == "full":
                a = self.model.forward_whole(x, self.graph, batch.nodes, batch.n_users)
            else:
                a = self.model(x, batch.blocks, batch.n_users, batch.sources)
        return a.float()


def drop(x: Tensor, rate: float, rng: torch.Generator) -> Tensor:
    """Set each value of ``x`` to 0 with probability ``rate``, else divide it by 1 - ``rate``.

    Srivastava et al. (2014), Dropout: A Simple Way to Prevent Neural Networks from Overfitting.
    torch's own takes no generator, which a resumed training needs to draw the same values.
    """
    if rate == 0:
        return x
    kept = torch.rand(x.shape, generator=rng, device=x.device) >= rate
    return x * kept / (1 - rate)


def _count_read(batch: Batch) -> int:
    """Return the number of distinct embeddings that a sampled batch reads."""
    targets, drawn = batch.blocks[0]
    return len(torch.unique(torch.cat([targets, drawn.flatten()])))


def choose_engine(
    model: GraphHasher, graph: Graph, batches: Batches, parameters: GraphParameters
) -> Choice:
    """Return the engine of ``parameters.engine``; ``auto`` times steps of both on copies.

    Leaves the model, the batches and torch's random state as they were.
    """
    if parameters.engine != "auto":
        return Choice(parameters.engine, "as the settings say")
    if parameters.neighbor_share < 1:
        return Choice("sampled", "neighbor_share is less than 1")
    tried: dict[Engine, _Trial] = {}

    def seconds(engine: Engine) -> float:
        if engine not in tried:
            own, choice = copy.copy(batches), Choice(engine, "tried")
            steps = Steps(copy.deepcopy(model).train(), graph, own, parameters, choice)
            tried[engine] = _Trial(steps, own)
        return tried[engine].seconds()

    with torch.random.fork_rng():
        return choose_faster(next(batches.epoch(0)), graph, seconds)


class _Trial:
    """Time the first steps of a training."""

    def __init__(self, steps: Steps, batches: Batches) -> None:
        self.steps = steps
        self.device = batches.device
        self.progress = Progress(0, len(batches))
        self.rng = torch.Generator(batches.device)
        self.stream = (batch for epoch in count() for batch in batches.epoch(epoch))

    def seconds(self) -> float:
        """Return the time that the next step takes, its batch included."""
        began = time.perf_counter()
        self.steps(next(self.stream), self.progress, self.rng)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter() - began


def choose_faster(batch: Batch, graph: Graph, seconds: Callable[[Engine], float]) -> Choice:
    """Return the engine whose step takes less time.

    Args:
        batch: A sampled batch, which costs are estimated from first.
        graph: The graph.
        seconds: Takes a step with an engine and returns the time.
    """
    times = full_cost(batch, graph) / sampled_cost(batch)
    if times > HOPELESS:
        reason = f"over whole neighborhoods a step costs {times:,.0f} times as much"
        return Choice("sampled", reason)
    sampled, full = _least_of_turns(seconds)
    reason = f"a step took {_ms(sampled)} ms sampled, {_ms(full)} over whole neighborhoods"
    return Choice("sampled" if sampled <= full else "full", reason)


def _least_of_turns(seconds: Callable[[Engine], float]) -> tuple[float, float]:
    """Return the shortest times of a sampled and a full step: other processes only add to them."""
    turns = [(seconds("sampled"), seconds("full")) for _ in range(TURNS + 1)]
    sampled, full = zip(*turns[1:], strict=True)  # the first turn compiles kernels and fills caches
    return min(sampled), min(full)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.3g}"


def sampled_cost(batch: Batch) -> int:
    """Return the cost of a sampled step: rows read, plus ``TARGET_COST`` per target."""
    return sum(TARGET_COST * len(targets) + drawn.numel() for targets, drawn in batch.blocks)


def full_cost(batch: Batch, graph: Graph) -> int:
    """Return the cost over whole neighborhoods; the last layer computes the batch's nodes only."""
    degrees = np.diff(graph.indptr)
    everywhere = TARGET_COST * graph.n_nodes + int(degrees.sum())
    last = TARGET_COST * len(batch.nodes) + int(degrees[batch.nodes.cpu().numpy()].sum())
    return (len(batch.blocks) - 1) * everywhere + last
