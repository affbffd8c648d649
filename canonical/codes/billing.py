"""Codes of 6xxx: readings and billing."""
