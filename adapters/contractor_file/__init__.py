"""A contractor that gets field orders and says what became of them in files of `field_orders/1` and `completions/1`."""
