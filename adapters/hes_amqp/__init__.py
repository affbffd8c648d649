"""A head-end behind a queue: told of meters, heard of by events and reads."""
