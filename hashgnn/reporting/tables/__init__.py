"""The paper's tables, and those beside them."""
