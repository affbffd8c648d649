"""Codes of 2xxx identity and 3xxx linkage."""
