"""The ``hashgnn`` command: train, recommend, export and info, for what is not an experiment."""
