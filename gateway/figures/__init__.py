"""What the store says of many cases at once: counts, and statistics on counts."""
