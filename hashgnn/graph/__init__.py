"""The bipartite interaction graph: neighbor sampling, aggregation and random walks."""
