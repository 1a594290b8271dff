"""Name the function that makes each figure and table, and run one of them.

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
    "fig8": f"{_FIGURES}.tradeoffs:fig8",
    "fig9": f"{_FIGURES}.tradeoffs:fig9",
    "fig10": f"{_FIGURES}.tradeoffs:fig10",
}
TABLES = {
    "table1": f"{_TABLES}.paper:table1",
    "table2": f"{_TABLES}.paper:table2",
    "table3": f"{_TABLES}.paper:table3",
    "table4": f"{_TABLES}.paper:table4",
    "methods": f"{_TABLES}.comparison:methods",
    "encoders": f"{_TABLES}.comparison:encoders",
    "variants": f"{_TABLES}.comparison:variants",
    "full_size": f"{_TABLES}.comparison:full_size",
    "published": f"{_TABLES}.comparison:published",
    "quantization": f"{_TABLES}.quantization:quantization",
    "quantization_verdict": f"{_TABLES}.quantization:quantization_verdict",
}

# What each shows, in the report.
TITLES = {
    "fig1": "Figure 1: recall of vectors and of codes",
    "fig3": "Figure 3: recall of Hamming search",
    "fig4": "Figure 4: training loss, guided and plain",
    "fig5": "Figure 5: negatives, code length, ranking weight",
    "fig6": "Figure 6: AUC during training, guided and plain",
    "fig7": "Figure 7: fixed and dynamic p",
    "fig8": "Figure 8: recall by bytes of an item",
    "fig9": "Figure 9: recall by time of a query",
    "fig10": "Figure 10: recall by bytes, beside published results",
    "table1": "Table 1: sizes of the data sets",
    "table2": "Table 2: hierarchical search",
    "table3": "Table 3: hierarchical search, stand-in for Alibaba",
    "table4": "Table 4: seconds of the searches",
    "methods": "All methods, by codes and by vectors",
    "encoders": "Encoders, by codes and by vectors",
    "variants": "Variants of HashGNN",
    "full_size": "Methods on data of Alibaba's size",
    "published": "Beside published results",
    "quantization": "Recall by bytes per item",
    "quantization_verdict": "Learned codes beside quantized vectors",
}

# The pages of the reproduction beside the first one.
PAGES = {
    "tables": "Tables",
    "figures": "Figures",
    "tuning": "Settings",
    "data": "Data",
    "provenance": "Provenance",
}

# The figures and tables that claims of the paper are judged by.
CLAIMED = ("fig1", "fig3", "fig4", "fig5", "fig6", "fig7", "table2", "table3", "table4")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line of the function that the first argument names, as ``FIGURES`` does.

    The tables of names are not read here: a figure that is added to them makes no other one stale.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    module, _, function = arguments[0].partition(":") if arguments else ("", "", "")
    if not module.startswith("hashgnn.reporting.") or not function.isidentifier():
        print(
            "error: expected first a function, as hashgnn.reporting.figures.curves:fig3 is one",
            file=sys.stderr,
        )
        return 2
    status: int = getattr(import_module(module), function)(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
