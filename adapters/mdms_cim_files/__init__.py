"""A provider of meter data whose files are bare CIM messages."""

NO_WORDS_FOR = frozenset({"exchanges", "orders", "stock"})
"""What of a rollout its files cannot say (`adapters.registry.no_words_for`)."""
