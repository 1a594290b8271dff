"""PureSVD: the truncated singular value decomposition of the interactions, a sanity check.

    X ~ U S V',  users U S, items V

Cremonesi, Koren and Turrin (2010), Performance of Recommender Algorithms on Top-N Recommendation
Tasks, RecSys. As many dimensions as a code has bits; computed by SciPy.
"""

from dataclasses import dataclass

from scipy.sparse.linalg import svds

from hashgnn.config.settings import at_most, parse, require
from hashgnn.errors import InputError
from hashgnn.graph.bipartite import interaction_matrix
from hashgnn.models.task import Fitted, Task
from hashgnn.search.validation import MAX_BITS
from hashgnn.training.epochs import Epoch, EpochSettings, fit_epochs


@dataclass(frozen=True)
class PureSvdSettings:
    """``dimensions``: by default as many as a code has bits."""

    dimensions: int | None = None

    def __post_init__(self) -> None:
        """``InputError`` for what no decomposition can be made with."""
        require(self, dimensions=1)
        at_most(self, dimensions=MAX_BITS)


SETTINGS = PureSvdSettings


def fit(task: Task) -> Fitted:
    """Decompose the training interactions of ``task``."""
    settings = parse(SETTINGS, task.parameters, "parameters")
    interactions = interaction_matrix(task.split.train, task.split.n_items)
    width, most = settings.dimensions or task.bits, min(interactions.shape) - 1
    if width > most:
        raise InputError(f"PureSVD: {width} dimensions, but these data allow {most}; ask for fewer")
    users, strengths, items = svds(interactions, k=width, random_state=task.seed)
    # Copies: of a single dimension SciPy gives views that torch does not take.
    vectors = Epoch((users * strengths).copy(), items.T.copy())
    return fit_epochs([vectors], task, EpochSettings(epochs=1))
