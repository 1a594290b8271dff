"""Name the function that makes each figure and table; run one: ``... entries NAME ARGUMENTS``.

The workflow plans from these names without importing what they name: its start stays fast, and an
edit reruns only the figures and tables whose functions reach the edited code.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

_FIGURES = "hashgnn.reporting.figures"
_TABLES = "hashgnn.reporting.tables"

FIGURES = {
    "fig1": f"{_FIGURES}.curves:fig1",
    "fig3": f"{_FIGURES}.curves:fig3",
    "fig4": f"{_FIGURES}.curves:fig4",
    "fig5": f"{_FIGURES}.sweeps:fig5",
    "fig6": f"{_FIGURES}.curves:fig6",
    "fig7": f"{_FIGURES}.sweeps:fig7",
}
TABLES = {
    "table1": f"{_TABLES}.measured:table1",
    "table2": f"{_TABLES}.hierarchical:table2",
    "table3": f"{_TABLES}.hierarchical:table3",
    "table4": f"{_TABLES}.measured:table4",
    "methods": f"{_TABLES}.methods:methods",
    "encoders": f"{_TABLES}.methods:encoders",
    "published": f"{_TABLES}.methods:published",
}

# The figures and tables that claims of the paper are judged by.
CLAIMED = ("fig1", "fig3", "fig4", "fig5", "fig6", "fig7", "table2", "table3", "table4")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line of the figure or table that the first argument names."""
    entries = {**FIGURES, **TABLES}
    arguments = sys.argv[1:] if argv is None else list(argv)
    if not arguments or arguments[0] not in entries:
        print(f"error: expected first one of {', '.join(entries)}", file=sys.stderr)
        return 2
    module, function = entries[arguments[0]].split(":")
    status: int = getattr(import_module(module), function)(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
