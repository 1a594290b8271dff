"""What the paper claims in words, each held against the numbers of this workflow."""
