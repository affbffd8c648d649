"""Business, over ports and store."""
