"""A route reader that gets routes and brings manual reads in files of `route/1` and `manual_reads/1` over SFTP."""

NO_WORDS_FOR = frozenset({"exchanges", "orders", "stock"})
"""What of a rollout its files cannot say (`adapters.registry.no_words_for`)."""
