"""Figures, tables, claims, checks and the page of all results."""
