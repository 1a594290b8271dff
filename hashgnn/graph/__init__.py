"""The bipartite interaction graph and neighbor sampling."""
