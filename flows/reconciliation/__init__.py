"""Reconciliation: what systems hold, compared; each difference named with its cause, and repaired where allowed."""
