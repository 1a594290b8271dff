"""From continuous representations to binary codes."""
