"""A contractor that gets field orders and says what became of them in files of `field_orders/1` and `completions/1`."""

NO_WORDS_FOR = frozenset({"exchanges", "stock"})
"""What of a rollout its files cannot say (`adapters.registry.no_words_for`)."""
