"""Table 3: hierarchical search on Alibaba's data, or what stands in for them."""

import sys

from hashgnn.reporting.tables.formats import run_table
from hashgnn.reporting.tables.hierarchical import make

if __name__ == "__main__":
    sys.exit(run_table(__doc__, make))
