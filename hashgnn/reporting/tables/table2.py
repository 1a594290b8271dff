"""Table 2: hierarchical search, three data sets."""

import sys

from hashgnn.reporting.tables.formats import run_table
from hashgnn.reporting.tables.hierarchical import make

if __name__ == "__main__":
    sys.exit(run_table(__doc__, make))
