"""Where a result came from: code digests and records."""
