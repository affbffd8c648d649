"""A GIS that says by which transformer and feeder usage points are supplied, in files of layout `topology/1`."""

NO_WORDS_FOR = frozenset({"exchanges", "orders", "stock"})
"""What of a rollout its files cannot say (`adapters.registry.no_words_for`)."""
