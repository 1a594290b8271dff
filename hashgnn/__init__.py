"""Learning to hash with graph neural networks for recommender systems (HashGNN, WWW 2020)."""
