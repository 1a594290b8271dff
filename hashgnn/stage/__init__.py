"""What every stage of the workflow shares: command line, provenance, code digest."""
