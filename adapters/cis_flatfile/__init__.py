"""A CIS that exchanges files over SFTP as docs/adapters/cis_flatfile.md says, or by a layout file of its own."""

NO_WORDS_FOR = frozenset({"exchanges", "orders", "stock"})
"""What of a rollout its files cannot say (`adapters.registry.no_words_for`)."""
