"""Graph encoders: from id embeddings to node representations."""
