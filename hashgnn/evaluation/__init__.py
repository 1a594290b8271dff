"""Ranking metrics, statistics over seeds, and the stages that evaluate and time searches."""
