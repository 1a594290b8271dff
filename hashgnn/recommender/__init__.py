"""Training and recommending outside the workflow: what the Python interface and the CLI share."""
