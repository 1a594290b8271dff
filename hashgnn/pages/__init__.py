"""Pages of results for a browser: one file each, readable without a network."""
