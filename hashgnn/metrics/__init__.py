"""Ranking metrics and the evaluation stage."""
