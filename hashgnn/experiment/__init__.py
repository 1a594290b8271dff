"""What the config's models, sweeps and grids make together: the trainings of the experiment."""
