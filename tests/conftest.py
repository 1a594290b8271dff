"""What holds for all tests: the threads of each, and which of them share a process.

One thread for every test, as jobs have: on a busy machine several wait for each other in turns,
and tests of seconds take minutes. What depends on their number sets it itself.
"""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests for ``--dist loadgroup``: a folder, which shares fixtures, is a group.

    So is what uses the fixture ``project``, an experiment that takes a minute.
    """
    for item in items:
        own = str(item.path.parent.relative_to(Path(__file__).parent))
        group = "project" if "project" in getattr(item, "fixturenames", ()) else own
        item.add_marker(pytest.mark.xdist_group("tests" if group == "." else group))
