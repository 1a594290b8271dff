"""What the settings of a training derive from each other."""

import numpy as np
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.graph.bipartite import bipartite_graph
from hashgnn.models.hashgnn import HashGnn, HashGnnSettings


@pytest.mark.parametrize(
    ("scale_bits", "bits", "factor"),
    [(32, 32, 0.25), (32, 8, 1.0), (32, 128, 0.0625), (0, 8, 0.25)],
)
def test_the_factor_of_the_inner_product_falls_with_the_length_of_the_code(
    scale_bits: int, bits: int, factor: float
) -> None:
    graph = bipartite_graph(Csr(np.array([0, 1]), np.array([0], dtype=np.int32)), n_items=1)
    settings = HashGnnSettings(scale=0.25, scale_bits=scale_bits)
    assert HashGnn(graph, bits, settings).scale == factor
