"""The configuration: its files, parameters, and the check before anything runs."""
