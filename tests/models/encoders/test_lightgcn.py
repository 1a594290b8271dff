import math

import numpy as np
import torch

from hashgnn.graph.bipartite import Graph, NeighborSampler
from hashgnn.models.encoders.lightgcn import LightGcn

# User 0 knows items 1 and 2; item 3 is alone and therefore its own neighbor.
PATH = Graph(np.array([0, 2, 3, 4, 5]), np.array([1, 2, 0, 0, 3], dtype=np.int32), 1)
X = torch.tensor([[1.0], [2.0], [4.0], [7.0]])


def test_two_layers_by_hand() -> None:
    # With r = 1 / sqrt(2): layer 1 is ((2 + 4) r, r, r, 7), layer 2 ((r + r) r, 6 r r, 6 r r, 7).
    r = 1 / math.sqrt(2)
    expected = [(1 + 6 * r + 1) / 3, (2 + r + 3) / 3, (4 + r + 3) / 3, 7]

    out = LightGcn(1, 2, PATH).propagate(X, PATH)

    torch.testing.assert_close(out.flatten(), torch.tensor(expected))


def test_inference_matches_what_was_trained() -> None:
    encoder = LightGcn(1, 2, PATH)
    sampler = NeighborSampler(PATH, [3, 2])
    nodes = np.array([2, 0, 3], dtype=np.int32)

    sampled = []
    for seed in range(3000):
        blocks = [tuple(map(torch.from_numpy, block)) for block in sampler.blocks(nodes, seed)]
        sampled.append(encoder(X, blocks))

    expected = encoder.propagate(X, PATH)[torch.from_numpy(nodes).long()]
    torch.testing.assert_close(torch.stack(sampled).mean(0), expected, atol=0.02, rtol=0)
