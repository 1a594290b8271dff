"""Figure 6: validation AUC during training, guided against plain straight-through estimator."""

import argparse
import sys

import pandas as pd
from matplotlib.figure import Figure

from hashgnn.reporting.figures.curves import make_course
from hashgnn.reporting.figures.style import run_figure

QUANTITIES = {"auc": ", vectors", "auc_codes": ", codes"}


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """``inputs`` are histories of every training in the grid."""
    return make_course(args, QUANTITIES, "AUC, validation")


if __name__ == "__main__":
    sys.exit(run_figure(__doc__, make))
