"""What is read off results: figures, tables, claims, checks and the page of all results."""
