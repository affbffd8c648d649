"""A partner that takes bare CIM messages from a queue."""
