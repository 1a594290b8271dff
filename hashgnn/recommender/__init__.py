"""Train models and recommend items outside the workflow: the Python interface and its parts."""
