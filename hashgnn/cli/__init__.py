"""The ``hashgnn`` command: train, recommend, export and info, outside the workflow."""
