"""The code that a job was planned with, and whether the stage that runs has the same.

A job may wait for hours, here or in the queue of a cluster, while its code is edited. Its digest
was taken when it was planned: results of other code must not go under it.
"""

import json
import os
from importlib import import_module
from pathlib import Path

from hashgnn.errors import InputError
from hashgnn.provenance.code_digest import CodeDigest

_VARIABLE = "HASHGNN_PLANNED"

# The package that runs.
own_code = CodeDigest(Path(__file__).parents[2])


class PlannedCode:
    """What rules hand to their stages as ``--code``: a digest, and the modules it begins at.

    On a cluster each job is planned again, where it runs: there the first plan counts, which the
    environment brings.
    """

    def __init__(self, digest: CodeDigest, main_process: bool) -> None:
        self._digest = digest
        told = None if main_process else os.environ.get(_VARIABLE)
        self._planned: dict[str, str] = json.loads(told) if told else {}

    def __call__(self, *entries: str) -> str:
        """Digest and ``entries`` (dotted module names), separated by spaces."""
        modules = " ".join(entries)
        if modules not in self._planned:
            self._planned[modules] = self._digest(*entries)
        return f"{self._planned[modules]} {modules}"

    def hand_on(self) -> None:
        """Let the jobs on a cluster know all that was asked for so far."""
        os.environ[_VARIABLE] = json.dumps(self._planned)


def check_planned(planned: str) -> None:
    """Raise ``InputError`` unless the code is still what ``PlannedCode`` said."""
    digest, stage, *others = planned.split()
    for module in others:  # first: no edit may come between the check and the import
        import_module(module)
    if own_code(stage, *others) != digest:
        raise InputError(
            f"the code of {', '.join([stage, *others])} changed since the workflow planned this "
            "job; give the same command again"
        )
