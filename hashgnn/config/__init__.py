"""The configuration: typed sections with defaults, ranges, descriptions and checks."""
