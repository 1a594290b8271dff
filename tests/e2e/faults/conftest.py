"""What `make test-faults` counts and prints at its end.

Every test in this folder carries ``pytestmark = pytest.mark.faults`` and counts what it does with
the fixture ``tally``, which is one object for the whole session, so that hypothesis may use it::

    with tally.fault("disk full"):       # a fault; survived, unless an exception leaves the block
        ...
    with tally.input("config"):          # one input; wrong, if an assertion fails in the block
        ...

The words name the kind, a row of what is printed. An assertion that fails in either block counts
as a wrong result.
"""

import time
from contextlib import ExitStack

import pytest

from tests.e2e.faults.experiment import said, small_project, stages, start
from tests.e2e.faults.namespaces import without_network
from tests.e2e.faults.tally import Tally
from tests.e2e.workflow.project import Project

_TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """The counts of this session."""
    return pytestconfig.stash.setdefault(_TALLY, Tally())


@pytest.fixture(scope="session")
def _uninterrupted(
    tmp_path_factory: pytest.TempPathFactory, tally: Tally
) -> tuple[Project, dict[str, float]]:
    project = small_project(tmp_path_factory.mktemp("finished") / "project")
    seen: dict[str, dict[int, list[float]]] = {}
    offline = without_network()
    with ExitStack() as stack:
        if offline:
            stack.enter_context(tally.fault("no network, the whole workflow"))
        process = stack.enter_context(start(project, prefix=offline))
        while process.poll() is None:
            for rule, stage in stages(project):
                seen.setdefault(rule, {}).setdefault(stage, []).append(time.monotonic())
            time.sleep(0.05)
        assert process.returncode == 0, said(project)
    lasted = {rule: [t[-1] - t[0] for t in times.values()] for rule, times in seen.items()}
    return project, {rule: max(times) for rule, times in lasted.items()}


@pytest.fixture(scope="session")
def finished(_uninterrupted: tuple[Project, dict[str, float]]) -> Project:
    """The tiny experiment, run without interruption; only to be read or copied."""
    return _uninterrupted[0]


@pytest.fixture(scope="session")
def durations(_uninterrupted: tuple[Project, dict[str, float]]) -> dict[str, float]:
    """Seconds that the longest stage of each rule was alive."""
    return _uninterrupted[1]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if counts := config.stash.get(_TALLY, None):
        terminalreporter.section("faults")
        for line in counts.lines():
            terminalreporter.write_line(line)
