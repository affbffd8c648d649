"""A work and asset management system behind a queue: field orders to it, completions from it."""
