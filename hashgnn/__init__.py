"""Learning to hash with graph neural networks for recommender systems (HashGNN, WWW 2020).

>>> from hashgnn import HashGNN
>>> HashGNN(bits=64).fit(interactions).recommend(users, n=10)
"""

from importlib import import_module

# Where each public name lies. They are imported when they are first asked for: stages that need
# numpy alone do not wait for pandas or torch. Named as texts, so that a stage's code digest does
# not take them for code that the stage runs; __init__.pyi tells type checkers.
_HOMES = {"HashGNN": "hashgnn.recommender.estimator", "InputError": "hashgnn.errors"}

__all__ = ["HashGNN", "InputError"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
