"""A work and asset management system over IEC 61968-9 web services: field orders to it, completions from it."""
