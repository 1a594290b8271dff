"""HashGNN_sp: train representations first, then a hash layer on them.

    h = sign(W v + b),  v from GraphSage, trained first and frozen

The separate training that the paper compares its joint one with (Tan et al. 2020, section 5): only
W and b are trained, by HashGNN's guided codes and both of its losses.
"""

from torch import Tensor, nn

from hashgnn.graph import Graph
from hashgnn.models import encoders, hashgnn
from hashgnn.models.method import GraphMethod


class Parameters(hashgnn.Parameters):
    """HashGNN's; those of the encoder and the embeddings have no effect."""


class HashGnnSpModel(hashgnn.HashGnnModel):
    """HashGNN on frozen ``vectors`` [n_nodes, d], users first, without an encoder."""

    def __init__(self, graph: Graph, bits: int, parameters: Parameters, vectors: Tensor) -> None:
        width = {"embedding_width": vectors.shape[1]}
        super().__init__(graph, bits, parameters.model_copy(update=width))
        self.embedding = nn.Parameter(vectors, requires_grad=False)


METHOD = GraphMethod(
    Parameters,
    HashGnnSpModel,
    fixed={"encoder": encoders.build.__module__, "fanouts": [1]},
    hashes_pretrained=True,
)
