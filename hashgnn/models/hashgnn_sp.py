"""HashGNN_sp: representations first, hash layer second.

    h = sign(W v + b),  v from GraphSage, trained first and frozen

The separate training that the paper compares its joint one with (Tan et al. 2020, section 5):
only W and b learn, by HashGNN's guided codes and both of its losses.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from hashgnn.graph.bipartite import Graph
from hashgnn.models.encoders import identity
from hashgnn.models.hashgnn import HashGnn, HashGnnSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.fit import fit_hasher


class HashGnnSp(HashGnn):
    """HashGNN whose encoder returns ``vectors`` [n_nodes, embedding width], frozen."""

    def __init__(self, graph: Graph, bits: int, settings: HashGnnSettings, vectors: Tensor) -> None:
        super().__init__(graph, bits, settings)
        self.embedding = nn.Parameter(vectors, requires_grad=False)


SETTINGS = HashGnnSettings
HASHES_PRETRAINED = True
FIXED = {"encoder": identity.__name__, "fanouts": [1]}  # nothing is aggregated


def fit(task: Task) -> Fitted:
    """Train a hash layer on the vectors of ``task.pretrained``."""
    vectors = torch.from_numpy(np.concatenate(task.vectors_to_hash()))
    frozen = {**FIXED, "embedding_width": vectors.shape[1]}
    task = replace(task, parameters={**task.parameters, **frozen})
    return fit_hasher(partial(HashGnnSp, vectors=vectors), SETTINGS, task)
