"""Exact top-k retrieval."""
