"""A provider of meter data that speaks NEM12/NEM13 files over SFTP."""

NO_WORDS_FOR = frozenset({"exchanges", "orders", "stock"})
"""What of a rollout its files cannot say (`adapters.registry.no_words_for`)."""
