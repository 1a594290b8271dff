"""What a job will cost, memory and time, from the size of its data: the workflow's resources."""
