"""Losses of pairs and triplets, and the similarities that they see."""
