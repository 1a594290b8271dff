"""Low-level code of the searches: bit planes, Hamming scan, inner products."""
