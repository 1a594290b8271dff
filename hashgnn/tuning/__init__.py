"""Tuning: what was tried on validation, and what did best."""
