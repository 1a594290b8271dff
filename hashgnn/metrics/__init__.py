"""Ranking metrics, exact under ties, and the stage that evaluates a method."""
