"""Learning to hash with graph neural networks for recommender systems (HashGNN, WWW 2020).

>>> from hashgnn import HashGNN
>>> HashGNN(bits=64).fit(interactions).recommend(users, n=10)
"""

import gc
from importlib import import_module

# The module of each public name. Names are imported on first use, so that stages that need only
# numpy do not load pandas or torch. The modules are strings, so that the code digest of a stage
# does not count them as code that it runs; type checkers read __init__.pyi.
_HOMES = {"HashGNN": "hashgnn.recommender.estimator", "InputError": "hashgnn.errors"}

__all__ = ["HashGNN", "InputError"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # What an import makes stays for good, and to search it for garbage takes a sixth of the time.
    # Freezing and unfreezing moves it to the oldest generation without a search.
    collecting, frozen = gc.isenabled(), gc.get_freeze_count()
    gc.disable()
    try:
        return getattr(import_module(_HOMES[name]), name)
    finally:
        if not frozen:
            gc.freeze()
            gc.unfreeze()
        if collecting:
            gc.enable()
