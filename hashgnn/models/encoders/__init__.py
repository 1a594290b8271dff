"""Graph encoders, by name: from node embeddings to representations."""
