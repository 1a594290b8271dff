"""Hash and recommend: one module per method."""
