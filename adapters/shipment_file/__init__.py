"""A manufacturer that announces the meters that it ships in files of layout `shipment/1` over SFTP."""

NO_WORDS_FOR = frozenset({"exchanges", "orders", "stock"})
"""What of a rollout its files cannot say (`adapters.registry.no_words_for`)."""
