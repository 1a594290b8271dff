"""Tables as users have them: text with separators, or Parquet."""
