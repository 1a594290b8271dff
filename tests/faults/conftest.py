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

import pytest

from tests.faults.tally import Tally

_TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """The counts of this session."""
    return pytestconfig.stash.setdefault(_TALLY, Tally())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if counts := config.stash.get(_TALLY, None):
        terminalreporter.section("faults")
        for line in counts.lines():
            terminalreporter.write_line(line)
