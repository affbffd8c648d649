"""Any system that says and is told what it holds of master data in files of layout `masters/1` over SFTP."""

NO_WORDS_FOR = frozenset({"exchanges", "orders", "stock"})
"""What of a rollout its files cannot say (`adapters.registry.no_words_for`)."""
