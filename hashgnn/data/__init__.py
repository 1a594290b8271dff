"""Download, read, filter and split data sets; draw negatives."""
