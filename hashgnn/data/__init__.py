"""From raw files to interactions, splits and triplets."""
